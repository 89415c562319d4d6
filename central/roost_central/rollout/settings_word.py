"""What the nodes of a site say of new settings, put as the site's word on its job. Pure.

Leaves to others: what is told to nodes and when (delivery/), and what a word moves (site.py).

Invariant: what a node said of an earlier attempt, or of other settings, is not heard.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roost_protocol.codec import VERSION
from roost_protocol.update import FailureType, JobReport, NodeSaid, SiteState, WaitReason


class Step(StrEnum):
    """How far one node is."""

    IDLE = "idle"  # it was told nothing since the offer
    WAITING = "waiting"  # for its window
    TOLD = "told"
    REFUSED = "refused"  # it is as it was
    UNDONE = "undone"  # it was tried, and did not stay
    THERE = "there"  # by its own beats


@dataclass(frozen=True, slots=True)
class NodeWord:
    """One node of a job.

    Attributes:
        why: of refused and undone, a sentence.
        at_ms: when it said so, or was told, UTC.
    """

    node: str
    step: Step
    why: str = ""
    at_ms: int = 0


# The later word of two at one moment is the one that a node comes to later.
_RANK: Final = {
    SiteState.WAITING: 1, SiteState.APPLYING: 2, SiteState.CANCELED: 3, SiteState.ROLLED_BACK: 4,
    SiteState.FAILED: 4, SiteState.COMMITTED: 5,
}  # fmt: skip
_RANKS: Final = 8
_BAD: Final = frozenset({Step.REFUSED, Step.UNDONE})


def report_of(
    job: str, attempt: int, words: Sequence[NodeWord], *, offered_ms: int, is_canceling: bool
) -> JobReport | None:
    """Return a site's word; None: it has said nothing of this attempt yet.

    Args:
        job: its name on the wire.
        attempt: of it.
        words: of its nodes that are waited for.
        offered_ms: when it was offered, UTC.
        is_canceling: it is asked to give up what no node has begun.
    """
    state, failure, detail = _state(words, is_canceling=is_canceling)
    if state is None:
        return None
    at_ms = max([offered_ms, *(each.at_ms for each in words)])
    return JobReport(
        v=VERSION,
        job=job,
        attempt=attempt,
        seq=at_ms * _RANKS + _RANK[state],
        state=state,
        failure=failure,
        wait=WaitReason.WINDOW if state is SiteState.WAITING else None,
        detail=detail,
        nodes=[NodeSaid(each.node, each.step) for each in words],
    )


def _state(
    words: Sequence[NodeWord], *, is_canceling: bool
) -> tuple[SiteState | None, FailureType | None, str]:
    steps = {each.step for each in words}
    bad = next((each for each in words if each.step in _BAD), None)
    if bad is not None:
        return (*_failed(steps), f"{bad.node}: {bad.why}")
    if steps & {Step.THERE, Step.TOLD}:
        state = SiteState.COMMITTED if steps == {Step.THERE} else SiteState.APPLYING
        return state, None, ""
    if is_canceling:
        return SiteState.CANCELED, None, ""
    waits = next((each for each in words if each.step is Step.WAITING), None)
    return (None, None, "") if waits is None else (SiteState.WAITING, None, waits.why)


def _failed(steps: Collection[Step]) -> tuple[SiteState, FailureType]:
    if {*steps} & {Step.THERE, Step.TOLD}:  # its nodes are not all as they were
        return SiteState.FAILED, FailureType.INSTALL
    if Step.UNDONE in steps:
        return SiteState.ROLLED_BACK, FailureType.INSTALL
    return SiteState.FAILED, FailureType.PRECHECK
