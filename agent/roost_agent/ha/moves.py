"""How often a group moved by choice: a site must not dance, whoever leads (design: ha, I13)."""

from collections import deque
from typing import Final

MOVES_MAX: Final = 3  # chosen moves of a group ...
MOVES_MS: Final = 600_000  # ... within this


class Moves:
    """The chosen moves of each lease from this node. Takeovers are none and wait for nothing."""

    def __init__(self) -> None:
        self._at_ms: dict[str, deque[int]] = {}

    def may_move(self, lease: str, now_ms: int) -> bool:
        """Return whether one more is allowed, and count it if so."""
        moves = self._at_ms.setdefault(lease, deque(maxlen=MOVES_MAX))
        if len(moves) == MOVES_MAX and now_ms - moves[0] < MOVES_MS:
            return False
        moves.append(now_ms)
        return True
