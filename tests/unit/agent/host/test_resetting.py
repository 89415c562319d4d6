"""Silent hosts are reset by who coordinates: counted first, looked at once more, and told."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from roost_agent.host import kept
from roost_agent.host import transitions as tr
from roost_agent.host.ladder import EXHAUSTED
from roost_agent.host.moment import Moment
from roost_agent.host.peer import LOST
from roost_agent.host.resets import AFTER_MS, BOOT_MS, TRIES, TRY_MS
from roost_agent.host.resetting import Resetting
from roost_agent.host.sight import Sight
from roost_agent.host.site import GOOD, SiteHosts

WALL = 1_800_000_000_000
BOOT = "aa" * 16


class Site:
    """n1, whose turn it is, hears n2 and n3, or not."""

    def __init__(self):
        self.ms, self.epoch, self.silent, self.more = 10_000_000, 7, set(), {}
        self.orders, self.answer, self.full, self.boards = [], "", "", {"n2", "n3"}
        self.meanwhile = lambda: None  # between the decision and the order
        self.hosts = SiteHosts(self.now())
        self.resetting = Resetting(self.hosts, self, self, self.now)

    def now(self):
        return Moment(self.ms, WALL + self.ms)

    def turn(self):
        return self.epoch

    def has_board(self, node):
        return node in self.boards

    def spent(self):
        return self.full

    async def reset(self, node, may):
        self.meanwhile()
        if why := may():
            return why
        self.orders.append(node)
        return self.answer

    async def tick(self, times=1, ms=1_000):
        for _ in range(times):
            self.ms += ms
            sights = [
                Sight(name, name not in self.silent, tr.AVAILABLE, BOOT, self.ms, **self.more)
                for name in ("n2", "n3")
            ]
            self.hosts.tick(sights, self.ms, self.now())
            async with asyncio.TaskGroup() as group:
                self.resetting.look(group)

    def told(self, name="n2"):
        [said] = [self.resetting.told(each) for each in self.hosts.hosts() if each.node == name]
        return said


@pytest.fixture
async def site():
    site = Site()
    await site.tick(GOOD)
    return site


@asynccontextmanager
async def lost(site, *names):
    """They have been silent for all but a second of what a reset waits for."""
    site.silent = set(names)
    await site.tick(LOST)
    assert site.told().avail == "failed"
    await site.tick(ms=AFTER_MS - 1_000)
    assert site.orders == []
    yield
    await site.tick()


async def test_a_silent_host_is_reset_and_told_so_and_given_up_when_it_does_not_come(site):
    async with lost(site, "n2"):
        pass
    assert site.orders == ["n2"]
    assert site.told().task == "reset by its board controller, boots"
    await site.tick(5, ms=TRY_MS)
    assert site.orders == ["n2"]
    await site.tick(ms=BOOT_MS)
    said = site.told()
    assert said.task == EXHAUSTED
    assert said.cause.startswith("its heartbeat is lost for 10 ticks; given up: it was not heard")


async def test_a_host_that_is_heard_again_is_not_reset_though_it_was_decided(site):
    async with lost(site, "n2"):

        def is_heard():
            site.ms += 1_000
            sights = [Sight(name, True, tr.AVAILABLE, BOOT, site.ms) for name in ("n2", "n3")]
            site.hosts.tick(sights, site.ms, site.now())

        site.meanwhile = is_heard
    assert site.orders == []


async def test_a_lease_that_ends_between_decision_and_order_ends_the_order(site):
    async with lost(site, "n2"):
        site.meanwhile = lambda: setattr(site, "epoch", 8)
    assert site.orders == []


async def test_two_that_fall_silent_together_are_the_network_and_nobody_is_reset(site):
    site.silent = {"n2", "n3"}
    await site.tick(LOST)
    await site.tick(3, ms=AFTER_MS)
    assert (site.orders, site.told().avail) == ([], "degraded")


async def test_a_storm_that_begins_in_the_last_moment_ends_the_order(site):
    async with lost(site, "n2"):
        site.meanwhile = lambda: setattr(site.hosts._blame, "is_mnfa", True)
    assert site.orders == []


async def test_a_reset_waits_while_no_machine_may_be_acted_on_and_uses_up_no_try(site):
    site.full = "3 machines of the site were acted on this hour"
    async with lost(site, "n2"):
        pass
    await site.tick(30, ms=TRY_MS)
    assert site.orders == []
    site.full, site.answer = "", "budget: another was faster"
    for _ in range(2 * TRIES):
        await site.tick(ms=TRY_MS)
    assert site.told().task != EXHAUSTED
    site.answer = ""
    await site.tick(ms=TRY_MS)
    assert site.told().task == "reset by its board controller, boots"


async def test_a_reset_of_which_nobody_knows_is_not_repeated_and_one_that_was_refused_is(site):
    site.answer = "refused: the machine is off: power-on is the order for that"
    async with lost(site, "n2"):
        pass
    await site.tick(ms=TRY_MS)
    assert site.orders == ["n2", "n2"]
    site.answer = "unconfirmed: a reset was ordered, or may have been"
    await site.tick(5, ms=TRY_MS)
    assert site.orders == ["n2", "n2", "n2"]


async def test_a_host_in_maintenance_is_left_alone(site):
    site.more = {"maintenance_ms": 10**9}
    await site.tick()
    site.silent = {"n2"}
    await site.tick(LOST)
    await site.tick(2, ms=AFTER_MS)
    assert site.orders == []


def begin_again(site):
    """The coordinator's agent starts again."""
    kept_of = site.hosts.memory()
    site.hosts = SiteHosts(site.now(), kept=kept.Locked(failed=kept_of.failed))
    site.resetting = Resetting(site.hosts, site, site, site.now)


async def test_a_reset_that_is_due_goes_on_over_a_restart_of_the_coordinators_agent(site):
    site.silent = {"n2"}
    await site.tick(LOST)
    begin_again(site)
    await site.tick(ms=AFTER_MS // 2)
    assert site.orders == []
    await site.tick(2, ms=AFTER_MS // 2)
    assert site.orders == ["n2"]


async def test_a_host_that_may_have_been_reset_before_the_restart_is_given_up_and_not_reset(site):
    async with lost(site, "n2"):
        pass
    begin_again(site)
    await site.tick(3)
    assert (site.orders, site.told().task) == (["n2"], EXHAUSTED)
    assert "may have reset it" in site.told().cause
