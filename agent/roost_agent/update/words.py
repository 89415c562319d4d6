"""What a node tells of its update: the report for the centre, a sentence for people. Pure."""

from typing import Final

from roost_agent.update.core import Node
from roost_agent.update.installed import Installed
from roost_agent.update.site_job import Phase, Verdict
from roost_agent.update.step import Step
from roost_protocol.codec import VERSION
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX
from roost_protocol.update import (
    JobReport,
    NodeSaid,
    Offer,
    Running,
    SiteState,
    SoftwareReport,
)

ENDS: Final = {
    "succeeded": SiteState.COMMITTED,
    "rolled_back": SiteState.ROLLED_BACK,
    "failed": SiteState.FAILED,
    "canceled": SiteState.CANCELED,
}
_STAGING: Final = frozenset({Step.DOWNLOAD, Step.VERIFY})


def said(node: str, job: Node, receipt: str) -> NodeSaid:
    """Return what a node says of itself."""
    state = job.state
    step = job.outcome or str(state.step)
    return NodeSaid(node, step, state.failure, cut(state.detail), receipt)


def report(
    offer: Offer, job: Node, nodes: list[NodeSaid], verdict: Verdict | None, seq: int
) -> JobReport:
    """Return where a job is.

    Args:
        offer: of it.
        job: on this node.
        nodes: what each node says.
        verdict: of the site, where it was asked.
        seq: greater than that of any report of this attempt before.
    """
    state = site_state(job, verdict)
    waits = state is SiteState.WAITING and verdict is not None
    is_asked = verdict is not None and job.state.step is Step.STAGED
    sentence = job.state.detail or (verdict.sentence if verdict is not None and is_asked else "")
    return JobReport(
        v=VERSION, job=offer.job, attempt=offer.attempt, seq=seq, state=state,
        failure=job.state.failure,
        wait=verdict.why if verdict is not None and waits else None,
        detail=cut(sentence), nodes=nodes,
    )  # fmt: skip


def site_state(job: Node, verdict: Verdict | None) -> SiteState:
    """Return where a job is, in the words of a site."""
    if job.is_ended:
        return ENDS[job.outcome]
    step = job.state.step
    if step is Step.PRECHECK:
        return SiteState.ACCEPTED
    if step in _STAGING:
        return SiteState.STAGING
    if step is Step.STAGED:
        is_held = verdict is not None and verdict.phase is Phase.WAITING and verdict.why is not None
        return SiteState.WAITING if is_held else SiteState.STAGED
    return SiteState.APPLYING


def software(measured: dict[str, dict[str, str]]) -> SoftwareReport:
    """Return what a node runs; what cannot be told is left out.

    Args:
        measured: ``version`` and ``digest`` by component (install/measure.py).
    """
    components = {
        name: Running(found["version"], found["digest"])
        for name, found in measured.items()
        if found.get("version") and found.get("digest")
    }
    return SoftwareReport(v=VERSION, components=components)


def release_of(offer: Offer) -> str:
    """Return a release in words."""
    return f"{offer.component} {offer.version}"


def is_running(offer: Offer, installed: Installed) -> bool:
    """Say whether what is offered runs already, committed."""
    here = installed.component(offer.component)
    is_same = here.running is not None and here.running.digest == offer.digest
    return is_same and here.trial is None


def cut(text: str) -> str:
    """Return a sentence within its bound."""
    return text.encode()[:ALARM_TEXT_BYTES_MAX].decode(errors="ignore")
