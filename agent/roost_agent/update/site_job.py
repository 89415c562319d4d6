"""One job on the nodes of one site: who may go down now. Pure, and without a memory.

The journals of the nodes are the state: whoever holds the site's lease asks all of them for their
heads, and this derives where the job is and whom it may let go on. Another coordinator that sees
the same derives the same. Invariants, whatever an order says:

- nobody is let down while the membership is in doubt, without a quorum, or while another node of
  the site is out; who is out already may have its turn alone;
- nor while nobody could take over what runs, or a pair without a witness is not well; what a part
  of the job has brought about is waited for SYNC_MS_MAX, then the rest is given up;
- never the last that could be active: a lease holder goes when its successor is committed on the
  new release and has beaten cleanly; the coordinator goes last;
- one voter at a time, and of storage nodes none that may hold a copy of what another one holds;
- whom a window of its own keeps is passed over, but never by another role or the coordinator;
- one node that could not go back, or that failed, ends the letting down.

Leaves to others: what is seen of the site (site_members.py), the wire, the lease, `MayGoDown` of
local HA, which is asked anew before a drain and before a reboot by the node itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roost_agent.update.site_blocks import blocked, out_already, overdue, shut_out, unfit
from roost_agent.update.site_group import beside, lonely
from roost_agent.update.site_standing import (
    CLEAN_BEATS,
    Job,
    Member,
    Site,
    is_begun,
    is_busy,
    is_of,
    is_shut,
)
from roost_agent.update.step import HARMLESS, Step
from roost_protocol.update import WaitReason

ANSWERS_MS: Final = 900_000  # without the heads of all of the job no lock is given before


class Phase(StrEnum):
    """Where the site's job is."""

    STAGING = "staging"
    WAITING = "waiting"
    APPLYING = "applying"
    SUCCEEDED = "succeeded"  # of all nodes; the centre measures before it calls it that
    ROLLED_BACK = "rolled_back"
    CANCELED = "canceled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the job is.

    Attributes:
        go: who may go on now; each is told until its journal says that it did.
        back: who must go back: another node could not go on, or a standby never came back.
        why: what is waited for, with a sentence.
    """

    phase: Phase
    go: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    why: WaitReason | None = None
    sentence: str = ""


def decide(job: Job, site: Site, now_ms: int) -> Verdict:
    """Return where a job is and who may go on.

    Args:
        job: what was asked.
        site: as it is now.
        now_ms: CLOCK_BOOTTIME of the coordinator.
    """
    mine = [each for each in site.members if is_of(job, each)]
    ended = _ended(mine)
    if ended is not None:
        return ended
    unheard = [each.node for each in mine if each.head is None]
    if unheard and now_ms - site.asked_ms < ANSWERS_MS:
        return _wait(mine, WaitReason.QUORUM, f"not heard from: {', '.join(unheard)}")
    if any(_has_failed(each) for each in mine):
        back = tuple(each.node for each in mine if _is_unfinished(each))
        return Verdict(Phase.APPLYING, back=back, sentence="a node failed: the others go back")
    staged = [each for each in mine if _step(each) is Step.STAGED]
    if any(_step(each) in HARMLESS - {Step.STAGED} for each in mine):
        return Verdict(Phase.STAGING, sentence="not all nodes have it yet")
    if not staged:
        return Verdict(Phase.APPLYING, sentence="nodes are at work")
    return _let(job, site, staged, now_ms)


def _let(job: Job, site: Site, staged: list[Member], now_ms: int) -> Verdict:
    """Return whom to let go on of those that wait, or for what they wait."""
    mine = [each for each in site.members if is_of(job, each)]
    able = [each for each in staged if not is_shut(each)]
    why = blocked(job, site) or (None if able else shut_out(staged))
    if why is not None:
        return _wait(mine, *why)
    busy = [each for each in mine if is_busy(each)]
    if not job.takes_down:
        go = () if busy else (min(each.node for each in able),)
        return Verdict(_phase(mine), go=go, sentence="one after the other")
    if late := overdue(site, now_ms):
        back = tuple(each.node for each in staged)
        return Verdict(Phase.APPLYING, back=back, sentence=late)
    if out := out_already(site):
        return _with_one_out(out, able, mine)
    if (why := unfit(site)) is not None:
        return _wait(mine, *why)
    return _in_turn(job, site, staged, busy)


def _with_one_out(out: list[Member], staged: list[Member], mine: list[Member]) -> Verdict:
    """Return that all wait for who is out; where it waits for its turn, it alone may have it."""
    told = ", ".join(each.node for each in out)
    if len(out) == 1 and out[0] in staged and not out[0].leases and not any(map(is_busy, mine)):
        return Verdict(_phase(mine), go=(out[0].node,), sentence=f"{told} is out already")
    return _wait(mine, WaitReason.LOCK, f"out already: {told}")


def _in_turn(job: Job, site: Site, staged: list[Member], busy: list[Member]) -> Verdict:
    """Return whom to let go in a site that could spare somebody."""
    mine = [each for each in site.members if is_of(job, each)]
    first = [each for each in staged if not each.leases and not each.is_coordinator]
    if first:
        go = beside(job, first, busy)
        if not go and not busy:
            return _wait(mine, *shut_out(first))
        sentence = lonely(job, first) or "who holds no lease"
        return Verdict(_phase(mine), go=go, sentence=sentence)
    if busy:
        return Verdict(Phase.APPLYING, sentence=f"waits for {busy[0].node}")
    return _holder(job, site, staged, mine)


def _holder(job: Job, site: Site, staged: list[Member], mine: list[Member]) -> Verdict:
    """Return which of those that run something may go; the coordinator when no other waits."""
    holders = sorted(staged, key=lambda each: (each.is_coordinator, each.node))
    is_kept = any(map(is_shut, holders))
    able = [each for each in holders if not is_shut(each) and not (is_kept and each.is_coordinator)]
    if not able:
        return _wait(mine, *shut_out(holders))
    for each in able:
        if not _unready(each, site, job):
            return Verdict(_phase(mine), go=(each.node,), sentence=f"{each.node} hands over")
    return _wait(mine, WaitReason.HEALTH, _unready(able[0], site, job))


def _unready(holder: Member, site: Site, job: Job) -> str:
    """Return why a holder of leases may not go yet; empty: it may."""
    if len(site.members) == 1:
        return ""  # its services stop: only a window lets that happen, and one is open
    others = {each.node: each for each in site.members}
    for group, name in holder.leases.items():
        if name is None or name not in others:
            return f"{group} runs on {holder.node} and nobody could take it"
        heir = others[name]
        if is_of(job, heir) and not (heir.head is not None and heir.head.committed):
            return f"{name} would take {group} and is not on the new release"
        if heir.is_degraded:
            return f"{name} would take {group} and is degraded"
        if not heir.is_alive or heir.beats < CLEAN_BEATS:
            return f"{name} would take {group} and has not beaten {CLEAN_BEATS} times cleanly"
    return ""


def _ended(mine: list[Member]) -> Verdict | None:  # noqa: PLR0911 - one rule, one return
    heads = [each.head for each in mine if each.head is not None]
    if len(heads) < len(mine) or not all(head.outcome for head in heads):
        return None
    outcomes = {head.outcome for head in heads}
    told = ", ".join(sorted({head.failure for head in heads if head.failure}))
    if outcomes <= {"succeeded"}:
        return Verdict(Phase.SUCCEEDED, sentence="every node is committed")
    if outcomes == {"canceled"}:
        return Verdict(Phase.CANCELED, sentence="given up; every node is as it was")
    if any(head.stuck for head in heads):
        return Verdict(Phase.FAILED, sentence=f"a node could not go back: {told}")
    if any(head.committed for head in heads):
        return Verdict(Phase.FAILED, sentence=f"who is committed stays, others are back: {told}")
    if "rolled_back" in outcomes:
        return Verdict(Phase.ROLLED_BACK, sentence=f"every node is back: {told}")
    return Verdict(Phase.FAILED, sentence=f"before anything was changed: {told}")


def _wait(mine: list[Member], why: WaitReason, sentence: str) -> Verdict:
    """Return that it waits; while a node is at work that is a part of applying."""
    phase = Phase.APPLYING if any(map(is_begun, mine)) else Phase.WAITING
    return Verdict(phase, why=why, sentence=sentence)


def _phase(mine: list[Member]) -> Phase:
    return Phase.APPLYING if any(map(is_begun, mine)) else Phase.WAITING


def _step(member: Member) -> Step | None:
    return None if member.head is None else member.head.step


def _has_failed(member: Member) -> bool:
    return member.head is not None and bool(member.head.failure)


def _is_unfinished(member: Member) -> bool:
    head = member.head
    return head is not None and not head.outcome and not head.committed and not head.failure
