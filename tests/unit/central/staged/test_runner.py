"""A change reaches its groups one after the other, over a real database."""

from dataclasses import replace

import pytest
from migrated import database_url

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.facts import OwnRaised
from roost_central.delivery.core import Attempt, Outcome
from roost_central.delivery.runner import DeliveryRunner
from roost_central.errors import RevisionConflictError
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.profiles.change import Wanted
from roost_central.profiles.desk import Approval, ProfileDesk
from roost_central.staged.core import State
from roost_central.staged.draft import Staging
from roost_central.staged.open import OpenChanges
from roost_central.staged.runner import StagedRunner
from roost_central.storage import delivery, orders, staged
from roost_central.storage.engine import Database
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity

SOAK_MS, WAIT_MS = 600_000, 3_600_000
SITES = [f"s{number}" for number in range(6)]


class TurnedClock(SystemClock):
    ahead_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms


class Centre:
    """The parts of a centre, and nodes that do as they are told."""

    def __init__(self, database, view, clock):
        self.database, self.view, self.clock = database, view, clock
        self.book = AlarmBook(shipped(), view, database, clock)
        self.heard = dict.fromkeys(view.nodes, 1)
        self.broken = set()

    async def begin(self):
        self.open = OpenChanges()
        await self.open.load(self.database)
        self.profiles = ProfileDesk(self.database, self.view, self.clock, self.open)
        self.deliveries = DeliveryRunner(
            self.database, self.view, self.book, self.clock, SystemEntropy()
        )
        self.deliveries.held, self.deliveries.hears = self.open, self.heard.get
        self.profiles.on_changed = self.deliveries.desired_changed
        self.changes = StagedRunner(
            self.database, self.view, self.book, self.clock,
            changes=self.open, deliveries=self.deliveries,
        )  # fmt: skip
        await self.deliver()

    async def deliver(self, times=1):
        """Bring nodes what they should be now; a broken one refuses."""
        for _ in range(times):
            with self.view.listen() as changes:
                for node in self.view.nodes:
                    self.view.touch_node(node)
                await self.deliveries.turn(changes)
            async with self.database.write() as connection:
                for order in await orders.load_open(connection, limit=99):
                    row = self.view.nodes[order.node]
                    is_well = order.node not in self.broken
                    if is_well:
                        row.config.applied_digest = order.given["digest"][:16]
                        row.config.applied_gen = int(order.given["desired"])
                    state = "done" if is_well else "refused"
                    await orders.save(connection, replace(order, state=state, ended_ms=1))

    async def apply(self, swappiness, **more):
        head = '[profile]\nname = "all"\nfleet = true\n'
        source = f'{head}[kernel.sysctl]\n"vm.swappiness" = {swappiness}\n'
        staging = more.pop("staging", None)
        wanted = more.pop("wanted", Wanted([("f.toml", source)]))
        approval = Approval("ann", "why", None, staging, **more)
        return await self.profiles.apply(wanted, lambda _: None, approval, note)

    async def staged(self, swappiness=20, *, groups="1,2,rest", failed_max=0):
        plan = await self.apply(swappiness, staging=Staging(groups, SOAK_MS, WAIT_MS, failed_max))
        return plan.change

    async def turn(self):
        await self.deliver(2)
        await self.changes.turn()

    def swappy(self):
        """Return the sites that say the second generation."""
        return {row.site for row in self.view.nodes.values() if row.config.applied_gen == 2}

    async def stored(self, change):
        async with self.database.read() as connection:
            return await staged.find(connection, change)


def note(_plan=None):
    return Act(1, "ann", "admin", "profile.apply", "profiles", {})


@pytest.fixture
async def centre(tmp_path):
    clock = TurnedClock()
    database = await Database.open(database_url(tmp_path), clock=clock)
    view = FleetView()
    for site in SITES:
        view.add_site(site, 1)
        row = view.add_node(f"{site}.n1", site, "n1")
        row.presence, row.config.applied_digest, row.config.applied_gen = "online", "0" * 16, 0
    centre = Centre(database, view, clock)
    async with database.read() as connection:
        await centre.book.load(connection)
    await centre.begin()
    await centre.apply(10)
    await centre.deliver(2)
    assert {row.config.applied_gen for row in view.nodes.values()} == {1}
    yield centre
    await database.close()


async def test_a_change_reaches_its_groups_one_after_the_other(centre):
    change = await centre.staged()
    await centre.turn()
    assert len(centre.swappy()) == 1
    assert {row.config.state for row in centre.view.nodes.values()} == {"in-sync"}
    assert {row.config.held_by for row in centre.view.nodes.values()} == {"", change}
    await centre.turn()
    assert len(centre.swappy()) == 1
    for size in (3, 6):
        centre.clock.ahead_ms += SOAK_MS
        await centre.changes.turn()
        await centre.turn()
        assert len(centre.swappy()) == size
    centre.clock.ahead_ms += SOAK_MS
    await centre.changes.turn()
    assert (await centre.stored(change)).state is State.DONE
    assert centre.open.all() == []


