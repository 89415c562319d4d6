"""Whether reports have waited too long for their transaction, and for how long that lasts. Pure.

A moment of it is a full disk buffer or a checkpoint; what lasts is 210.802: every alarm is late.
"""

from typing import Final

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_protocol.severity import Severity

LAGGING: Final = "210.802"
ENTITY: Final = "central=roost"
LATE_MS: Final = 5_000  # an alarm is at the NOC within 5 s: this alone takes that
SOON_MS: Final = 1_000  # well again below it
RAISE_AFTER_MS: Final = 10_000
CLEAR_AFTER_MS: Final = 30_000


class LagWatch:
    """The state of the one alarm.

    Invariants: a raise needs RAISE_AFTER_MS of lateness without a break, a clear CLEAR_AFTER_MS of
    being well; raises and clears alternate.
    """

    def __init__(self) -> None:
        self._is_raised = False
        self._since_ms: int | None = None  # when it began to be what it is not said to be

    def stands(self) -> None:
        """Note that the alarm stands, of before this start."""
        self._is_raised = True

    def note(self, waits_ms: int, now_ms: int) -> OwnRaised | OwnCleared | None:
        """Take in for how long the oldest report has waited; return what begins or ends."""
        turns = waits_ms < SOON_MS if self._is_raised else waits_ms >= LATE_MS
        if not turns:
            self._since_ms = None
            return None
        if self._since_ms is None:
            self._since_ms = now_ms
        lasts_ms = CLEAR_AFTER_MS if self._is_raised else RAISE_AFTER_MS
        if now_ms - self._since_ms < lasts_ms:
            return None
        self._is_raised, self._since_ms = not self._is_raised, None
        if not self._is_raised:
            return OwnCleared(LAGGING, ENTITY)
        params = {"value": waits_ms // 1000, "limit": LATE_MS // 1000}
        return OwnRaised(LAGGING, ENTITY, Severity.MAJOR, params)
