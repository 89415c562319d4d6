"""The failed sites of a rollout, grouped for who reads them. Pure."""

import re
from collections.abc import Iterable, Mapping

from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState
from roost_protocol.update import FailureType


def by_type(jobs: Iterable[Job]) -> Mapping[tuple[str, str], list[str]]:
    """Return failed sites grouped by type and reason, the largest group first."""
    found: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        failure = FailureType.HEALTH if job.state is JobState.SUCCEEDED else job.failure
        key = (str(failure or FailureType.TIMEOUT), reason_of(job))
        found.setdefault(key, []).append(job.site)
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def reason_of(job: Job) -> str:
    """Return why a job failed, without what differs from site to site."""
    name = rf"(?<![\w-]){re.escape(job.site)}(?![\w-])"  # and not within another word
    words = re.sub(name, "SITE", job.detail.partition(" (")[0])
    return words[:200] or str(job.state)
