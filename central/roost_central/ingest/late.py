"""What a box says whose identity has just ended: its last words, not somebody else's. Pure.

A box that is replaced or revoked while it is on is told by its sessions being closed, which has the
broker say its last will; what it had on its way comes too. That is no attack. Who goes on so for
longer than that takes has kept a key that ought to be gone, and is told.
"""

from typing import Final

LATE_MS: Final = 300_000  # from the first such word on: sessions are closed within 10 s
ENDED_MAX: Final = 4_096  # identities; whose was first is forgotten first


class LateWords:
    """By node and generation when the first word after its end came."""

    def __init__(self) -> None:
        self._first_ms: dict[tuple[str, str], int] = {}

    def is_usual(self, node: str, generation: str, now_ms: int) -> bool:
        """Whether a word of an ended generation, sealed by it, is to be expected now."""
        key = (node, generation)
        if key not in self._first_ms and len(self._first_ms) >= ENDED_MAX:
            del self._first_ms[next(iter(self._first_ms))]
        return now_ms - self._first_ms.setdefault(key, now_ms) <= LATE_MS
