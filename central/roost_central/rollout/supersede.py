"""A newer rollout of the same component takes sites over from an older one. Pure.

What waits for its turn, or is not installed yet, is superseded at once: typed, and counted apart
from failures. What a site is in the middle of it finishes; after that it gets no other attempt, and
no way back: the newer rollout's word is the site's (updates.md section 4).
"""

from collections.abc import Collection
from typing import Final

import msgspec

from roost_central.rollout.course import Course
from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.table import UNTOUCHED, JobState, Kind, RolloutState, Who

J = JobState

TAKING: Final = frozenset({RolloutState.RUNNING, RolloutState.PAUSED})


def is_newer(one: Head, other: Head) -> bool:
    """Say whether a rollout takes sites over from another: it has begun, and was made later."""
    if one.kind is Kind.PROFILE or other.kind is Kind.PROFILE:
        return False  # another change of the same profiles is refused meanwhile
    if one.component != other.component or one.state not in TAKING:
        return False
    return (one.made_ms, one.id) > (other.made_ms, other.id)


def supersede(course: Course, sites: Collection[str], by: str, now_ms: int) -> None:
    """Give sites up to a newer rollout.

    Args:
        course: of the older one.
        sites: of the newer one.
        by: its id.
        now_ms: UTC.
    """
    taken = 0
    for job in [each for name, each in course.jobs.items() if name in sites]:
        if job.is_let_go:
            continue
        marked = msgspec.structs.replace(job, superseded=by)
        is_waiting = job.was in {None, *UNTOUCHED} if job.state is J.UNREACHABLE else (
            job.state in {J.REJECTED, *UNTOUCHED}
        )  # fmt: skip
        if not is_waiting:
            due_ms = 0 if job.is_ended else job.due_ms  # of another attempt
            course.put(msgspec.structs.replace(marked, due_ms=due_ms))
            continue
        taken += 1
        if _is_offered(job):
            course.cancels.append(job)
        told = {"was": None, "dark_ms": 0, "detail": f"rollout {by} is newer"}
        course.put(marked.to(J.SUPERSEDED, Who.CENTRAL, now_ms, **told))
    if taken:
        course.news.append(f"{taken} sites are superseded by rollout {by}")


def _is_offered(job: Job) -> bool:
    if job.nodes_at_work:
        return True
    waiting = {None, J.QUEUED} if job.state is J.UNREACHABLE else {J.QUEUED, J.REJECTED}
    return (job.was if job.state is J.UNREACHABLE else job.state) not in waiting
