"""What is planned for the fleet: faults beginning and ending, and churn. Pure.

Invariants: nothing is handed out before its time; each fault begins once and ends once.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from roost_agent.sim.fault import Fault

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Turn:
    """A fault begins or ends."""

    fault: Fault
    begins: bool


class Agenda:
    """Faults and churn by time.

    Args:
        faults: in any order.
        churn_per_minute: changes of the whole fleet.
        now_ms: the start.
        alarms_per_minute: alarms of the whole fleet that are raised or cleared.
    """

    def __init__(
        self,
        faults: Iterable[Fault],
        churn_per_minute: float,
        now_ms: int,
        *,
        alarms_per_minute: float = 0,
    ) -> None:
        self._turns: list[tuple[int, int, Turn]] = []
        for number, fault in enumerate(faults):
            at_ms = now_ms + fault.at_ms
            ends_ms = at_ms + fault.for_ms
            heapq.heappush(self._turns, (at_ms, 2 * number, Turn(fault, begins=True)))
            heapq.heappush(self._turns, (ends_ms, 2 * number + 1, Turn(fault, begins=False)))
        self._churn = _Pace(churn_per_minute, now_ms)
        self._alarms = _Pace(alarms_per_minute, now_ms)

    def turns(self, now_ms: int) -> Iterator[Turn]:
        """Yield what begins and ends until now."""
        while self._turns and self._turns[0][0] <= now_ms:
            yield heapq.heappop(self._turns)[2]

    def churns(self, now_ms: int) -> int:
        """Return how many changes are due."""
        return self._churn.due(now_ms)

    def alarms(self, now_ms: int) -> int:
        """Return how many alarms are to turn."""
        return self._alarms.due(now_ms)


class _Pace:
    """So many a minute, evenly."""

    def __init__(self, per_minute: float, now_ms: int) -> None:
        self._every_ms = MINUTE_MS / per_minute if per_minute else None
        self._next_ms = now_ms + (self._every_ms or 0)

    def due(self, now_ms: int) -> int:
        """Return how many are due since the last call."""
        if self._every_ms is None:
            return 0
        count = max(0, int((now_ms - self._next_ms) // self._every_ms) + 1)
        self._next_ms += count * self._every_ms
        return count
