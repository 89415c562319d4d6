"""The failed sites of a rollout, grouped for who reads them, and what helps. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState
from roost_protocol.update import FailureType

REMEDIES: Final[Mapping[FailureType, str]] = {
    FailureType.DOWNLOAD: "look at the site's WAN and its budget of bytes, then retry",
    FailureType.VERIFY: "look at what is signed (roost release show) and at the node's word "
    "(roost-agent update history); a retry helps once that is mended",
    FailureType.PRECHECK: "make room, or take out of the plan what it is not for, then retry",
    FailureType.INSTALL: "read the installer's words on a node (roost-agent update history); "
    "the old release runs there",
    FailureType.BOOT: "a node did not come back with it: look at its console or board controller",
    FailureType.HEALTH: "it does harm: look at a site's alarms (roost alarm list), "
    "then roll back, unless that is done",
    FailureType.OPERATOR: "somebody refused it or took it back: ask why, then retry",
    FailureType.TIMEOUT: "it took too long: look at where a site stands (roost rollout jobs), "
    "then retry",
}  # fmt: skip

FORMER_UNKNOWN: Final = "the release that it had is not known"  # a job of the way back says it
NO_WAY_BACK: Final = "it stays on this release: send it another one by a rollout of its own"

ALREADY_BACK: Final = "it runs what it had before: nothing is to be done, unless to find the cause"


def remedy(failure: str, reason: str = "") -> str:
    """Return what to do about failures of a type, or of a reason that is no fault of a site's."""
    return NO_WAY_BACK if reason == FORMER_UNKNOWN else REMEDIES[FailureType(failure)]


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
