"""The failed sites of a rollout, grouped for who reads them, and what helps. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState
from roost_protocol import remedy
from roost_protocol.update import FailureType

FORMER_UNKNOWN: Final = "the release that it had is not known"  # a job of the way back says it
NO_WAY_BACK: Final = "it stays on this release: send it another one by a rollout of its own"
ALREADY_BACK: Final = "it runs what it had before: nothing is to be done, unless to find the cause"
MEASURE: Final = "measure"  # what verify_reboot is where nothing boots (docs/updates.md)
NEVER_HAD: Final = "it never had the release: nothing is to be done, unless to find the cause"
REASON_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Group:
    """Sites that failed for one reason.

    Attributes:
        failure: of which type.
        step: at which, in the words of docs/updates.md; empty: not said.
        code: why, a word of roost_protocol.remedy; empty: only the sentence says.
        reason: a sentence without what differs from site to site.
        sites, nodes: that failed; the nodes are those that said why.
        remedy: what to do about it.
    """

    failure: str
    step: str
    code: str
    reason: str
    sites: Sequence[str]
    nodes: Sequence[str]
    remedy: str


def grouped(jobs: Iterable[Job]) -> list[Group]:
    """Return failed sites grouped by type, step, code and sentence, the largest group first."""
    found: dict[tuple[str, str, str, str], list[Job]] = {}
    for job in jobs:
        told = remedy.taken_apart(job.detail)
        key = (str(type_of(job)), told.step, str(told.code or ""), reason_of(job))
        found.setdefault(key, []).append(job)
    groups = [_group(key, some) for key, some in found.items()]
    return sorted(groups, key=lambda one: (-len(one.sites), one.failure, one.reason))


def type_of(job: Job) -> FailureType:
    """Return of which type a failure is: one that has it and is worse since is of health."""
    failure = FailureType.HEALTH if job.state is JobState.SUCCEEDED else job.failure
    return failure or FailureType.TIMEOUT


def reason_of(job: Job) -> str:
    """Return why a job failed, without what differs from site to site."""
    words = remedy.taken_apart(job.detail).text.partition(" (")[0]
    for node in job.nodes:
        words = _without(words, node, "NODE")
    return _without(words, job.site, "SITE")[:REASON_CHARS_MAX] or str(job.state)


def shown_step(step: str, *, is_booted: bool) -> str:
    """Return the step of a failure as people read it: without a boot there was none to verify."""
    return MEASURE if step == "verify_reboot" and not is_booted else step


def shown_detail(detail: str, *, is_booted: bool) -> str:
    """Return why a job failed, with its step as people read it."""
    step = remedy.taken_apart(detail).step
    return detail.replace(step, shown_step(step, is_booted=is_booted), 1) if step else detail


def _without(words: str, name: str, instead: str) -> str:
    """Return a sentence without a name; where it stands within another word it is none."""
    return re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", instead, words)


def _group(key: tuple[str, str, str, str], some: Sequence[Job]) -> Group:
    failure, step, code, reason = key
    nodes = sorted({told for job in some if (told := remedy.taken_apart(job.detail).node)})
    what = remedy.remedy(FailureType(failure), some[0].detail)
    if reason == FORMER_UNKNOWN:
        what = NO_WAY_BACK
    sites = sorted(job.site for job in some)
    return Group(failure, step, code, reason, sites, nodes, what)
