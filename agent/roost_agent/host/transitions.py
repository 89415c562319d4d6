"""How the state of a host may change: one table, and nothing beside it. Pure.

The states are X.731's, their words StarlingX's (protocol/host.py). Whoever tells an event that the
table has no row for, from the state that a host is in, has a bug: that is an error, never a guess.
"""

from enum import StrEnum
from typing import Final

import msgspec

from roost_protocol.host import Admin, Avail, Oper

Triple = tuple[Admin, Oper, Avail]

_LOCKED: Final = Admin.LOCKED
_UNLOCKED: Final = Admin.UNLOCKED


def _off(admin: Admin, avail: Avail) -> Triple:
    return admin, Oper.DISABLED, avail


NOT_INSTALLED: Final = _off(_LOCKED, Avail.NOT_INSTALLED)
LOCKED_OFFLINE: Final = _off(_LOCKED, Avail.OFFLINE)
LOCKED_ONLINE: Final = _off(_LOCKED, Avail.ONLINE)
LOCKED_POWER_OFF: Final = _off(_LOCKED, Avail.POWER_OFF)
POWER_OFF: Final = _off(_UNLOCKED, Avail.POWER_OFF)
OFFLINE: Final = _off(_UNLOCKED, Avail.OFFLINE)
INTEST: Final = _off(_UNLOCKED, Avail.INTEST)
FAILED: Final = _off(_UNLOCKED, Avail.FAILED)
AVAILABLE: Final = (_UNLOCKED, Oper.ENABLED, Avail.AVAILABLE)
DEGRADED: Final = (_UNLOCKED, Oper.ENABLED, Avail.DEGRADED)

ENABLED: Final = frozenset({AVAILABLE, DEGRADED})


class HostEvent(StrEnum):
    """What happens to a host."""

    ENROLLED = "enrolled"  # a box is in the slot
    HEARD = "heard"  # it speaks, and has spoken for long enough
    SILENT = "silent"  # nothing is heard of it any more, and it was not in service
    LOST = "lost"  # it was in service, and its heartbeat is lost
    UNLOCK = "unlock"
    LOCK = "lock"  # it was drained, or there was nothing to drain
    WELL = "well"  # its enable sequence is through
    ILL = "ill"  # a stage of it failed
    CRITICAL = "critical"  # what it cannot do without failed in service
    RETRY = "retry"  # its enable sequence begins once more
    DEGRADE = "degrade"  # a first reason to be degraded
    CURE = "cure"  # the last reason is gone
    NO_POWER = "no-power"  # its board controller said Off, twice
    POWER = "power"  # its board controller says On again


class Row(msgspec.Struct, frozen=True):
    """One transition; every state of ``of`` leads to ``to``."""

    event: HostEvent
    of: frozenset[Triple]
    to: Triple


def _row(event: HostEvent, to: Triple, *of: Triple) -> Row:
    return Row(event, frozenset(of), to)


TRANSITIONS: Final = (
    _row(HostEvent.ENROLLED, LOCKED_OFFLINE, NOT_INSTALLED),
    _row(HostEvent.HEARD, LOCKED_ONLINE, LOCKED_OFFLINE, LOCKED_POWER_OFF),
    _row(HostEvent.HEARD, INTEST, OFFLINE, POWER_OFF, FAILED),
    _row(HostEvent.SILENT, LOCKED_OFFLINE, LOCKED_ONLINE),
    _row(HostEvent.SILENT, OFFLINE, INTEST, FAILED),
    _row(HostEvent.LOST, FAILED, AVAILABLE, DEGRADED),
    _row(HostEvent.UNLOCK, INTEST, LOCKED_ONLINE),
    _row(HostEvent.LOCK, LOCKED_ONLINE, AVAILABLE, DEGRADED, INTEST, FAILED),
    _row(HostEvent.LOCK, LOCKED_OFFLINE, OFFLINE),
    _row(HostEvent.LOCK, LOCKED_POWER_OFF, POWER_OFF),
    _row(HostEvent.WELL, AVAILABLE, INTEST),
    _row(HostEvent.ILL, FAILED, INTEST),
    _row(HostEvent.CRITICAL, FAILED, AVAILABLE, DEGRADED),
    _row(HostEvent.RETRY, INTEST, FAILED),
    _row(HostEvent.DEGRADE, DEGRADED, AVAILABLE),
    _row(HostEvent.CURE, AVAILABLE, DEGRADED),
    _row(HostEvent.NO_POWER, LOCKED_POWER_OFF, LOCKED_OFFLINE, LOCKED_ONLINE),
    _row(HostEvent.NO_POWER, POWER_OFF, OFFLINE, INTEST, FAILED),
    _row(HostEvent.POWER, LOCKED_OFFLINE, LOCKED_POWER_OFF),
    _row(HostEvent.POWER, OFFLINE, POWER_OFF),
)

_NEXT: Final = {(row.event, state): row.to for row in TRANSITIONS for state in row.of}


class TransitionError(Exception):
    """The table has no such row."""

    def __init__(self, event: HostEvent, state: Triple) -> None:
        super().__init__(f"{event} of a host that is {in_words(state)}")


def may(event: HostEvent, state: Triple) -> bool:
    """Say whether the table has a row for an event in a state."""
    return (event, state) in _NEXT


def after(event: HostEvent, state: Triple) -> Triple:
    """Return the state that follows.

    Raises:
        TransitionError: the table has no such row.
    """
    found = _NEXT.get((event, state))
    if found is None:
        raise TransitionError(event, state)
    return found


def in_words(state: Triple) -> str:
    """Return a state as operators say it: ``unlocked/enabled/available``."""
    return "/".join(state)


def with_cause(state: Triple, cause: str) -> str:
    """Return a state and why it is so, as operators say it; a cause may begin with the state."""
    return f"{in_words(state)}: {cause.removeprefix(f'{state[2]}: ')}"
