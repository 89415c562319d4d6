"""Whether more alarms come than one operator can follow, now: for the banner. Pure.

ISA-18.2 and EEMUA 191: a flood begins with FLOOD_ALARMS new alarms for an operator within FLOOD_MS,
and is over when fewer than CALM_ALARMS came within that time. An incident counts as one alarm, its
members and what is hidden count as none. The past is load.py's.

Invariants: at most FLOOD_ALARMS times an operator are kept; a new process has seen none yet.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from roost_central.alarms.load import FLOOD_ALARMS, FLOOD_MS
from roost_central.alarms.transition import Transition

CALM_ALARMS: Final = 5  # an operator: a flood ends below it, so that it does not flicker


class FloodWatch:
    """The times of the newest alarms of the list.

    Args:
        operators: who share the list.
    """

    def __init__(self, operators: int = 1) -> None:
        self._operators = operators
        self._shown_ms: deque[int] = deque(maxlen=FLOOD_ALARMS * operators)
        self._is_flood = False

    def observe(self, steps: Iterable[Transition]) -> None:
        """Take in committed steps."""
        for step in steps:
            row = step.alarm
            is_own = row is not None and row.is_visible and not row.incident
            if step.event == "incident-open" or (step.event == "raise" and is_own):
                self._shown_ms.append(step.received_ms)
                self.is_flood(step.received_ms)

    def is_flood(self, now_ms: int) -> bool:
        """Return whether it is a flood; it begins and ends by this question alone."""
        newest = sum(now_ms - shown_ms <= FLOOD_MS for shown_ms in self._shown_ms)
        least = CALM_ALARMS if self._is_flood else FLOOD_ALARMS
        self._is_flood = newest >= least * self._operators
        return self._is_flood
