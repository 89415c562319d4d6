"""A rollout over a real database: written before it is sent, resumed after a restart."""

import msgspec
import pytest
from migrated import database_url
from rollout_fleet import NEW, OLD, PLAN

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.errors import NotFoundError, SignerError, SignerUnavailableError
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head, WaveHead, begun
from roost_central.rollout.job import Job
from roost_central.rollout.plan_file import plan_digest, read_plan
from roost_central.rollout.runner import RolloutRunner
from roost_central.rollout.table import JobState, MoveError, Pause, RolloutState
from roost_central.storage import orders, rollouts, sites
from roost_central.storage.engine import Database
from roost_central.storage.rollouts import ApprovalRecord
from roost_central.storage.sites import SiteRecord
from roost_protocol.codec import Decoder
from roost_protocol.order import body_digest
from roost_protocol.release.meant import Tree, holds, site_leaf
from roost_protocol.update import FailureType, JobReport, NodeSaid, Offer, Running, SiteState

SITES = [f"s{number}" for number in range(6)]
TEXT = PLAN + "[[wave]]\ncount = 2\n[[wave]]\nrest = true\n"
ID = "e" * 32
R, J = RolloutState, JobState


class TurnedClock(SystemClock):
    ahead_ms = 0
    is_mono_too = False

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms

    def mono_ms(self):
        return super().mono_ms() + self.ahead_ms * self.is_mono_too


class Centre:
    """The parts of a centre, and nodes without an identity that take what they are offered."""

    def __init__(self, database, view, clock):
        self.database, self.view, self.clock = database, view, clock
        self.book = AlarmBook(shipped(), view, database, clock)
        self.offers, self.cancels = [], []
        self.enrolled = set()

    async def begin(self):
        self.runner = RolloutRunner(
            self.database, self.view, self.book, self.clock, SystemEntropy()
        )
        self.runner.outgoing.send_bare = self._send
        self.runner.outgoing.hears = lambda node: 1 if node in self.enrolled else None
        await self.runner.load()

    def _send(self, node, payload):
        if len(payload) == 32:
            self.cancels.append((node, payload.decode()))
        else:
            self.offers.append((node, Decoder[Offer](Offer).decode(payload)))
        return True

    def answer(self, state=SiteState.COMMITTED, runs=True):
        """Have each node that was offered something say how it went, and run it."""
        for node, offer in self.offers:
            row = self.view.nodes[node]
            row.update = JobReport(
                v=1, job=offer.job, attempt=offer.attempt, seq=9, state=state,
                nodes=[NodeSaid(each, "") for each in offer.nodes],
            )  # fmt: skip
            if runs:
                row.software = {offer.component: Running(offer.version, offer.digest)}
        self.offers.clear()

    async def make(  # noqa: PLR0913 - what tests vary
        self, state=R.SCHEDULED, *, approvers=0, id_=ID, text=TEXT, release=NEW, names=SITES
    ):
        plan, now_ms = read_plan(text.encode()), self.clock.wall_ms()
        head = Head(
            id=id_, name="x", component="app/pump", version=release[0], digest=release[1], size=1,
            plan_digest=plan_digest(text.encode()), by="ann", reason="", made_ms=now_ms,
            changed_ms=now_ms, waves=(WaveHead("canary"), WaveHead("rest")), approvers=approvers,
            sites=6,
        )  # fmt: skip
        jobs = [
            Job(site=site, wave=int(number > 1), nodes=(f"{site}.n1",), former=OLD)
            for number, site in enumerate(names)
        ]
        rollout = Rollout(begun(head, state, now_ms), plan, jobs, now_ms)
        await self.runner.acts.add(rollout, text.encode(), act("rollout.create"))

    async def register(self, *names):
        """Have sites in the database, registered now; those of these names that were are not."""
        now_ms = self.clock.wall_ms()
        async with self.database.write() as connection:
            for name in names:
                await sites.delete(connection, name)
            await sites.save(
                connection, [SiteRecord(name, 1, {}, None, None, 1, now_ms) for name in names]
            )

    async def turn(self, seconds=2):
        self.clock.ahead_ms += seconds * 1_000
        with self.view.listen() as changes:
            for node in self.view.nodes:
                self.view.touch_node(node)
            await self.runner.turn(changes)

    async def until(self, state):
        for _ in range(400):
            self.answer()
            await self.turn()
            if ID not in self.runner.open or self.head.state is state:
                break
        async with self.database.read() as connection:
            head, _ = await rollouts.find(connection, ID)
        assert head.state is state

    @property
    def head(self):
        return self.runner.open[ID].rollout.head

    async def stored(self):
        async with self.database.read() as connection:
            return {job.site: job for job in await rollouts.jobs_of(connection, ID)}


