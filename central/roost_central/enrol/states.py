"""The states of one generation of a node's identity, and what moves it from one to the next.

Pure. A *slot* (node id) has one identity; each key that ever stood for it is a *generation* of its
own, and each walks this table once. Leaves to others who may cause an event and what follows from
it. Source: docs/enrolment.md, section States. Invariant: what ended stays ended, for ever.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a generation stands."""

    PENDING = "pending"  # asked for, a human or a rule decides
    APPROVED = "approved"  # decided, the certificate is not handed out yet
    DENIED = "denied"
    ISSUED = "issued"  # handed out, not heard under this key yet
    ACTIVE = "active"
    RENEWAL_DUE = "renewal_due"  # half of its life is over
    EXPIRED_GRACE = "expired_grace"  # the certificate ended; the key still lets the node ask
    QUARANTINED = "quarantined"  # heard and shown, given nothing
    REVOKED = "revoked"
    REPLACED = "replaced"  # by a newer generation, of this box or of another
    DECOMMISSIONED = "decommissioned"


class Cause(StrEnum):
    """Why a generation is in quarantine, or was when its certificate ended."""

    NONE = ""
    GRACE = "grace"  # its certificate had ended; it leaves by itself once it is well
    CLONE = "clone"  # two boxes use it; an operator chooses
    OPERATOR = "operator"  # somebody said so, and somebody ends it


class Event(StrEnum):
    """What happens to a generation."""

    APPROVE = "approve"
    DENY = "deny"
    LAPSE = "lapse"  # nobody decided in time
    HAND_OUT = "hand_out"
    PROVE = "prove"  # first authentic message under its key
    FORGET = "forget"  # never heard
    FALL_DUE = "fall_due"
    EXPIRE = "expire"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    REVOKE = "revoke"
    SUCCEED = "succeed"  # a newer generation took over
    DECOMMISSION = "decommission"


LIVE: Final = frozenset(
    {State.ISSUED, State.ACTIVE, State.RENEWAL_DUE, State.EXPIRED_GRACE, State.QUARANTINED}
)  # fills its slot
HEARD: Final = LIVE - {State.EXPIRED_GRACE}  # its messages count
SHUT: Final = frozenset({Cause.CLONE, Cause.OPERATOR})  # in quarantine until a human ends it
ENDED: Final = frozenset({State.DENIED, State.REVOKED, State.REPLACED, State.DECOMMISSIONED})

_ENDS: Final = {
    Event.REVOKE: State.REVOKED,
    Event.SUCCEED: State.REPLACED,
    Event.DECOMMISSION: State.DECOMMISSIONED,
}

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (State.PENDING, Event.APPROVE): State.APPROVED,
        (State.PENDING, Event.DENY): State.DENIED,
        (State.PENDING, Event.LAPSE): State.DENIED,
        (State.APPROVED, Event.DENY): State.DENIED,
        (State.APPROVED, Event.LAPSE): State.DENIED,
        (State.APPROVED, Event.HAND_OUT): State.ISSUED,
        (State.ISSUED, Event.PROVE): State.ACTIVE,
        (State.ISSUED, Event.FORGET): State.REVOKED,
        (State.ACTIVE, Event.FALL_DUE): State.RENEWAL_DUE,
        (State.ACTIVE, Event.EXPIRE): State.EXPIRED_GRACE,
        (State.ACTIVE, Event.QUARANTINE): State.QUARANTINED,
        (State.RENEWAL_DUE, Event.EXPIRE): State.EXPIRED_GRACE,
        (State.RENEWAL_DUE, Event.QUARANTINE): State.QUARANTINED,
        (State.QUARANTINED, Event.RELEASE): State.ACTIVE,
        (State.QUARANTINED, Event.EXPIRE): State.EXPIRED_GRACE,
        **{(state, event): end for state in LIVE for event, end in _ENDS.items()},
    }
)


class TransitionError(ValueError):
    """The event is not possible in this state; nothing was changed."""

    def __init__(self, state: State, event: Event) -> None:
        self.state = state
        self.event = event
        can = sorted(known for (start, known) in TRANSITIONS if start is state)
        super().__init__(f"{event} is not possible in {state}: {', '.join(can) or 'it has ended'}")


def after(state: State, event: Event) -> State:
    """Return the state that follows.

    Raises:
        TransitionError: there is none.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise TransitionError(state, event) from None
