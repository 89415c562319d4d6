"""The parts of a centre that roll out profiles, over a database, and nodes that do as told."""

from dataclasses import replace

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.delivery.runner import DeliveryRunner
from roost_central.fleet.view import FleetView, SettingsWord
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.profiles.change import Wanted
from roost_central.profiles.desk import Approval, ProfileDesk
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head, WaveHead, begun
from roost_central.rollout.plan import waves_of
from roost_central.rollout.plan_file import plan_digest, read_plan
from roost_central.rollout.runner import RolloutRunner
from roost_central.rollout.settings_carrier import SettingsCarrier
from roost_central.rollout.settings_sight import SettingsSight
from roost_central.rollout.sight import job_for
from roost_central.rollout.table import Kind, RolloutState
from roost_central.rollout.waves import cut
from roost_central.storage import orders, rollouts, sites
from roost_central.storage.rollout_changes import ProfileTexts

SITES = [f"s{number}" for number in range(6)]
PLAN = """
name = "swappiness"
profiles = ["f.toml"]
uncovered_ok = true
[wave_defaults]
site_soak_s = 60
soak_s = 60
rate = {base = 6000, max = 6000}
error_abs = 1
[[wave]]
name = "canary"
count = 2
[[wave]]
rest = true
"""


class TurnedClock(SystemClock):
    """A clock that tests set forward."""

    ahead_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms


class ProfileFleet:
    """A centre, and nodes that do as they are told.

    Attributes:
        broken: nodes that undo what they are told.
        refusing: nodes that refuse it.
        mute: nodes that are heard and take no order.
        shut: nodes that keep it until their windows open.
    """

    def __init__(self, database, clock, names=SITES):
        self.database, self.clock = database, clock
        self.view = FleetView()
        for site in names:
            self.view.add_site(site, 1)
            row = self.view.add_node(f"{site}.n1", site, "n1")
            row.presence, row.interval_ms = "online", 1_000
            row.config.applied_digest, row.config.applied_gen = "0" * 16, 0
        self.book = AlarmBook(shipped(), self.view, database, clock)
        self.heard = dict.fromkeys(self.view.nodes, 1)
        self.broken, self.refusing, self.mute, self.shut = set(), set(), set(), set()
        self.kept = {}  # what nodes keep until their windows open

    async def store(self):
        """Write that its sites are there."""
        async with self.database.write() as connection:
            rows = [sites.SiteRecord(site, 1, {}, None, None, 1, 1) for site in self.view.sites]
            await sites.save(connection, rows)

    async def begin(self):
        """Start the centre's parts anew, as after a kill."""
        self.profiles = ProfileDesk(self.database, self.view, self.clock)
        self.deliveries = DeliveryRunner(
            self.database, self.view, self.book, self.clock, SystemEntropy()
        )
        self.deliveries.held, self.deliveries.hears = self.profiles.holding, self.heard.get
        self.profiles.on_changed = self.deliveries.desired_changed
        self.runner = RolloutRunner(
            self.database, self.view, self.book, self.clock, SystemEntropy()
        )
        sight = SettingsSight(self.view, self.runner.sites, self.deliveries, self.profiles.holding)
        self.runner.carriers[Kind.PROFILE] = SettingsCarrier(
            self.database, self.profiles, self.deliveries, sight, self.clock
        )
        await self.runner.load()

    async def deliver(self):
        """Bring nodes what they should be now."""
        with self.view.listen() as changes:
            for node in self.view.nodes:
                self.view.touch_node(node)
            await self.deliveries.turn(changes)
        async with self.database.write() as connection:
            for order in await orders.load_open(connection, limit=99):
                if order.node not in self.mute:
                    await orders.save(connection, self._taken(order))

    def _taken(self, order):
        row, now_ms = self.view.nodes[order.node], self.clock.wall_ms()
        bad = {"rolled-back": self.broken, "refused": self.refusing}
        digest = order.given["digest"]
        is_old = digest[:16] in {"0" * 16, getattr(self, "good", "")}
        for state, some in bad.items():
            if order.node in some and not is_old:
                row.settings = SettingsWord(digest, state, "kernel: no such setting", now_ms)
                return replace(order, state="failed", code="failed", ended_ms=now_ms)
        if order.node in self.shut and not is_old:
            self.kept[order.node] = digest
            return replace(order, state="done", code="window", text="it is shut", ended_ms=now_ms)
        self.kept.pop(order.node, None)  # a newer document takes its place
        row.config.applied_digest = digest[:16]
        row.config.applied_gen = int(order.given["desired"])
        return replace(order, state="done", ended_ms=now_ms)

    def open_windows(self):
        """Have nodes apply what they keep."""
        for node, digest in self.kept.items():
            self.view.nodes[node].config.applied_digest = digest[:16]
        self.kept.clear()

    @staticmethod
    def texts(swappiness):
        head = '[profile]\nname = "all"\nfleet = true\n'
        return ProfileTexts(
            (("f.toml", f'{head}[kernel.sysctl]\n"vm.swappiness" = {swappiness}\n'),)
        )

    async def apply(self, swappiness):
        texts = self.texts(swappiness)
        return await self.profiles.apply(
            Wanted(texts.files), lambda _: None, Approval("ann", "why"), lambda _plan: act()
        )

    async def settled_at(self, swappiness):
        """Apply it at once, and have all nodes say it."""
        await self.apply(swappiness)
        for _ in range(4):
            await self.deliver()
        said = {row.config.applied_digest for row in self.view.nodes.values()}
        assert len(said) == 1
        [self.good] = said

    async def make(self, swappiness, plan=PLAN, id_="e" * 32, state=RolloutState.SCHEDULED):
        texts = self.texts(swappiness)
        wanted = Wanted(texts.files, texts.remove)
        draft = await self.profiles.preview(wanted, lambda _: None)
        sight, found = self.runner.carriers[Kind.PROFILE].sites, {}
        for node in draft.nodes:
            found.setdefault(node.partition(".")[0], []).append(node)
        candidates = [
            sight.candidate(site, nodes, "kernel", (), is_exposed=False)
            for site, nodes in found.items()
        ]
        read, now_ms = read_plan(plan.encode()), self.clock.wall_ms()
        by_name = {each.site: each for each in candidates}
        jobs = [
            job_for(by_name[site], wave)
            for wave, sites in enumerate(cut(read, candidates, {}).waves)
            for site in sites
        ]
        head = Head(
            id=id_, kind=Kind.PROFILE, name=read.name, component="profile", version="all",
            profiles=("all",), digest="d" * 64, size=1, plan_digest=plan_digest(plan.encode()),
            by="ann", reason="", made_ms=now_ms, changed_ms=now_ms, sites=len(jobs),
            waves=tuple(WaveHead(each.name) for each in waves_of(read)),
        )  # fmt: skip
        rollout = Rollout(begun(head, state, now_ms), read, jobs, now_ms)
        await self.runner.acts.add(rollout, plan.encode(), act(), texts)
        return id_

    async def started(self, swappiness, **how):
        id_ = await self.make(swappiness, **how)
        await self.runner.acts.start(id_, act())
        return id_

    async def turn(self, seconds=10):
        self.clock.ahead_ms += seconds * 1_000
        await self.deliver()
        await self.look()

    async def look(self):
        """Let rollouts go on by what is seen of nodes."""
        with self.view.listen() as changes:
            for node in self.view.nodes:
                self.view.touch_node(node)
            await self.runner.turn(changes)

    async def until(self, said, turns=120):
        """Let it go until it is so."""
        for _ in range(turns):
            if said():
                return
            await self.turn()
        raise AssertionError(f"not in time: {self.states()}")

    async def until_state(self, id_, *states):
        await self.until(lambda: id_ not in self.runner.open or self.head(id_).state in states)
        head = await self.stored(id_)
        assert head.state in states, (head, self.states())
        return head

    def head(self, id_):
        return self.runner.open[id_].rollout.head

    def states(self):
        return {
            job.site: (str(job.state), job.detail)
            for known in self.runner.open.values()
            for job in known.rollout.jobs.values()
        }

    async def stored(self, id_):
        async with self.database.read() as connection:
            found = await rollouts.find(connection, id_)
        return found[0]

    def new(self):
        """Return the sites that say something else than before."""
        return {
            row.site for row in self.view.nodes.values() if row.config.applied_digest != self.good
        }


def act(word="rollout.create"):
    """Return a row of the audit log."""
    return Act(1, "ann", "admin", word, "x", {})