async def test_a_failure_stops_it_and_nobody_else_has_it_whatever_time_it_is(centre):
    change = await centre.staged()
    [first] = [each.node for each in centre.open.find(change).nodes.values() if not each.stage]
    centre.broken.add(first)
    await centre.turn()
    await centre.turn()
    stopped = await centre.stored(change)
    assert stopped.state is State.STOPPED
    assert stopped.why == f"nodes: 1 failed ({first}); at most 0 may"
    centre.clock.ahead_ms += WAIT_MS * 10
    for _ in range(3):
        await centre.turn()
    assert centre.swappy() == set()
    await centre.book.change(list)
    assert [row.type for row in centre.book.open_alarms() if row.type == "250.803"] == ["250.803"]


async def test_a_new_critical_alarm_on_a_changed_node_counts_as_a_failure(centre):
    change = await centre.staged()
    await centre.turn()
    first = await ill(centre, change)
    await centre.turn()
    stopped = await centre.stored(change)
    assert stopped.state is State.STOPPED
    assert stopped.why == f"nodes: 1 with a new critical alarm ({first}); at most 0 may"


async def test_what_a_node_suffers_from_that_takes_no_settings_stops_nothing(centre):
    change = await centre.staged()
    first = await ill(centre, change)
    centre.broken.add(first)
    centre.view.nodes[first].config.applied_digest = None
    await centre.turn()
    assert (await centre.stored(change)).state is State.RUNNING


async def ill(centre, change):
    """Give the node of the first group a critical alarm, and return which it is."""
    [first] = [each.node for each in centre.open.find(change).nodes.values() if not each.stage]
    site = first.partition(".")[0]
    raised = OwnRaised(
        "280.805", f"site={site},node=n1", Severity.CRITICAL, {}, site=site, node=first
    )
    await centre.book.change(lambda: [raised])
    return first


async def test_a_centre_that_was_killed_goes_on_and_still_holds_the_others(centre):
    change = await centre.staged()
    await centre.turn()
    await centre.begin()
    await centre.turn()
    assert len(centre.swappy()) == 1
    assert {row.config.state for row in centre.view.nodes.values()} == {"in-sync"}
    centre.clock.ahead_ms += SOAK_MS
    await centre.changes.turn()
    assert (await centre.stored(change)).stage == 1


async def test_what_was_resumed_after_a_stop_goes_on_and_what_was_aborted_does_not(centre):
    change = await centre.staged(failed_max=0)
    await centre.changes.pause(change, "lunch", note())
    centre.clock.ahead_ms += SOAK_MS * 3
    await centre.turn()
    assert (await centre.stored(change)).stage == 0
    await centre.changes.resume(change, note())
    await centre.turn()
    centre.clock.ahead_ms += SOAK_MS
    await centre.changes.turn()
    assert (await centre.stored(change)).stage == 1
    await centre.changes.abort(change, "no", note())
    centre.clock.ahead_ms += WAIT_MS
    await centre.turn()
    assert len(centre.swappy()) == 3


async def test_no_other_change_crosses_one_that_is_open_but_its_own_undoing(centre):
    change = await centre.staged()
    await centre.turn()
    with pytest.raises(RevisionConflictError) as caught:
        await centre.apply(30)
    assert (caught.value.code, caught.value.field, caught.value.got) == ("staged", change, 6)
    former = '[profile]\nname = "all"\nfleet = true\n[kernel.sysctl]\n"vm.swappiness" = 10\n'
    await centre.apply(0, wanted=Wanted([("f.toml", former)]), undoes=change)
    await centre.changes.rolled_back(change, "")
    for _ in range(2):
        await centre.turn()
    assert {row.config.state for row in centre.view.nodes.values()} == {"in-sync"}
    assert {row.config.applied_gen for row in centre.view.nodes.values()} == {1, 3}
    assert (await centre.stored(change)).state is State.ROLLED_BACK
    async with centre.database.read() as connection:
        attempts = await delivery.load(connection)
    assert {each.outcome for each in attempts.values()} == {Outcome.DONE}
    assert Attempt("x").outcome is Outcome.NONE


async def test_a_change_within_one_site_is_not_staged(centre):
    own = '[profile]\nname = "own"\nsite = "s1"\n[kernel.sysctl]\n"vm.swappiness" = 5\n'
    staging = Staging("1,rest", SOAK_MS, WAIT_MS, 0)
    plan = await centre.apply(0, wanted=Wanted([("o.toml", own)]), staging=staging)
    assert (plan.sites, plan.change) == (1, "")


@pytest.mark.parametrize("swappiness", [10, 20])  # what all have already, and another
async def test_groups_that_are_none_are_refused_whatever_changes(centre, swappiness):
    staging = Staging("banana", SOAK_MS, WAIT_MS, 0)
    with pytest.raises(ProtocolError) as caught:
        await centre.apply(swappiness, staging=staging)
    assert (caught.value.code, caught.value.got) == ("groups", "banana")


async def test_a_group_is_not_through_by_what_it_had_before(centre):
    change = await centre.staged()
    await centre.changes.turn()
    assert (await centre.stored(change)).synced_ms is None
    await centre.turn()
    assert (await centre.stored(change)).synced_ms is not None
