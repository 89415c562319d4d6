"""How a node stands as a host, in one number: what there is room for in a beat of the site.

Leaves to others: what it means for the site (the coordinator), the sentences (each node's own).

Invariants: a number of before or after this version is read as far as it is known; what is told
is never a right.
"""

from enum import IntEnum
from typing import Final

import msgspec

from roost_protocol.host import Admin, Avail, Oper

Triple = tuple[Admin, Oper, Avail]

_STATES: Final[tuple[Triple, ...]] = (  # of a host that speaks; 0: it does not say
    (Admin.LOCKED, Oper.DISABLED, Avail.ONLINE),
    (Admin.UNLOCKED, Oper.DISABLED, Avail.INTEST),
    (Admin.UNLOCKED, Oper.DISABLED, Avail.FAILED),
    (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE),
    (Admin.UNLOCKED, Oper.ENABLED, Avail.DEGRADED),
)
REASONS: Final = (  # in their order on the wire; new ones are added at the end
    "process", "health", "resource", "sensor", "service", "config", "enable", "storage", "clock",
    "agent", "alarm", "heartbeat-lan",
)  # fmt: skip
STAGES: Final = ("config", "health", "processes", "services", "soak", "heartbeat")  # as REASONS
MAINTENANCE_MIN_MAX: Final = 72 * 60
_STAGE_SHIFT, _STAGE_MASK = 5, 0b111
_REASONS_SHIFT, _REASONS_BITS = 8, 16
_EXHAUSTED: Final = 1 << 24
_MAINTENANCE_SHIFT, _MAINTENANCE_BITS = 26, 13  # last: a host is seldom in one


class Going(IntEnum):
    """Whether it is to leave service, by an operator's word."""

    NO = 0
    ASKS = 1  # it looks whether another one goes too
    GOES = 2  # it gives away what it runs


class HostWord(msgspec.Struct, frozen=True):
    """See the module.

    Attributes:
        reasons: names of REASONS; others are told as ``alarm``. Of one that failed: what it lacks.
        stage: of STAGES, where it is being enabled, or failed; empty: it does not say.
        maintenance_min: for how long nothing is to be done about it by itself; 0: it is in none.
        is_exhausted: it failed too often, and is not tried again by itself.
    """

    state: Triple | None = None
    going: Going = Going.NO
    reasons: frozenset[str] = frozenset()
    maintenance_min: int = 0
    is_exhausted: bool = False
    stage: str = ""


def pack(word: HostWord) -> int:
    """Return the number that stands for a word."""
    state = 0 if word.state is None else _STATES.index(word.state) + 1
    known = {each if each in REASONS else "alarm" for each in word.reasons}
    reasons = sum(1 << REASONS.index(each) for each in known)
    minutes = min(word.maintenance_min, MAINTENANCE_MIN_MAX) << _MAINTENANCE_SHIFT
    flags = _EXHAUSTED * word.is_exhausted | minutes
    stage = STAGES.index(word.stage) + 1 if word.stage in STAGES else 0
    return state | word.going << 3 | stage << _STAGE_SHIFT | reasons << _REASONS_SHIFT | flags


def unpack(number: int) -> HostWord:
    """Return what a number of a beat says; bits of a later version say nothing."""
    state, going = number & 0b111, number >> 3 & 0b11
    stage = number >> _STAGE_SHIFT & _STAGE_MASK
    mask = number >> _REASONS_SHIFT & (1 << _REASONS_BITS) - 1
    minutes = number >> _MAINTENANCE_SHIFT & (1 << _MAINTENANCE_BITS) - 1
    return HostWord(
        state=_STATES[state - 1] if 0 < state <= len(_STATES) else None,
        going=Going(going) if going in set(Going) else Going.NO,
        reasons=frozenset(each for n, each in enumerate(REASONS) if mask >> n & 1),
        maintenance_min=min(minutes, MAINTENANCE_MIN_MAX),
        is_exhausted=bool(number & _EXHAUSTED),
        stage=STAGES[stage - 1] if 0 < stage <= len(STAGES) else "",
    )
