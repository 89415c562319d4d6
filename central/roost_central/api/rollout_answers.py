"""A rollout and its waves, as answers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from roost_central.api.answers import Time
from roost_central.api.instants import instant
from roost_central.rollout.core import Rollout
from roost_central.rollout.counts import Counts
from roost_central.rollout.gate import rate_per_minute
from roost_central.rollout.head import Head
from roost_central.rollout.job import left_s
from roost_central.rollout.meant import late_max
from roost_central.rollout.offering import capped
from roost_central.rollout.table import JobState, Kind, RolloutState, WaveState
from roost_central.storage.rollouts import ApprovalRecord

FORMER_SHOWN_MAX: Final = 20  # releases that sites had; the jobs have all of them
_MS: Final = 1_000
_OPEN: Final = frozenset({WaveState.RELEASING, WaveState.RUNNING, WaveState.SOAKING})
_WATCHED: Final = (JobState.VERIFYING, JobState.SOAKING)
_GIVEN_UP: Final = frozenset({RolloutState.ABORTING, RolloutState.ABORTED})


class RolloutAnswer(msgspec.Struct, frozen=True):
    """A rollout: see docs/rollouts.md for its states; ``wave`` is whose turn it is, from 1.

    ``counts`` of its ``sites``; null: it ended before they were kept.
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
    counts: Counts | None
    wave: int
    waves: int
    approvers: int
    rev: int


class WaveAnswer(msgspec.Struct, frozen=True):
    """A wave; ``states``: its sites by state, ``failures``: of those that failed, by type.

    Of a rollout that goes back ``went_back`` sites had gone back by themselves and ``never_had``
    failed before they had the release: no failures of it.
    ``left_s``: until the next of its sites that are measured or soak is through, at the latest.
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
    never_had: int
    left_s: int | None
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


def rollout_answer(head: Head, counts: Counts | None) -> RolloutAnswer:
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
        counts=counts,
        wave=min(head.wave + 1, len(head.waves)),
        waves=len(head.waves),
        approvers=head.approvers,
        rev=head.rev,
    )


def rollout_detail(
    rollout: Rollout, plan: bytes, approvals: Iterable[ApprovalRecord], now_ms: int
) -> RolloutDetail:
    """Return a rollout whole."""
    short = rollout_answer(rollout.head, rollout.counts())
    former = sorted({job.former[1] for job in rollout.jobs.values() if job.former[1]})
    if short.kind == Kind.PROFILE:
        former = []  # settings are approved whole, and their former texts were
    return RolloutDetail(
        **{name: getattr(short, name) for name in RolloutAnswer.__struct_fields__},
        stages=[_wave(rollout, index, now_ms) for index in range(len(rollout.head.waves))],
        approvals=[
            ApprovalAnswer(each.operator, instant(each.at_ms), each.by, each.digest)
            for each in approvals
        ],
        former=former[:FORMER_SHOWN_MAX],
        late_max=late_max(rollout.head, rollout.plan),
        plan_digest=rollout.head.plan_digest,
        plan=plan.decode(),
    )


def _wave(rollout: Rollout, index: int, now_ms: int) -> WaveAnswer:
    wave, tally, rules = rollout.head.waves[index], rollout.tally(index), rollout.rules(index)
    head = rollout.head
    undone, spared = (tally.undone, tally.spared) if head.is_back else (Counter(), Counter())
    is_open = wave.state in _OPEN
    return WaveAnswer(
        wave=index + 1,
        name=wave.name,
        state=wave.state,
        why=wave.why or _why(rollout, index),
        since=instant(wave.released_ms) if wave.released_ms else None,
        sites=tally.size,
        states=_counts(tally.states),
        failures=_counts(tally.failing(is_back=head.is_back)),
        succeeded=tally.succeeded,
        failed=tally.failed(rules, is_back=head.is_back),
        in_flight=tally.in_flight,
        unreachable=tally.silent,
        worse=tally.worse,
        went_back=undone.total(),
        never_had=spared.total(),
        left_s=_left_s(rollout, index, now_ms) if is_open else None,
        soaked_s=wave.soaked_ms // _MS,
        soak_s=rules.soak_ms // _MS,
        rate=round(rate_per_minute(rules, tally.succeeded), 1) if is_open else 0.0,
        deadline=instant(rollout.deadline_ms(index)) if is_open else None,
    )


def _left_s(rollout: Rollout, index: int, now_ms: int) -> int | None:
    """Return when the next of a wave's sites that have the update is due; None: none is."""
    if not any(rollout.tally(index).states[state] for state in _WATCHED):
        return None
    jobs = (job for job in rollout.jobs.values() if job.wave == index and job.state in _WATCHED)
    return min((due for job in jobs if (due := left_s(job, now_ms)) is not None), default=None)


def _why(rollout: Rollout, index: int) -> str:
    """Return why a wave does not come along; empty: it does."""
    if rollout.head.state in _GIVEN_UP and rollout.head.waves[index].state in _OPEN:
        return "its rollout was aborted: who has the release keeps it"
    return capped(rollout, index)


def _counts(counted: Mapping[Any, int]) -> dict[str, int]:
    return {str(key): count for key, count in counted.items() if count}