def act(word):
    return Act(1, "ann", "admin", word, ID, {})


@pytest.fixture
async def centre(tmp_path):
    clock = TurnedClock()
    database = await Database.open(database_url(tmp_path), clock=clock)
    view = FleetView()
    for site in SITES:
        view.add_site(site, 1)
        row = view.add_node(f"{site}.n1", site, "n1")
        row.presence, row.interval_ms = "online", 1_000
        row.software = {"app/pump": Running(*OLD)}
    centre = Centre(database, view, clock)
    await centre.register(*SITES)
    async with database.read() as connection:
        await centre.book.load(connection)
    await centre.begin()
    yield centre
    await database.close()


async def test_a_rollout_goes_from_its_start_to_its_end(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.until(R.COMPLETED)
    assert {job.state for job in (await centre.stored()).values()} == {J.SUCCEEDED}
    assert not centre.runner.open


async def test_what_is_offered_is_stored_as_offered_before_it_is_sent(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    seen = []

    def send(node, payload):
        seen.append((node, payload))
        return True

    centre.runner.outgoing.send_bare = send
    await centre.turn()
    stored = await centre.stored()
    assert {site for site, job in stored.items() if job.state is J.OFFERED} == {"s0", "s1"}
    async with centre.database.read() as connection:
        offer = await rollouts.offer_of_job(connection, "s0", body_digest(seen[0][1]))
    assert offer == seen[0][1]


async def test_a_centre_that_was_killed_goes_on_where_it_was(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    await centre.begin()
    assert centre.head.state is R.RUNNING
    await centre.until(R.COMPLETED)


async def test_a_site_that_says_done_and_shows_another_digest_is_not_done(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    for _ in range(20):
        await centre.turn()
        centre.answer(runs=False)
    assert (await centre.stored())["s0"].state is J.VERIFYING


async def test_an_enrolled_node_is_offered_by_a_signed_order_or_not_at_all(centre):
    centre.enrolled = {f"{site}.n1" for site in SITES}
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    assert not centre.offers
    assert centre.head.state is R.PAUSED
    assert "signs no releases" in centre.head.why

    class Desk:
        def __init__(self):
            self.documents = []

        async def assign(self, documents, approvals, shown):
            self.documents += documents
            self.shown = shown
            return [None] * len(documents)

    centre.runner.outgoing.releases = desk = Desk()
    await centre.runner.acts.change(
        ID, lambda rollout, now_ms: rollout.resume("", now_ms), act("rollout.resume")
    )
    await centre.turn()
    assert not centre.offers
    async with centre.database.read() as connection:
        placed = await orders.load_open(connection, limit=9)
        bodies = [
            await rollouts.offer_of_job(connection, each.site, each.given["digest"])
            for each in placed
        ]
    assert {each.node for each in placed} == {"s0.n1", "s1.n1"}
    assert all(bodies)
    assert {each.site for each in desk.documents} == {"s0", "s1"}
    assert desk.documents[0].assignments[0].rollout == ID
    tree = Tree(dict.fromkeys(SITES, OLD[1]))
    for site, [shown] in desk.shown.items():
        assert holds(tree.root, site_leaf(site, OLD[1]), shown.proof)


class Refusing:
    """A desk whose signer has one word for one site, and signs for the others."""

    def __init__(self, why, site="s0"):
        self.why, self.site, self.asked = why, site, []

    async def assign(self, documents, approvals, shown):
        self.asked += [each.site for each in documents]
        return [self.why if each.site == self.site else None for each in documents]


async def test_a_site_that_the_signer_refuses_is_put_off_alone_until_its_attempts_are_spent(centre):
    centre.enrolled = {f"{site}.n1" for site in SITES}
    await centre.make()
    why = SignerError("image", "app/pump/1.1.0.json is not named by the image repository")
    centre.runner.outgoing.releases = desk = Refusing(why)
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    stored = await centre.stored()
    assert centre.head.state is R.RUNNING
    assert (stored["s0"].state, stored["s1"].state) == (J.REJECTED, J.OFFERED)
    assert stored["s0"].failure is FailureType.PRECHECK
    assert "the signer refuses its document: app/pump/1.1.0.json" in stored["s0"].detail
    await centre.turn(60)
    assert desk.asked.count("s0") == 1  # it waits
    for _ in range(12):
        await centre.turn(600)
    job = (await centre.stored())["s0"]
    assert (job.state, job.attempt, desk.asked.count("s0")) == (J.FAILED, 3, 3)
    assert "is not named" in job.detail


async def test_a_site_that_the_signer_refused_once_gets_it_with_the_next_attempt(centre):
    centre.enrolled = {f"{site}.n1" for site in SITES}
    await centre.make()
    centre.runner.outgoing.releases = desk = Refusing(SignerError("approval", "too few"))
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    desk.why = None
    await centre.turn(901)
    await centre.turn()
    job = (await centre.stored())["s0"]
    assert (job.state, job.attempt) == (J.OFFERED, 2)


async def test_a_signer_that_is_away_pauses_and_fails_nobody(centre):
    centre.enrolled = {f"{site}.n1" for site in SITES}
    await centre.make()
    away = SignerUnavailableError("timeout", "no answer within 10 s")
    centre.runner.outgoing.releases = desk = Refusing(away)
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    assert (centre.head.state, centre.head.pause) == (R.PAUSED, Pause.STALE_METADATA)
    job = (await centre.stored())["s0"]
    assert (job.state, job.attempt) == (J.QUEUED, 1)
    desk.why = None
    await centre.turn(61)
    await centre.turn()
    assert centre.head.state is R.RUNNING
    assert (await centre.stored())["s0"].state is J.OFFERED


async def test_an_order_that_its_node_refuses_puts_the_site_off(centre):
    centre.enrolled = {f"{site}.n1" for site in SITES}
    await test_an_enrolled_node_is_offered_by_a_signed_order_or_not_at_all(centre)
    async with centre.database.write() as connection:
        for each in await orders.load_open(connection, limit=9):
            ended = {"state": "refused", "text": "it has no installer", "ended_ms": 1}
            fields = {name: getattr(each, name) for name in each.__slots__}
            await orders.save(connection, type(each)(**{**fields, **ended}))
    await centre.turn()
    job = (await centre.stored())["s0"]
    assert job.state is J.REJECTED
    assert "no installer" in job.detail


async def test_an_order_that_finds_its_node_at_work_makes_the_site_wait(centre):
    centre.enrolled = {f"{site}.n1" for site in SITES}
    await test_an_enrolled_node_is_offered_by_a_signed_order_or_not_at_all(centre)
    async with centre.database.write() as connection:
        for each in await orders.load_open(connection, limit=9):
            text = "app/valve 2 is under way on this node"
            ended = {"state": "failed", "code": "busy", "text": text, "ended_ms": 1}
            fields = {name: getattr(each, name) for name in each.__slots__}
            await orders.save(connection, type(each)(**{**fields, **ended}))
    await centre.turn()
    job = (await centre.stored())["s0"]
    assert (job.state, job.detail) == (J.QUEUED, f"waits: s0.n1: {text}")


async def test_a_node_that_was_busy_is_asked_soon_after_its_other_job_has_ended(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer(SiteState.REJECTED, runs=False)
    row = centre.view.nodes["s0.n1"]
    row.update = msgspec.structs.replace(
        row.update, retry_at_ms=centre.clock.wall_ms() + 600_000, nodes=[]
    )
    await centre.turn()
    assert (await centre.stored())["s0"].put_off_ms
    for state, is_asked in [(SiteState.APPLYING, False), (SiteState.COMMITTED, True)]:
        row.update = JobReport(v=1, job="9" * 32, attempt=1, seq=9, state=state)
        for _ in range(25):
            await centre.turn()
        assert ("s0.n1" in {node for node, _ in centre.offers}) is is_asked, state


async def test_an_abort_asks_the_sites_to_give_it_up(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    await centre.runner.acts.change(
        ID, lambda rollout, now_ms: rollout.abort("no", now_ms), act("rollout.abort")
    )
    assert {node for node, _ in centre.cancels} == {"s0.n1", "s1.n1"}
    centre.answer(SiteState.CANCELED, runs=False)
    await centre.turn()
    assert not centre.runner.open
    assert {job.state for job in (await centre.stored()).values()} == {J.CANCELED}


async def silent_until_aborted(centre):
    """Have a rollout aborted to its end while a site that has it is silent."""
    centre.clock.is_mono_too = True
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer(SiteState.WAITING, runs=False)
    centre.view.nodes["s0.n1"].presence = "unreachable"
    await centre.turn()
    job = centre.view.nodes["s0.n1"].update.job
    await centre.runner.acts.change(
        ID, lambda rollout, now_ms: rollout.abort("no", now_ms), act("rollout.abort")
    )
    other = centre.view.nodes["s1.n1"]
    other.update = msgspec.structs.replace(other.update, seq=10, state=SiteState.CANCELED)
    await centre.turn()
    await centre.turn(72 * 3_600)
    assert not centre.runner.open
    centre.cancels.clear()
    await centre.turn(60)
    assert not centre.cancels, "nobody hears it"
    return job


async def test_a_site_that_was_silent_until_its_rollout_ended_is_told_once_it_is_heard(centre):
    job = await silent_until_aborted(centre)
    await centre.begin()  # a centre that was restarted knows it, too
    row = centre.view.nodes["s0.n1"]
    row.presence = "online"
    await centre.turn(20)
    assert centre.cancels == [("s0.n1", job)]
    await centre.turn(60)
    assert len(centre.cancels) == 1, "it has time to follow"
    for _ in range(200):
        await centre.turn(120)
    assert len(centre.cancels) == 5, "and then it is left alone"
    assert {each[0] for each in centre.cancels} == {"s0.n1"}


async def test_an_enrolled_site_that_was_silent_is_told_by_an_order(centre):
    job = await silent_until_aborted(centre)
    centre.enrolled = {"s0.n1"}
    centre.view.nodes["s0.n1"].presence = "online"
    await centre.turn(20)
    async with centre.database.read() as connection:
        found = await orders.load_open(connection, limit=9)
    assert [(each.node, each.verb, each.given) for each in found] == [
        ("s0.n1", "update-cancel", {"job": job})
    ]
    assert not centre.cancels


async def test_nobody_is_told_of_a_job_that_is_waited_for_or_not_known_here(centre):
    centre.clock.is_mono_too = True
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer(SiteState.WAITING, runs=False)
    row = centre.view.nodes["s4.n1"]
    row.update = JobReport(v=1, job="9" * 32, attempt=1, seq=9, state=SiteState.WAITING)
    for _ in range(5):
        await centre.turn(20)
    assert centre.head.state is R.RUNNING
    assert not centre.cancels


async def aborted_with_some_done(centre):
    """Have a rollout aborted when its first sites run the release."""
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer()
    await centre.turn()
    await abort(centre)
    assert not centre.runner.open


async def abort(centre):
    await centre.runner.acts.change(
        ID, lambda rollout, now_ms: rollout.abort("no", now_ms), act("rollout.abort")
    )
    for _ in range(400):
        if ID not in centre.runner.open:
            break
        await centre.turn()


async def roll_back(centre):
    await centre.runner.acts.change(
        ID, lambda rollout, now_ms: rollout.roll_back("it leaks", now_ms), act("rollout.roll-back")
    )


async def test_a_rollout_that_was_aborted_is_rolled_back_when_somebody_says_so(centre):
    await aborted_with_some_done(centre)
    assert centre.view.nodes["s0.n1"].software == {"app/pump": Running(*NEW)}
    await roll_back(centre)
    assert centre.head.state is R.ROLLING_BACK
    await centre.begin()
    await centre.until(R.ROLLED_BACK)
    assert {row.software["app/pump"] for row in centre.view.nodes.values()} == {Running(*OLD)}
    with pytest.raises(NotFoundError):
        await roll_back(centre)


async def test_sites_that_a_newer_rollout_came_to_do_not_go_back_with_an_older_one(centre):
    await aborted_with_some_done(centre)
    newer = "d" * 32
    centre.clock.ahead_ms += 1_000
    await centre.make(id_=newer, release=("1.2.0", "2" * 64))
    with pytest.raises(MoveError, match=r"d{32}.*end that one first"):
        await roll_back(centre)
    await centre.runner.acts.change(newer, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer()
    await centre.turn()
    await centre.runner.acts.change(
        newer, lambda rollout, now_ms: rollout.abort("no", now_ms), act("rollout.abort")
    )
    for _ in range(400):
        if not centre.runner.open:
            break
        await centre.turn()
    with pytest.raises(MoveError, match="newer rollouts have them all by now"):
        await roll_back(centre)
    assert not centre.runner.open


async def test_a_newer_rollout_takes_over_the_sites_that_do_not_have_the_older_one_yet(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.offers.clear()  # nobody answers the older one
    newer, release = "a" * 32, ("1.2.0", "2" * 64)
    await centre.turn(1)
    await centre.make(id_=newer, text="supersede = true\n" + TEXT, release=release)
    await centre.turn()
    assert {job.state for job in (await centre.stored()).values()} == {J.OFFERED, J.QUEUED}
    await centre.runner.acts.change(newer, Rollout.start, act("rollout.start"))
    await centre.turn()
    assert {job.state for job in (await centre.stored()).values()} == {J.SUPERSEDED}
    assert {node for node, _ in centre.cancels} == {"s0.n1", "s1.n1"}
    await centre.until(R.COMPLETED)
    for _ in range(400):
        centre.answer()
        await centre.turn()
    assert not centre.runner.open
    assert {row.software["app/pump"] for row in centre.view.nodes.values()} == {Running(*release)}


async def test_of_two_plans_for_one_site_made_at_once_one_is_taken(centre):
    await centre.make()
    with pytest.raises(MoveError, match="plan it anew"):
        await centre.make(id_="a" * 32)
    assert list(centre.runner.open) == [ID]


async def test_enough_different_operators_let_it_be_started(centre):
    await centre.make(R.AWAITING_APPROVAL, approvers=2)
    with pytest.raises(MoveError):
        await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    for operator, state in (("bob", R.AWAITING_APPROVAL), ("cy", R.SCHEDULED)):
        record = ApprovalRecord(ID, operator, NEW[1], 1, "ann", b"a", b"s")
        await centre.runner.acts.approve(ID, record, act("rollout.approve"))
        assert centre.head.state is state
    again = ApprovalRecord(ID, "bob", NEW[1], 1, "ann", b"a", b"s")
    with pytest.raises(MoveError, match="already"):
        await centre.runner.acts.approve(ID, again, act("rollout.approve"))


async def test_a_halt_stands_as_an_alarm_until_it_goes_on(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer(SiteState.TIMED_OUT, runs=False)
    await centre.turn()
    assert centre.head.state is R.PAUSED
    assert centre.book.is_due


async def test_nobody_is_judged_before_the_fleet_is_heard(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    for row in centre.view.nodes.values():
        row.presence = "unknown"
    await centre.begin()
    await centre.turn()
    assert {job.state for job in (await centre.stored()).values()} == {J.QUEUED}
    assert centre.head.state is R.RUNNING


async def test_a_site_that_comes_later_is_taken_along_where_the_plan_lets_it(centre):
    await centre.make()
    known = centre.runner.open[ID].rollout
    known.head = msgspec.structs.replace(known.head, is_whole=True)
    known.plan = msgspec.structs.replace(known.plan, late_max_pct=20)
    centre.view.add_site("s9", 1)
    row = centre.view.add_node("s9.n1", "s9", "n1")
    row.presence, row.interval_ms, row.software = "online", 1_000, {"app/pump": Running(*OLD)}

    async def select(_text):
        return [*SITES, "s9"]

    centre.runner.releases.late.select = select
    centre.runner.releases.late._looked_ms -= 60_000
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.until(R.COMPLETED)
    assert (await centre.stored())["s9"].state is J.SUCCEEDED


async def test_a_site_that_another_rollout_has_joins_none_of_its_component(centre):
    await centre.make(names=SITES[:4])
    await centre.make(names=SITES[4:], id_="a" * 32)
    known = centre.runner.open[ID].rollout
    known.head = msgspec.structs.replace(known.head, is_whole=True)
    known.plan = msgspec.structs.replace(known.plan, late_max_pct=100)

    async def select(_text):
        return SITES

    centre.runner.releases.late.select = select
    centre.runner.releases.late._looked_ms -= 60_000
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    assert known.jobs.keys() == {*SITES[:4]}


async def test_a_rollout_that_nobody_knows_is_not_found(centre):
    with pytest.raises(NotFoundError):
        await centre.runner.acts.change("0" * 32, Rollout.start, act("rollout.start"))


async def test_the_fleet_is_told_what_its_sites_are_to_run_and_after_a_restart_too(centre):
    await centre.make()
    rows = [centre.view.sites[site] for site in SITES]
    assert not any(row.wanted for row in rows)
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    assert [row.wanted for row in rows] == [{"app/pump": Running(*NEW)}] * 6
    await centre.until(R.COMPLETED)
    for row in rows:
        row.wanted = {}
    await centre.begin()
    assert [row.wanted for row in rows] == [{"app/pump": Running(*NEW)}] * 6


async def test_a_site_that_was_removed_is_let_go_whatever_it_had_come_to(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    for site in ("s0", "s5"):  # one was offered it, one waits
        await centre.runner.forget(site)
    stored = await centre.stored()
    assert {stored[site].state for site in ("s0", "s5")} == {J.CANCELED}
    assert all(stored[site].is_gone for site in ("s0", "s5"))
    await centre.until(R.COMPLETED)
    assert {name for name, row in centre.view.sites.items() if row.wanted} == set(SITES[1:5])
    await centre.runner.forget("s1")
    centre.runner._open.tell()
    assert centre.view.sites["s1"].wanted == {}


async def test_a_site_that_is_registered_anew_gets_no_target_of_the_one_before(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.until(R.COMPLETED)
    centre.clock.ahead_ms += 1_000
    await centre.register("s0", "s5")  # while the centre was down: nobody told the runner
    await centre.begin()
    assert {name for name, row in centre.view.sites.items() if row.wanted} == {
        "s1",
        "s2",
        "s3",
        "s4",
    }


async def test_a_site_that_is_registered_anew_is_not_sent_back_by_an_open_rollout(centre):
    await centre.make()
    await centre.runner.acts.change(ID, Rollout.start, act("rollout.start"))
    await centre.turn()
    centre.answer()
    for _ in range(60):
        await centre.turn()
    assert (await centre.stored())["s0"].touched
    centre.clock.ahead_ms += 1_000
    await centre.register("s0")
    await centre.begin()
    await centre.runner.acts.change(
        ID, lambda rollout, now_ms: rollout.roll_back("no", now_ms), act("rollout.roll-back")
    )
    await centre.turn()
    assert {node for node, _ in centre.offers} == {"s1.n1"}
