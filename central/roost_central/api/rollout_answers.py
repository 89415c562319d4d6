"""A rollout, its waves, its sites and what a plan would do, as answers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from roost_central.api.answers import Time
from roost_central.api.instants import instant
from roost_central.api.profile_answers import GroupAnswer
from roost_central.rollout.core import Rollout
from roost_central.rollout.dry import Dry
from roost_central.rollout.failures import ALREADY_BACK, by_type, remedy
from roost_central.rollout.gate import rate_per_minute
from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.meant import late_max
from roost_central.rollout.table import Kind, WaveState
from roost_central.rollout.waves import Key
from roost_central.storage.rollouts import ApprovalRecord

SITES_SHOWN_MAX: Final = 20  # of one list in an answer; the jobs are all there, by pages
_MS: Final = 1_000


class RolloutAnswer(msgspec.Struct, frozen=True):
    """A rollout: see docs/rollouts.md for its states; ``wave`` is whose turn it is, from 1.

    ``kind``: ``release`` or ``profile``; of the latter ``version`` is the names of its profiles.
    """

    id: str
    kind: str
    name: str
    component: str
    version: str
    digest: str
    state: str
    pause: str | None
    why: str
    made: Time | None
    changed: Time | None
    by: str
    reason: str
    sites: int
    wave: int
    waves: int
    approvers: int
    rev: int


class WaveAnswer(msgspec.Struct, frozen=True):
    """A wave; ``states``: its sites by state, ``failures``: of those that failed, by type.

    Of a rollout that goes back ``went_back`` sites had gone back by themselves: no failures of it.
    ``soaked_s`` of ``soak_s``; ``rate``: sites a minute that are offered now; ``deadline``: of it.
    """

    wave: int
    name: str
    state: str
    why: str
    since: Time | None
    sites: int
    states: dict[str, int]
    failures: dict[str, int]
    succeeded: int
    failed: int
    in_flight: int
    unreachable: int
    worse: int
    went_back: int
    soaked_s: int
    soak_s: int
    rate: float
    deadline: Time | None


class ApprovalAnswer(msgspec.Struct, frozen=True):
    """Who signed, and when; ``by`` brought it."""

    operator: str
    at: Time | None
    by: str
    digest: str


class RolloutDetail(RolloutAnswer, frozen=True):
    """A rollout with its waves, its approvals and its plan."""

    stages: list[WaveAnswer]
    approvals: list[ApprovalAnswer]
    former: list[str]
    late_max: int
    plan_digest: str
    plan: str


class RolloutPage(msgspec.Struct, frozen=True):
    """The newest rollouts, the newest first."""

    items: list[RolloutAnswer]
    next: str | None = None


class StepAnswer(msgspec.Struct, frozen=True):
    """A state that a site's job had, and since when."""

    state: str
    at: Time | None


class JobAnswer(msgspec.Struct, frozen=True):
    """A site of a rollout; ``former``: the release that it had; ``steps``: the newest states.

    ``is_late``: it joined later, and is in no list that was approved.
    """

    site: str
    wave: int
    state: str
    was: str | None
    since: Time | None
    attempt: int
    failure: str | None
    detail: str
    former: str
    former_digest: str
    is_back: bool
    is_late: bool
    steps: list[StepAnswer]


class JobPage(msgspec.Struct, frozen=True):
    """Sites of a rollout in the order of their names; ``next``: the name to go on after."""

    items: list[JobAnswer]
    next: str | None = None


class FailureGroup(msgspec.Struct, frozen=True):
    """Sites that failed for the same reason, and what to do about it.

    ``went_back``: they are back by themselves, and so is the rollout, or it goes back.
    """

    failure: str
    reason: str
    count: int
    sites: list[str]
    remedy: str
    went_back: bool


class FailurePage(msgspec.Struct, frozen=True):
    """Failures by type and reason, the largest group first."""

    items: list[FailureGroup]
    next: str | None = None


class DryWave(msgspec.Struct, frozen=True):
    """A wave of a plan: at best and with slow sites, in seconds after the start."""

    wave: int
    name: str
    sites: int
    first: list[str]
    begins_s: list[int]
    ends_s: list[int]
    bytes_wan: int
    current: int
    exposed: int
    exposed_first: list[str]
    blockers: dict[str, int]


class KindAnswer(msgspec.Struct, frozen=True):
    """A kind of site: hardware, roles, link and release."""

    hw: str
    roles: str
    link: str
    release: str
    sites: int


class SectionDry(msgspec.Struct, frozen=True):
    """A section of settings that changes: how many settings, and on how many nodes and sites.

    ``mark``: the most that one of them takes; ``affects_service``: one restarts a service, waits
    for a reboot, or touches how a node is reached.
    """

    section: str
    settings: int
    nodes: int
    sites: int
    mark: str
    affects_service: bool


class DryAnswer(msgspec.Struct, frozen=True):
    """What a plan would do; ``refusals``: why it would not be taken.

    Of profiles: ``sections`` that change, ``changes`` with the nodes of each, the largest group
    first, of which ``changes_left`` are not shown, and ``unable``: nodes that take no settings.
    """

    kind: str
    name: str
    component: str
    version: str
    digest: str
    plan_digest: str
    sites: int
    nodes: int
    bytes_wan: int
    approvers: int
    waves: list[DryWave]
    uncovered: list[KindAnswer]
    refusals: list[str]
    sections: list[SectionDry] = []
    changes: list[GroupAnswer] = []
    changes_left: int = 0
    unable: int = 0


