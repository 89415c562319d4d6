"""What the guard says of itself, as far as it counts for local HA."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

BITING: Final = "biting"  # the guard's own word, whose core the agent does not carry


class GuardReport(msgspec.Struct, frozen=True):
    """What counts of a guard's state; times in ms. One that lacks all of it can keep nothing.

    Attributes:
        pid: which guard it is.
        lease_ms: no deadline lies further ahead.
        tick_ms: between two looks at the deadlines.
        kill_ms: how long a kill took at its start; None: not measured, as something was held.
        lag_ms: by how much one of a thousand of its waits is late; None: too few so far.
        watchdog_ms: within which its device bites, as the device says; 0: it has none.
        watchdog: ``tested``, or why it has none.
        hardware: the device and its machine, in words.
        bite: BITING while the device starves for a test, ``missed`` once it let its time pass.
    """

    pid: int = 0
    lease_ms: int = 0
    tick_ms: int = 0
    kill_ms: int | None = None
    lag_ms: int | None = None
    watchdog_ms: int = 0
    watchdog: str = "it says nothing of one"
    hardware: str = ""
    bite: str = ""


def reported(answer: Mapping[str, Any]) -> GuardReport:
    """Return what counts of the answer to ``state``."""
    return msgspec.convert(answer, GuardReport)
