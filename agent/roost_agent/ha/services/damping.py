"""How often a group left a node: a node that keeps losing it is left out for a while (ha.md 8)."""

import math
from typing import Final

PENALTY: Final = 1_000.0  # of one failover
HALF_LIFE_MS: Final = 600_000
SUPPRESS: Final = 3_000.0  # from here on the node is no candidate
REUSE: Final = 750.0  # until it is below this


class Damping:
    """One group on one node."""

    __slots__ = ("_at_ms", "_is_suppressed", "_penalty")

    def __init__(self) -> None:
        self._penalty = 0.0
        self._at_ms = 0
        self._is_suppressed = False

    def lost(self, now_ms: int) -> None:
        """Take in that the node lost the group by a failure."""
        self._penalty = self.penalty(now_ms) + PENALTY
        self._at_ms = now_ms

    def penalty(self, now_ms: int) -> float:
        """Return what is left of all penalties."""
        return self._penalty * math.exp2(-(now_ms - self._at_ms) / HALF_LIFE_MS)

    def is_suppressed(self, now_ms: int) -> bool:
        """Return whether the node is left out; a sole survivor never is, which its caller knows."""
        left = self.penalty(now_ms)
        self._is_suppressed = left > SUPPRESS or (self._is_suppressed and left >= REUSE)
        return self._is_suppressed
