"""A fleet of sites in memory that take offers: what a rollout's core is driven by in tests."""

from dataclasses import dataclass, field

from roost_central.rollout.core import Rollout
from roost_central.rollout.head import AlarmSeen, Around, Head, Standing, WaveHead, begun
from roost_central.rollout.job import Job, job_id
from roost_central.rollout.plan import waves_of
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.table import RolloutState
from roost_protocol.severity import Severity
from roost_protocol.update import FailureType, JobReport, NodeSaid, SiteState, WaitReason

OLD, NEW = ("1.0.0", "0" * 64), ("1.1.0", "1" * 64)
BEGAN_MS = 1_760_000_000_000
PLAN = """
name = "pump 1.1.0"
component = "app/pump"
version = "1.1.0"
approvers = 0
[wave_defaults]
site_soak_s = 60
soak_s = 120
rate = {base = 6000, max = 6000}
"""


@dataclass
class Site:
    """One site: how it takes an update, and how it is."""

    name: str
    # or: rolls-back, lies, alarms, bricks, mute, slow, rejects, refuses-cancel, says-not-needed
    how: str = "well"
    runs: tuple[str, str] = OLD
    is_dark: bool = False
    boot: str = "a"
    alarms: list[AlarmSeen] = field(default_factory=list)
    report: JobReport | None = None
    job: str = ""
    attempt: int = 0
    target: tuple[str, str] = OLD
    steps: list[SiteState] = field(default_factory=list)
    seq: int = 0


class SmallFleet:
    """Sites by name, and the rollout over them."""

    def __init__(self, sites=30, plan="", waves=((0, 3), (3, 10), (10, 30)), **how):
        self.sites = {f"s{number:04}": Site(f"s{number:04}") for number in range(sites)}
        for name, word in how.items():
            self.sites[name].how = word
        self.now_ms = BEGAN_MS
        self.around = Around()
        self.offered: list[Job] = []
        names = [*self.sites]
        members = [
            Job(site=name, wave=wave, nodes=(f"{name}.n1",), former=OLD, hw="h", link="")
            for wave, (begin, end) in enumerate(waves)
            for name in names[begin:end]
        ]
        text = (PLAN + plan) if not plan.startswith("name") else plan
        self.plan = read_plan(text.encode())
        names_of = [wave.name for wave in waves_of(self.plan)][: len(waves)]
        names_of += [f"w{index}" for index in range(len(names_of), len(waves))]
        head = Head(
            id="f" * 32, name=self.plan.name, component=self.plan.component,
            version=NEW[0], digest=NEW[1], size=1, plan_digest="0" * 64, by="ann", reason="",
            made_ms=self.now_ms, changed_ms=self.now_ms, sites=len(members),
            waves=tuple(WaveHead(name) for name in names_of),
        )  # fmt: skip
        head = begun(head, RolloutState.SCHEDULED, self.now_ms)
        self.rollout = Rollout(head, self.plan, members, self.now_ms)

    def sight(self, job):
        site = self.sites[job.site]
        is_this = site.report is not None and site.job == job_id(self.rollout.head.id, job)
        return Standing(
            is_dark=site.is_dark,
            runs=(site.runs,),
            boots=(site.boot,),
            alarms=tuple(site.alarms),
            said=((f"{site.name}.n1", site.report),) if is_this else (),
            beat_ms=5_000,
        )

    def turn(self, seconds=2):
        """Let time pass, let sites work, and the rollout see all of them."""
        self.now_ms += seconds * 1_000
        for site in self.sites.values():
            self._work(site)
        for job in self.rollout.turn(self.sites, self.sight, self.around, self.now_ms):
            self.offered.append(job)
            self._take(job)
        for job in self.rollout.cancels:
            self._cancel(self.sites[job.site], job_id(self.rollout.head.id, job))
        self.rollout.cancels.clear()
        self.rollout.check_invariants()

    def run(self, until, turns=2_000, seconds=2):
        for _ in range(turns):
            if until():
                return self
            self.turn(seconds)
        head = self.rollout.head
        raise AssertionError(f"not in time: {head.state} {head.why} wave {head.wave} {head.waves}")

    def until_state(self, *states, **how):
        return self.run(lambda: self.rollout.head.state in states, **how)

    def states(self):
        return {job.site: job.state for job in self.rollout.jobs.values()}

    def _take(self, job):
        site = self.sites[job.site]
        if site.is_dark or site.how == "mute":
            return
        site.job, site.attempt = job_id(self.rollout.head.id, job), job.attempt
        site.target, site.seq = self.rollout.target(job), 0
        if site.how == "rejects":
            site.steps = [SiteState.REJECTED]
            return
        if site.how == "says-not-needed":
            site.steps = [SiteState.NOT_NEEDED]
            return
        site.steps = [
            SiteState.ACCEPTED, SiteState.STAGING, SiteState.STAGED, SiteState.WAITING,
            SiteState.APPLYING, SiteState.COMMITTED,
        ]  # fmt: skip
        if site.how == "rolls-back" and site.target == NEW:
            site.steps[-1] = SiteState.ROLLED_BACK

    def _work(self, site):
        if site.is_dark or not site.steps:
            return
        if site.how == "slow" and site.steps[0] is SiteState.COMMITTED:
            return
        state = site.steps.pop(0)
        site.seq += 1
        failure = FailureType.INSTALL if state is SiteState.ROLLED_BACK else None
        site.report = JobReport(
            v=1, job=site.job, attempt=site.attempt, seq=site.seq, state=state, failure=failure,
            wait=WaitReason.WINDOW if state is SiteState.WAITING else None,
            detail="the unit does not start" if failure else "",
            nodes=[NodeSaid(f"{site.name}.n1", "")],
        )  # fmt: skip
        if state is SiteState.COMMITTED:
            site.boot += "b"
            if site.how != "lies":
                site.runs = site.target
            if site.how == "alarms" and site.target == NEW:
                key = f"200.003|site={site.name}"
                site.alarms.append(AlarmSeen(key, "200.003", Severity.MAJOR))
            if site.how == "bricks":
                site.is_dark = True

    def _cancel(self, site, job):
        if site.job != job:
            return  # it has another one by now
        is_early = site.steps and SiteState.APPLYING in site.steps
        if is_early and not site.is_dark:
            site.steps = [SiteState.CANCELED]
        elif site.steps and not site.is_dark:
            site.steps.insert(0, SiteState.CANCEL_REJECTED)


def running(**how):
    """Return a fleet whose rollout was started."""
    fleet = SmallFleet(**how)
    fleet.rollout.start(fleet.now_ms)
    return fleet
