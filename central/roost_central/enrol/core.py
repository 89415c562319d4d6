"""Decides what a box that asks to be let in gets. Pure.

Leaves to the shell (desk.py): signatures and secrets, which are checked before; reading what is
known and writing what is decided, which happen in one transaction; certificates. Invariants:
- a claim is spent once for each key, in the transaction of the decision, and for no other reason;
- the same key always gets the same answer, however often the reply was lost;
- a slot that is filled is never given by itself: a human replaces a box, this very one.
Source: docs/enrolment.md; states in states.py.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from roost_central.enrol.rules import Rule
from roost_central.enrol.states import State
from roost_protocol.enrol import ClaimKind

AGAIN_MS_MAX: Final = 86_400_000  # within it the same key gets the same certificate
UNKNOWN: Final = "no such claim, or its secret is another: copy the token whole"
WAITING_MAX: Final = 1_000  # boxes that wait for a human; more are an attack


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim whose secret, signature or serial number the request has shown.

    Attributes:
        node: the one slot that it is for; empty: any empty one of the site.
        cidr: addresses that may use it; empty: any.
        replaces: the box of that slot which goes when it is used; 0: the slot must be empty.
    """

    id: str
    site: str
    node: str
    nodes_max: int
    used: int
    auto_approve: bool
    not_after_ms: int
    broker: bool = False
    is_revoked: bool = False
    cidr: str = ""
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Prior:
    """What the same key asked for before; ``state`` is its identity's where it has one."""

    state: State
    claim: str
    issued_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, authentic."""

    kind: ClaimKind
    address: str
    wish: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre knows of it, read in the transaction of the decision.

    Attributes:
        claim: None: the request has shown none that exists.
        listed: a claim for the serial number that the box says it has.
        rule: of the configuration, which the box fits.
        voucher: what its maker vouches for, for people; empty: nothing.
        holder: the node whose box has this factory key or TPM already; empty: none.
        empty: slots of the claim's site without an identity, by name.
        boxes: the number of the box in each slot that a claim names; 0: none, or another one is
            about to be.
        waiting: boxes in the queue.
    """

    claim: Claim | None = None
    listed: Claim | None = None
    rule: Rule | None = None
    voucher: str = ""
    holder: str = ""
    prior: Prior | None = None
    empty: tuple[str, ...] = ()
    boxes: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not let in; ``code`` is for programs, ``detail`` says what to do."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A human decides; ``spend`` names the claims that are used up by one.

    ``by`` is the rule that would have placed it; empty: none would.
    """

    site: str
    reason: str
    spend: tuple[str, ...] = ()
    broker: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class Admit:
    """It gets this slot; ``by`` names the claim or the rule that decided.

    ``replaces`` is the box that was to make room for it; 0: none was.
    """

    site: str
    node: str
    spend: tuple[str, ...]
    by: str
    broker: bool = False
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Resume:
    """As decided before: in the queue it waits on, approved it gets its certificate, again."""


Action = Refuse | Queue | Admit | Resume


def handle(asked: Asked, known: Known, now_ms: int) -> Action:
    """Return what a request gets."""
    settled = _settled(asked, known, now_ms)
    if settled is not None:
        return settled
    match asked.kind:
        case ClaimKind.BARE:
            return _queued(known, "", "no claim: somebody compares the six words")
        case ClaimKind.TOKEN | ClaimKind.KEY:
            return _claimed(asked, known, now_ms)
        case ClaimKind.FACTORY | ClaimKind.TPM:
            return _vouched(asked, known)
        case ClaimKind.EXPIRED:
            raise AssertionError("decided by grace.py, and then by returned()")
        case _ as never:
            assert_never(never)


def returned(site: str, reason: str, known: Known, now_ms: int) -> Action:
    """Return what a node gets that came back and about which a human decides (grace.py)."""
    settled = _settled(Asked(ClaimKind.EXPIRED, ""), known, now_ms)
    return _queued(known, site, reason) if settled is None else settled


def _settled(asked: Asked, known: Known, now_ms: int) -> Action | None:
    """Return what follows from what the same key got before; None: it is to be decided."""
    prior = known.prior
    if prior is None:
        return None
    match prior.state:
        case State.PENDING:  # a box that waited may come back with a better claim
            is_same = known.claim is not None and prior.claim == known.claim.id
            waits = asked.kind in {ClaimKind.BARE, ClaimKind.EXPIRED}
            return Resume() if is_same or waits else None
        case State.DENIED:
            hint = "join with --new-key to ask again"
            return Refuse("denied", f"this key was denied ({prior.reason}); {hint}")
        case State.APPROVED:
            return Resume()
        case State.ISSUED | State.ACTIVE if now_ms - prior.issued_ms <= AGAIN_MS_MAX:
            return Resume()  # who signs with the key is who was let in, whatever it brings now
        case _:
            hint = "join with --new-key"
            return Refuse("key-used", f"this key has an identity that is {prior.state}; {hint}")


def _claimed(asked: Asked, known: Known, now_ms: int) -> Action:
    claim = known.claim
    if claim is None:
        return Refuse("claim-unknown", UNKNOWN)
    fault = _fault(claim, asked, now_ms)
    if fault is not None:
        return fault
    if known.listed is not None and not _fault(known.listed, asked, now_ms):
        spend = (claim.id, known.listed.id)
        return _placed(known.listed, asked, known, spend, by=f"claim:{known.listed.id}")
    if known.rule is not None and known.rule.site == claim.site and claim.node == "":
        return _placed(known.rule, asked, known, (claim.id,), by=known.rule.author)
    if not claim.auto_approve:
        reason = "the claim asks for a human"
        return _queued(known, claim.site, reason, (claim.id,), broker=claim.broker)
    return _placed(claim, asked, known, (claim.id,), by=f"claim:{claim.id}")


def _vouched(asked: Asked, known: Known) -> Action:
    """Place a box that a maker vouches for: by a rule, once; else a human does."""
    if known.holder:
        site = known.rule.site if known.rule else ""
        return _queued(known, site, f"{known.voucher}; that box is {known.holder} already")
    if known.rule is None:
        return _queued(known, "", f"{known.voucher}; no rule says where it belongs")
    return _placed(known.rule, asked, known, (), by=known.rule.author)


def _fault(claim: Claim, asked: Asked, now_ms: int) -> Refuse | None:
    if claim.is_revoked:
        return Refuse("claim-revoked", "the claim was revoked: ask for another")
    if now_ms >= claim.not_after_ms:
        return Refuse("claim-expired", "the claim ran out: ask for another")
    if claim.used >= claim.nodes_max:
        counts = f"{claim.used} of {claim.nodes_max} boxes"
        return Refuse("claim-spent", f"the claim let in {counts}: ask for another")
    if claim.cidr and not _is_within(asked.address, claim.cidr):
        return Refuse("claim-address", f"the claim is for {claim.cidr}, not for {asked.address}")
    return None


def _placed(
    claim: Claim | Rule, asked: Asked, known: Known, spend: tuple[str, ...], *, by: str
) -> Action:
    of_rule = by if isinstance(claim, Rule) else ""
    if claim.node:
        box = known.boxes.get(claim.node, 0)
        replaces = claim.replaces if isinstance(claim, Claim) else 0
        if claim.node in known.empty or (box and replaces == box):
            return Admit(claim.site, claim.node, spend, by, claim.broker, replaces)
        reason = f"the slot {claim.node} is not empty"
        return _queued(known, claim.site, reason, spend, broker=claim.broker, by=of_rule)
    if not known.empty:
        reason = "the site has no empty slot"
        return _queued(known, claim.site, reason, spend, broker=claim.broker, by=of_rule)
    wished = asked.wish if asked.wish in known.empty else known.empty[0]
    return Admit(claim.site, wished, spend, by, claim.broker)


def _queued(  # noqa: PLR0913 - what stands in the queue
    known: Known,
    site: str,
    reason: str,
    spend: tuple[str, ...] = (),
    *,
    broker: bool = False,
    by: str = "",
) -> Action:
    if known.waiting >= WAITING_MAX and known.prior is None:
        return Refuse("queue-full", f"{WAITING_MAX} boxes wait already: try again later")
    return Queue(site, reason, spend, broker, by)


def _is_within(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(cidr)
    except ValueError:
        return False