def rollout_answer(head: Head) -> RolloutAnswer:
    """Return a rollout in short."""
    return RolloutAnswer(
        id=head.id,
        kind=head.kind,
        name=head.name,
        component=head.component,
        version=head.version,
        digest=head.digest,
        state=head.state,
        pause=head.pause,
        why=head.why,
        made=instant(head.made_ms),
        changed=instant(head.changed_ms),
        by=head.by,
        reason=head.reason,
        sites=head.sites,
        wave=min(head.wave + 1, len(head.waves)),
        waves=len(head.waves),
        approvers=head.approvers,
        rev=head.rev,
    )


def rollout_detail(
    rollout: Rollout, plan: bytes, approvals: Iterable[ApprovalRecord]
) -> RolloutDetail:
    """Return a rollout whole."""
    short = rollout_answer(rollout.head)
    former = sorted({job.former[1] for job in rollout.jobs.values() if job.former[1]})
    if short.kind == Kind.PROFILE:
        former = []  # settings are approved whole, and their former texts were
    return RolloutDetail(
        **{name: getattr(short, name) for name in RolloutAnswer.__struct_fields__},
        stages=[_wave(rollout, index) for index in range(len(rollout.head.waves))],
        approvals=[
            ApprovalAnswer(each.operator, instant(each.at_ms), each.by, each.digest)
            for each in approvals
        ],
        former=former[:SITES_SHOWN_MAX],
        late_max=late_max(rollout.head, rollout.plan),
        plan_digest=rollout.head.plan_digest,
        plan=plan.decode(),
    )


def job_answer(job: Job) -> JobAnswer:
    """Return a site of a rollout."""
    return JobAnswer(
        site=job.site,
        wave=job.wave + 1,
        state=job.state,
        was=job.was,
        since=instant(job.since_ms) if job.since_ms else None,
        attempt=job.attempt,
        failure=job.failure,
        detail=job.detail,
        former=job.former[0],
        former_digest=job.former[1],
        is_back=job.is_back,
        is_late=job.is_late,
        steps=[StepAnswer(state, instant(at_ms)) for at_ms, state in job.trail],
    )


def failure_page(head: Head, jobs: Iterable[Job]) -> FailurePage:
    """Return failures, grouped; of a rollout that goes back, who is back by itself comes last."""
    failed: list[Job] = []
    undone: list[Job] = []
    for job in jobs:
        (undone if head.is_back and job.is_undone else failed).append(job)
    groups = [
        _group(failure, reason, sites, remedy(failure, reason))
        for (failure, reason), sites in by_type(failed).items()
    ]
    groups += [
        _group(failure, reason, sites, ALREADY_BACK, went_back=True)
        for (failure, reason), sites in by_type(undone).items()
    ]
    return FailurePage(groups)


def _group(
    failure: str, reason: str, sites: list[str], what: str, *, went_back: bool = False
) -> FailureGroup:
    shown = sorted(sites)[:SITES_SHOWN_MAX]
    return FailureGroup(failure, reason, len(sites), shown, what, went_back)


def dry_waves(dry: Dry) -> list[DryWave]:
    """Return the waves of a plan."""
    return [
        DryWave(
            wave=index + 1,
            name=wave.name,
            sites=len(wave.sites),
            first=list(wave.sites[:SITES_SHOWN_MAX]),
            begins_s=_seconds(wave.begins_ms),
            ends_s=_seconds(wave.ends_ms),
            bytes_wan=wave.bytes_wan,
            current=wave.current,
            exposed=len(wave.exposed),
            exposed_first=list(wave.exposed[:SITES_SHOWN_MAX]),
            blockers={why: len(sites) for why, sites in wave.blockers.items()},
        )
        for index, wave in enumerate(dry.waves)
    ]


def kinds(uncovered: Iterable[tuple[Key, int]]) -> list[KindAnswer]:
    """Return kinds of sites."""
    return [
        KindAnswer(hw, roles, link, release, sites)
        for (hw, roles, link, release), sites in uncovered
    ]


def _seconds(times_ms: Sequence[int]) -> list[int]:
    return [each // _MS for each in times_ms]


def _wave(rollout: Rollout, index: int) -> WaveAnswer:
    wave, tally, rules = rollout.head.waves[index], rollout.tally(index), rollout.rules(index)
    undone = tally.undone if rollout.head.is_back else Counter()
    is_open = wave.state in {WaveState.RELEASING, WaveState.RUNNING, WaveState.SOAKING}
    return WaveAnswer(
        wave=index + 1,
        name=wave.name,
        state=wave.state,
        why=wave.why,
        since=instant(wave.released_ms) if wave.released_ms else None,
        sites=tally.size,
        states=_counts(tally.states),
        failures=_counts(tally.failures - undone),
        succeeded=tally.succeeded,
        failed=tally.failed(rules, is_back=rollout.head.is_back),
        in_flight=tally.in_flight,
        unreachable=tally.silent,
        worse=tally.worse,
        went_back=undone.total(),
        soaked_s=wave.soaked_ms // _MS,
        soak_s=rules.soak_ms // _MS,
        rate=round(rate_per_minute(rules, tally.succeeded), 1) if is_open else 0.0,
        deadline=instant(rollout.deadline_ms(index)) if is_open else None,
    )


def _counts(counted: Mapping[Any, int]) -> dict[str, int]:
    return {str(key): count for key, count in counted.items() if count}
