"""The states of an order, who may move it, and what is to be done for it now. Pure.

An order is a row; each function returns the row as it is from then on. Leaves to others: storage,
the signer, brokers, and the check that somebody may order at all.

Invariants:
- an order has one outcome: what came to its end does not move again, whatever a node says later;
- the second person is another than the first;
- it is signed for one generation of one node at a time; signed anew it has a greater number;
- nothing is sent after its end, and a node that took it is not sent it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from roost_protocol.order import OrderState, OrderTold
from roost_protocol.order_act import Act
from roost_protocol.order_verbs import VERBS

RESEND_MS: Final = (2_000, 30_000)  # until it is taken: soon, then twice as late each time
LIFE_S: Final = (60, 86_400)
AWAITS_BOX: Final = "awaits-box"  # code of what its node did, and that ends with another box


class State(StrEnum):
    """Where an order stands."""

    PENDING = "pending"  # a second person has to approve it
    READY = "ready"  # is signed and sent, again and again
    TAKEN = "taken"  # the node has checked it and begun
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"  # by the node, or by the signer
    EXPIRED = "expired"  # the node was not reached in time, or nobody approved
    CANCELLED = "cancelled"


OPEN: Final = frozenset({State.PENDING, State.READY, State.TAKEN})
CANCELLABLE: Final = frozenset({State.PENDING, State.READY})
_ENDS: Final[Mapping[OrderState, State]] = MappingProxyType(
    {
        OrderState.DONE: State.DONE,
        OrderState.FAILED: State.FAILED,
        OrderState.REFUSED: State.REFUSED,
    }
)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order.

    Attributes:
        id: 32 hexadecimal digits.
        by, approved_by: accounts.
        not_after_ms: when it ends, approved or not, reached or not.
        generation, seq, message: of the last signature; 0, 0 and empty before it.
        sent_ms: when it was sent last; ``sends``: how often.
        changed_ms: when its state changed last.
        code, text: why it ended so.
    """

    id: str
    node: str
    site: str
    verb: str
    given: dict[str, Any]
    reason: str
    by: str
    placed_ms: int
    not_after_ms: int
    state: State
    changed_ms: int
    by_two: bool = False
    approved_by: str = ""
    approved_ms: int | None = None
    generation: int = 0
    seq: int = 0
    message: bytes = b""
    sent_ms: int | None = None
    sends: int = 0
    taken_ms: int | None = None
    ended_ms: int | None = None
    code: str = ""
    text: str = ""


