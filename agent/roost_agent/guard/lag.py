"""How late the guard itself wakes: the part of the margin that no deadline can give back."""

from __future__ import annotations

from roost_agent.guard.record import Final

WAITS_MIN: Final = 1_000  # fewer say nothing of one in a thousand
WAITS: Final = 6_000  # of a spell, ten minutes of ticks of 100 ms; the last two spells count
MS_MAX: Final = 10_000  # all that is later counts as this: a suspend, or a guard that was stopped


class Lag:
    """The 99.9th percentile of what was overslept, over 6,000 to 12,000 waits."""

    __slots__ = ("_before", "_now", "_waits")

    def __init__(self) -> None:
        self._before: dict[int, int] = {}  # ms -> how often
        self._now: dict[int, int] = {}
        self._waits = 0

    def waited(self, over_ms: int) -> None:
        """Take in a wait that was to end so long ago."""
        late_ms = min(over_ms, MS_MAX)
        self._now[late_ms] = self._now.get(late_ms, 0) + 1
        self._waits += 1
        if self._waits >= WAITS:
            self._before, self._now, self._waits = self._now, {}, 0

    @property
    def p999_ms(self) -> int | None:
        """What one wait of a thousand is late by, or more; None: there were too few waits."""
        total = sum(self._before.values()) + self._waits
        if total < WAITS_MIN:
            return None
        above = 0
        for late_ms in sorted({*self._before, *self._now}, reverse=True):
            above += self._before.get(late_ms, 0) + self._now.get(late_ms, 0)
            if above * 1_000 > total:
                return late_ms
        return 0
