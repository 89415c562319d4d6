"""The sites of a rollout, and what failed of them, as answers."""

from collections.abc import Iterable
from typing import Final

import msgspec

from roost_central.api.answers import Time
from roost_central.api.instants import instant
from roost_central.rollout.core import Rollout
from roost_central.rollout.failures import (
    ALREADY_BACK,
    NEVER_HAD,
    Group,
    grouped,
    shown_detail,
    shown_step,
)
from roost_central.rollout.job import Job, left_s

SITES_SHOWN_MAX: Final = 20  # of one list in an answer; the jobs are all there, by pages


class StepAnswer(msgspec.Struct, frozen=True):
    """A state that a site's job had, and since when."""

    state: str
    at: Time | None


class JobAnswer(msgspec.Struct, frozen=True):
    """A site of a rollout; ``former``: the release that it had; ``steps``: the newest states.

    ``left_s``: until it moves by itself, of what is measured, soaks, or is tried again.
    ``never_had``: it failed before anything was installed on it.
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
    left_s: int | None
    former: str
    former_digest: str
    is_back: bool
    never_had: bool
    is_late: bool
    steps: list[StepAnswer]


class JobPage(msgspec.Struct, frozen=True):
    """Sites of a rollout in the order of their names; ``next``: the name to go on after."""

    items: list[JobAnswer]
    next: str | None = None


class FailureGroup(msgspec.Struct, frozen=True):
    """Sites that failed for the same reason, and what to do about it.

    ``step`` at which and ``code`` why: words of docs/updates.md, empty where they are not said;
    ``nodes``: who said so; ``went_back``: they are back by themselves, and so is the rollout, or it
    goes back; ``never_had``: they failed before they had what it takes back.
    """

    failure: str
    reason: str
    count: int
    sites: list[str]
    remedy: str
    went_back: bool
    step: str = ""
    code: str = ""
    nodes: list[str] = []
    never_had: bool = False


class FailurePage(msgspec.Struct, frozen=True):
    """Failures by type and reason, the largest group first."""

    items: list[FailureGroup]
    next: str | None = None


def job_answer(rollout: Rollout, job: Job, now_ms: int) -> JobAnswer:
    """Return a site of a rollout."""
    return JobAnswer(
        site=job.site,
        wave=job.wave + 1,
        state=job.state,
        was=job.was,
        since=instant(job.since_ms) if job.since_ms else None,
        attempt=job.attempt,
        failure=job.failure,
        detail=shown_detail(job.detail, is_booted=rollout.plan.reboot),
        left_s=left_s(job, now_ms),
        former=job.former[0],
        former_digest=job.former[1],
        is_back=job.is_back,
        never_had=job.is_spared,
        is_late=job.is_late,
        steps=[StepAnswer(state, instant(at_ms)) for at_ms, state in job.trail],
    )


def failure_page(rollout: Rollout, jobs: Iterable[Job]) -> FailurePage:
    """Return failures, grouped; of a rollout that goes back, who has what it had comes last."""
    head, is_booted = rollout.head, rollout.plan.reboot
    failed: list[Job] = []
    undone: list[Job] = []
    spared: list[Job] = []
    for job in jobs:
        is_undone, is_spared = head.is_back and job.is_undone, head.is_back and job.is_spared
        (undone if is_undone else spared if is_spared else failed).append(job)
    groups = [
        *(_group(each, each.remedy) for each in grouped(failed)),
        *(_group(each, ALREADY_BACK, went_back=True) for each in grouped(undone)),
        *(_group(each, NEVER_HAD, never_had=True) for each in grouped(spared)),
    ]
    shown = [
        msgspec.structs.replace(each, step=shown_step(each.step, is_booted=is_booted))
        for each in groups
    ]
    return FailurePage(shown)


def _group(
    group: Group, what: str, *, went_back: bool = False, never_had: bool = False
) -> FailureGroup:
    return FailureGroup(
        failure=group.failure,
        reason=group.reason,
        count=len(group.sites),
        sites=list(group.sites[:SITES_SHOWN_MAX]),
        remedy=what,
        went_back=went_back,
        never_had=never_had,
        step=group.step,
        code=group.code,
        nodes=list(group.nodes[:SITES_SHOWN_MAX]),
    )
