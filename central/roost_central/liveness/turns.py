"""Whether two boxes speak as one node: starts that take turns, or one number for two beats. Pure.

A start of an agent (boot, incarnation) that was followed by another never speaks again, but for
messages that were on their way: they come at once, in one burst. Two boxes with one identity are
heard by turns, beat by beat. Two that were copied while they ran are one start to us, and use the
same numbers for different beats.

Invariants: one burst is one turn at most; what was heard before, and is said again by a broker, is
no turn; what ceased is forgotten.
"""

from dataclasses import dataclass, field
from typing import Final

Start = tuple[bytes, int]  # boot id and incarnation

TURNS_MIN: Final = 4  # back to a start that was heard before the last one: two are a burst's edges
TURN_PERMILLE: Final = 500  # of a beat: turns that follow one another faster are one burst
CALM_PERMILLE: Final = 20_000  # of a beat, without a turn: the other box is gone
STARTS_MAX: Final = 4  # whose last word is remembered


@dataclass(slots=True)
class Turns:
    """The starts of one node as they were heard, one after the other."""

    last: Start | None = None
    before: Start | None = None
    count: int = 0
    turned_ms: int = 0
    is_suspected: bool = False
    said_ms: dict[Start, int] = field(default_factory=dict)  # its last word, by its own clock
    forgotten_ms: int = -1  # the last word of all that are remembered no more

    def hear(
        self, start: Start, now_ms: int, interval_ms: int, sent_ms: int | None = None
    ) -> bool | None:
        """Take in who speaks; return whether two boxes are suspected, where that is new.

        Args:
            start: of the agent that speaks.
            now_ms: the centre's monotonic clock.
            interval_ms: between the node's beats.
            sent_ms: the speaker's own clock; what is not later than its last word is an echo.
        """
        if self._is_over(now_ms, interval_ms):
            return False
        if start == self.last:
            if sent_ms is not None:
                self.said_ms[start] = max(sent_ms, self.said_ms.get(start, 0))
            return None
        if sent_ms is not None and sent_ms <= self.said_ms.get(start, self.forgotten_ms):
            return None
        self._remember(start, sent_ms or 0)
        is_back = start == self.before
        self.before, self.last = self.last, start
        return self._turned(now_ms, interval_ms) if is_back else None

    def fork(self, now_ms: int, interval_ms: int) -> bool | None:
        """Take in one number for two beats; return as ``hear`` does."""
        return self._turned(now_ms, interval_ms)

    def _turned(self, now_ms: int, interval_ms: int) -> bool | None:
        if self.count and now_ms - self.turned_ms < interval_ms * TURN_PERMILLE // 1000:
            return None  # of the same burst
        self.count += 1
        self.turned_ms = now_ms
        if self.count < TURNS_MIN or self.is_suspected:
            return None
        self.is_suspected = True
        return True

    def _is_over(self, now_ms: int, interval_ms: int) -> bool:
        """Forget what ceased; return whether two boxes were suspected until now."""
        if not self.count or now_ms - self.turned_ms < interval_ms * CALM_PERMILLE // 1000:
            return False
        was_suspected = self.is_suspected
        self.count, self.is_suspected = 0, False
        return was_suspected

    def _remember(self, start: Start, sent_ms: int) -> None:
        self.said_ms.pop(start, None)
        self.said_ms[start] = sent_ms
        if len(self.said_ms) > STARTS_MAX:
            oldest = next(iter(self.said_ms))
            self.forgotten_ms = max(self.forgotten_ms, self.said_ms.pop(oldest))