class OrderMoveError(ValueError):
    """It is not possible for an order in this state, or for this person; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign it for a generation of its node."""

    generation: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send it."""


@dataclass(frozen=True, slots=True)
class End:
    """It has come to its end by time; ``record`` is how."""

    record: OrderRecord


Step = Sign | Send | End


def approve(record: OrderRecord, who: str, now_ms: int) -> OrderRecord:
    """Return an order that a second person approved.

    Raises:
        OrderMoveError: it waits for nobody, or for somebody else.
    """
    if record.state is not State.PENDING:
        raise OrderMoveError(f"the order is {record.state}: nobody has to approve it")
    if who == record.by:
        raise OrderMoveError("who ordered it cannot approve it: it takes another account")
    if now_ms >= record.not_after_ms:
        raise OrderMoveError("the order has expired")
    return replace(
        record, state=State.READY, approved_by=who, approved_ms=now_ms, changed_ms=now_ms
    )


def cancel(record: OrderRecord, why: str, now_ms: int) -> OrderRecord:
    """Return an order that is not sent any more.

    A node that got it may take it all the same until its end: its word counts then. A box that is
    awaited is awaited no more.

    Raises:
        OrderMoveError: the node took it, or it has ended.
    """
    if record.state not in CANCELLABLE and not awaits_box(record):
        raise OrderMoveError(f"the order is {record.state}: it cannot be cancelled")
    return ended(record, State.CANCELLED, "cancelled", why, now_ms)


def ended(record: OrderRecord, state: State, code: str, text: str, now_ms: int) -> OrderRecord:
    """Return an order at its end."""
    return replace(
        record, state=state, code=code, text=text, changed_ms=now_ms, ended_ms=now_ms, message=b""
    )


def step(record: OrderRecord, generation: int | None, now_ms: int) -> Step | None:
    """Return what is to be done for an order now; None: nothing.

    Args:
        record: the order.
        generation: that its node speaks with; None: it was not heard.
        now_ms: UTC of the centre.
    """
    match record.state:
        case State.PENDING | State.READY if now_ms >= record.not_after_ms:
            return End(_expired(record, now_ms))
        case State.TAKEN if now_ms >= (record.taken_ms or 0) + _taken_ms_max(record):
            return End(_overdue(record, now_ms))
        case State.READY if generation is not None:
            if not record.message or record.generation != generation:
                return Sign(generation)
            if record.sent_ms is None or abs(now_ms - record.sent_ms) >= _pause_ms(record.sends):
                return Send()
    return None


def numbered(record: OrderRecord, generation: int, seq: int) -> OrderRecord:
    """Return an order that is about to be signed: its number is used up, whatever comes of it."""
    return replace(record, generation=generation, seq=seq, message=b"", sent_ms=None)


def signed(record: OrderRecord, message: bytes) -> OrderRecord:
    """Return an order with its signature."""
    return replace(record, message=message)


def sent(record: OrderRecord, now_ms: int) -> OrderRecord:
    """Return an order that was sent."""
    return replace(record, sent_ms=now_ms, sends=record.sends + 1)


def told(record: OrderRecord, said: OrderTold, now_ms: int) -> OrderRecord | None:
    """Return an order after its node's word; None: the word changes nothing.

    A refusal counts for the signature that was sent last alone; a number that was too small is
    mended by another signature. What was cancelled and taken all the same is taken.
    """
    is_cancelled = record.state is State.CANCELLED and record.seq > 0
    if record.state not in {State.READY, State.TAKEN} and not is_cancelled:
        return None
    if said.state is OrderState.TAKEN:
        if record.state is State.TAKEN:
            return None
        return replace(
            record, state=State.TAKEN, taken_ms=now_ms, changed_ms=now_ms, ended_ms=None,
            code="", text="", message=b"",
        )  # fmt: skip
    if said.state is OrderState.REFUSED and record.state is not State.TAKEN:
        if is_cancelled or said.seq != record.seq:
            return None
        if said.code == "replayed":
            return replace(record, message=b"", sent_ms=None)
    return _told_end(record, said, now_ms)


def _told_end(record: OrderRecord, said: OrderTold, now_ms: int) -> OrderRecord | None:
    """Return an order whose node says that it has ended; its part of it, where a box is awaited."""
    if said.state is OrderState.DONE and VERBS[record.verb].ends_with_box:
        return _begun(record, said.text, now_ms)
    return ended(record, _ENDS[said.state], said.code, said.text, now_ms)


def awaits_box(record: OrderRecord) -> bool:
    """Say whether its node has done its part, and the box that it is about has not come back."""
    return record.state is State.TAKEN and record.code == AWAITS_BOX


def box_came(record: OrderRecord, now_ms: int) -> OrderRecord:
    """Return an order that has ended well: the slot that it is about has another box."""
    text = f"{record.given['node']} is enrolled again; {record.text}"
    return ended(record, State.DONE, "", text, now_ms)


def _begun(record: OrderRecord, text: str, now_ms: int) -> OrderRecord | None:
    """Return an order whose node did its part, once: the box is to come back."""
    if awaits_box(record):
        return None
    return replace(
        record, state=State.TAKEN, taken_ms=record.taken_ms or now_ms, changed_ms=now_ms,
        ended_ms=None, code=AWAITS_BOX, text=text, message=b"",
    )  # fmt: skip


def _overdue(record: OrderRecord, now_ms: int) -> OrderRecord:
    if awaits_box(record):
        why = f"no box enrolled in the slot of {record.given['node']} since; {record.text}"
        return ended(record, State.FAILED, "not-enrolled", why, now_ms)
    why = "the node took it and has not said since how it ended"
    return ended(record, State.FAILED, "silent", why, now_ms)


def _taken_ms_max(record: OrderRecord) -> int:
    """Return how long its end may take; what comes later is told as an event only."""
    return VERBS.get(record.verb, Act).done_s_max * 1_000


def _pause_ms(sends: int) -> int:
    """Return how long a node has to take what was sent so often, before it is sent again."""
    first_ms, most_ms = RESEND_MS
    return most_ms if sends > most_ms.bit_length() else min(first_ms << max(sends - 1, 0), most_ms)


def _expired(record: OrderRecord, now_ms: int) -> OrderRecord:
    if record.state is State.PENDING:
        return ended(record, State.EXPIRED, "not-approved", "nobody approved it in time", now_ms)
    why = (
        f"sent {record.sends} times, the node did not take it"
        if record.sends
        else "the node was not heard in time"
    )
    return ended(record, State.EXPIRED, "not-reached", why, now_ms)
