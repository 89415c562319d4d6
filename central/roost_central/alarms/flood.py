"""Whether more alarms come than one operator can follow, now: for the banner. Pure.

ISA-18.2 and EEMUA 191: a flood is FLOOD_ALARMS new alarms in the list within FLOOD_MS. An incident
counts as one alarm, its members and what is hidden count as none. The past is load.py's.

Invariants: at most FLOOD_ALARMS times are kept; a new process has seen none yet.
"""

from collections import deque
from collections.abc import Iterable

from roost_central.alarms.load import FLOOD_ALARMS, FLOOD_MS
from roost_central.alarms.transition import Transition


class FloodWatch:
    """The times of the newest alarms of the list."""

    def __init__(self) -> None:
        self._shown_ms: deque[int] = deque(maxlen=FLOOD_ALARMS)

    def observe(self, steps: Iterable[Transition]) -> None:
        """Take in committed steps."""
        for step in steps:
            row = step.alarm
            is_own = row is not None and row.is_visible and not row.incident
            if step.event == "incident-open" or (step.event == "raise" and is_own):
                self._shown_ms.append(step.received_ms)

    def is_flood(self, now_ms: int) -> bool:
        """Return whether the newest came within the time of a flood."""
        shown = self._shown_ms
        return len(shown) == FLOOD_ALARMS and now_ms - shown[0] <= FLOOD_MS
