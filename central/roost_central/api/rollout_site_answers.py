"""The sites of a rollout, and what failed of them, as answers."""

from collections.abc import Iterable
from typing import Final

import msgspec

from roost_central.api.answers import Time
from roost_central.api.instants import instant
from roost_central.rollout.failures import ALREADY_BACK, Group, grouped
from roost_central.rollout.head import Head
from roost_central.rollout.job import Job

SITES_SHOWN_MAX: Final = 20  # of one list in an answer; the jobs are all there, by pages


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

    ``step`` at which and ``code`` why: words of docs/updates.md, empty where they are not said;
    ``nodes``: who said so; ``went_back``: they are back by themselves, and so is the rollout, or it
    goes back.
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


class FailurePage(msgspec.Struct, frozen=True):
    """Failures by type and reason, the largest group first."""

    items: list[FailureGroup]
    next: str | None = None


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
        *(_group(each, each.remedy) for each in grouped(failed)),
        *(_group(each, ALREADY_BACK, went_back=True) for each in grouped(undone)),
    ]
    return FailurePage(groups)


def _group(group: Group, what: str, *, went_back: bool = False) -> FailureGroup:
    return FailureGroup(
        failure=group.failure,
        reason=group.reason,
        count=len(group.sites),
        sites=list(group.sites[:SITES_SHOWN_MAX]),
        remedy=what,
        went_back=went_back,
        step=group.step,
        code=group.code,
        nodes=list(group.nodes[:SITES_SHOWN_MAX]),
    )
