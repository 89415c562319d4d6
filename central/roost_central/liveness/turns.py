"""Whether two boxes speak as one node: boots that take turns. Pure.

A machine that reboots never speaks with its old boot id again, but for messages that were on their
way: they come at once, in one burst. Two boxes with one identity are heard by turns, beat by beat.

Invariants: one burst is one turn at most; what ceased to take turns is forgotten.
"""

from dataclasses import dataclass
from typing import Final

TURNS_MIN: Final = 4  # back to a boot that was heard before the last one: two are a burst's edges
TURN_PERMILLE: Final = 500  # of a beat: turns that follow one another faster are one burst
CALM_PERMILLE: Final = 20_000  # of a beat, without a turn: the other box is gone


@dataclass(slots=True)
class Turns:
    """The boots of one node as they were heard, one after the other."""

    last: bytes = b""
    before: bytes = b""
    count: int = 0
    turned_ms: int = 0
    is_suspected: bool = False

    def hear(self, boot_id: bytes, now_ms: int, interval_ms: int) -> bool | None:
        """Take in who speaks; return whether two boxes are suspected, where that is new."""
        calm_ms = interval_ms * CALM_PERMILLE // 1000
        if self.count and now_ms - self.turned_ms >= calm_ms:
            self.count = 0
            if self.is_suspected:
                self.is_suspected = False
                return False
        if boot_id == self.last:
            return None
        is_back = boot_id == self.before
        self.before, self.last = self.last, boot_id
        is_burst = self.count and now_ms - self.turned_ms < interval_ms * TURN_PERMILLE // 1000
        if is_burst or not is_back:
            return None
        self.count += 1
        self.turned_ms = now_ms
        if self.count < TURNS_MIN or self.is_suspected:
            return None
        self.is_suspected = True
        return True
