"""One job on the nodes of one site: who may go down now. Pure, and without a memory.

The journals of the nodes are the state: whoever holds the site's lease asks all of them for their
heads, and this derives where the job is and whom it may let go on. Another coordinator that sees
the same derives the same. Invariants, whatever an order says:

- nobody is let down while the membership is in doubt, without a quorum, or while another node of
  the site is out;
- never the last that could be active: a lease holder goes when its successor is committed on the
  new release and has beaten cleanly; the coordinator goes last;
- one voter at a time;
- one node that could not go back, or that failed, ends the letting down.

Leaves to others: the wire, the lease, `MayGoDown` of local HA, which is asked anew before a drain
and before a reboot by the node itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from roost_agent.update.step import HARMLESS, Step
from roost_protocol.update import WaitReason

PARALLEL_WORKERS_MAX: Final = 10
CLEAN_BEATS: Final = 3
ANSWERS_MS: Final = 900_000  # without the heads of all members no lock is given before
SYNC_MS_MAX: Final = 2_400_000  # between two groups, for data to be in sync


class Role(StrEnum):
    """What a node is for."""

    CONTROLLER = "controller"
    STORAGE = "storage"
    WORKER = "worker"


class Apply(StrEnum):
    """How the nodes of a role are taken; StarlingX's words."""

    SERIAL = "serial"
    PARALLEL = "parallel"
    IGNORE = "ignore"


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
class Head:
    """The newest row of a node's journal, for this job.

    Attributes:
        step: whose intent is there.
        outcome: how it ended, empty: it has not.
        failure: of what type.
        committed, stuck: it runs the new release; it could not go back.
    """

    step: Step
    outcome: str = ""
    failure: str = ""
    committed: bool = False
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One node as the coordinator sees it.

    Attributes:
        head: None: it has not answered.
        leases: to whom each group that runs here would go; None: to nobody.
        beats: clean ones in a row since it came up.
        is_out: locked, down, or not seen healthy since a lock of it expired, and not by this job.
    """

    node: str
    role: Role
    head: Head | None
    leases: dict[str, str | None] = field(default_factory=dict)
    is_coordinator: bool = False
    is_voter: bool = False
    is_alive: bool = True
    is_out: bool = False
    beats: int = CLEAN_BEATS


@dataclass(frozen=True, slots=True)
class Site:
    """The site now.

    Attributes:
        members: all of it.
        doubt: why its membership is not fully known; empty: it is.
        loss: a loss of redundancy, or an alarm that stands in the way, that this job did not cause.
        unsynced: why a standby could not take over yet.
        window: why none is open; empty: one is.
        hold: until when a person on a node holds everything, for people; empty: nobody does.
        asked_ms: since when this coordinator asks for heads.
        sync_since_ms: since when it waits for data to be in sync; None: it does not.
        has_witness: beside two nodes.
    """

    members: Sequence[Member]
    doubt: str = ""
    loss: str = ""
    unsynced: str = ""
    window: str = ""
    hold: str = ""
    asked_ms: int = 0
    sync_since_ms: int | None = None
    has_witness: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """What the centre asked of the site.

    Attributes:
        nodes: of it.
        takes_down: nodes drain or boot; else the release goes in beside what runs.
        apply: by role; what is not in it is serial.
    """

    nodes: frozenset[str]
    takes_down: bool
    apply: dict[Role, Apply] = field(default_factory=dict)
    parallel_workers: int = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the job is.

    Attributes:
        go: who may go on now; each is told until its journal says that it did.
        back: who must go back, because another node could not go on.
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
    mine = [each for each in site.members if _is_of(job, each)]
    ended = _ended(mine)
    if ended is not None:
        return ended
    unheard = [each.node for each in site.members if each.head is None]
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


def _let(job: Job, site: Site, staged: list[Member], now_ms: int) -> Verdict:  # noqa: PLR0911 - one rule, one return
    """Return whom to let go on of those that wait, or for what they wait."""
    mine = [each for each in site.members if _is_of(job, each)]
    blocked = _blocked(job, site, now_ms)
    if blocked is not None:
        return _wait(mine, *blocked)
    busy = [each for each in mine if _is_busy(each)]
    if not job.takes_down:
        go = () if busy else (min(each.node for each in staged),)
        return Verdict(_phase(mine), go=go, sentence="one after the other")
    first = [each for each in staged if not each.leases and not each.is_coordinator]
    if first:
        return Verdict(_phase(mine), go=_group(job, first, busy), sentence="who holds no lease")
    if busy:
        return Verdict(Phase.APPLYING, sentence=f"waits for {busy[0].node}")
    if site.unsynced:
        return _wait(mine, WaitReason.HEALTH, f"data is not in sync: {site.unsynced}")
    holders = sorted(staged, key=lambda each: (each.is_coordinator, each.node))
    for each in holders:
        why = _unready(each, site, job)
        if not why:
            return Verdict(_phase(mine), go=(each.node,), sentence=f"{each.node} hands over")
    return _wait(mine, WaitReason.HEALTH, _unready(holders[0], site, job))


def _blocked(job: Job, site: Site, now_ms: int) -> tuple[WaitReason, str] | None:  # noqa: PLR0911 - one rule, one return
    """Return what nobody may go down for."""
    if site.hold:
        return WaitReason.HOLD, f"held on a node {site.hold}"
    if site.window:
        return WaitReason.WINDOW, site.window
    if not job.takes_down:
        return None
    if site.doubt:
        return WaitReason.QUORUM, site.doubt
    away = [each.node for each in site.members if not each.is_alive and not _is_busy(each)]
    if away:
        return WaitReason.QUORUM, f"not alive: {', '.join(away)}"
    out = [each.node for each in site.members if each.is_out]
    if out:
        return WaitReason.LOCK, f"out already: {', '.join(out)}"
    if site.loss:
        return WaitReason.HEALTH, site.loss
    if _is_overdue(site, now_ms):
        return WaitReason.HEALTH, f"not in sync within {SYNC_MS_MAX // 1_000} s: {site.unsynced}"
    return None


def _group(job: Job, waiting: list[Member], busy: list[Member]) -> tuple[str, ...]:
    """Return who of those without a lease goes now: by role, workers beside each other if so told.

    Storage first, then standby controllers, then workers; two roles are never out at once.
    """
    order = (Role.STORAGE, Role.CONTROLLER, Role.WORKER)
    role = next(role for role in order if any(each.role is role for each in waiting))
    if any(each.role is not role for each in busy):
        return ()
    ready = sorted((each for each in waiting if each.role is role), key=lambda each: each.node)
    limit = 1  # max_unavailable, of what holds data or stands by
    if role is Role.WORKER and job.apply.get(role) is Apply.PARALLEL:
        limit = min(max(job.parallel_workers, 1), PARALLEL_WORKERS_MAX)
    gone: list[str] = []
    has_voter = any(each.is_voter for each in busy)
    for each in ready:
        if len(busy) + len(gone) >= limit:
            break
        if each.is_voter and has_voter:
            continue
        has_voter = has_voter or each.is_voter
        gone.append(each.node)
    return tuple(gone)


def _unready(holder: Member, site: Site, job: Job) -> str:
    """Return why a holder of leases may not go yet; empty: it may."""
    if len(site.members) == 1:
        return ""  # its services stop: only a window lets that happen, and one is open
    others = {each.node: each for each in site.members}
    for group, name in holder.leases.items():
        if name is None or name not in others:
            return f"{group} runs on {holder.node} and nobody could take it"
        heir = others[name]
        if _is_of(job, heir) and not (heir.head is not None and heir.head.committed):
            return f"{name} would take {group} and is not on the new release"
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
    phase = Phase.APPLYING if any(map(_is_begun, mine)) else Phase.WAITING
    return Verdict(phase, why=why, sentence=sentence)


def _phase(mine: list[Member]) -> Phase:
    return Phase.APPLYING if any(map(_is_begun, mine)) else Phase.WAITING


def _is_of(job: Job, member: Member) -> bool:
    ignored = job.apply.get(member.role) is Apply.IGNORE
    return member.node in job.nodes and not ignored


def _is_overdue(site: Site, now_ms: int) -> bool:
    since_ms = site.sync_since_ms
    return since_ms is not None and now_ms - since_ms >= SYNC_MS_MAX


def _step(member: Member) -> Step | None:
    return None if member.head is None else member.head.step


def _is_begun(member: Member) -> bool:
    return member.head is not None and member.head.step not in HARMLESS


def _is_busy(member: Member) -> bool:
    return _is_begun(member) and member.head is not None and not member.head.outcome


def _has_failed(member: Member) -> bool:
    return member.head is not None and bool(member.head.failure)


def _is_unfinished(member: Member) -> bool:
    head = member.head
    return head is not None and not head.outcome and not head.committed and not head.failure
