"""Which settings the nodes of a rollout's site are to have: by where its job stands. Pure.

A profile counts for the whole fleet from the rollout's start; the sites whose turn has not come
keep what they had. Invariant: a site has the new settings from its offer on, and those that it had
before from the offer of its way back on; what failed is frozen, so that nothing is tried again, or
on further nodes of the site, before another attempt is due.
"""

from enum import StrEnum

from roost_central.rollout.job import Job
from roost_central.rollout.table import JOB_ENDS, JOB_FAILURES, JobState

J = JobState


class Having(StrEnum):
    """What the nodes of a site are to have."""

    FORMER = "former"
    NEW = "new"
    FROZEN = "frozen"  # who says the new ones keeps them, the others keep the former


def having(job: Job) -> Having:
    """Return what the nodes of a job are to have now."""
    is_waiting = job.state in {J.QUEUED, J.REJECTED} or (
        job.state is J.UNREACHABLE and job.was in {None, J.QUEUED}
    )
    if job.is_back:
        return Having.FROZEN if is_waiting else Having.FORMER
    if job.state in {J.SUCCEEDED, J.NOT_NEEDED}:
        return Having.NEW
    if is_waiting or job.state in JOB_ENDS:
        is_begun = job.touched or job.state in JOB_FAILURES
        return Having.FROZEN if is_begun else Having.FORMER
    return Having.NEW
