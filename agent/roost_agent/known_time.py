"""What time it is as far as a node can know: the centre's word, carried on by the boot clock.

A node's own clock may be years off, and may be set while the agent runs. So it counts only until
the centre has told the time, in a message that it sealed; from then on it is compared, not believed
(design: security, section 3). Nothing is kept over a restart: the first receipt tells it again.

Invariants:
- the centre's word is carried on by the clock that never steps, so no step of ours moves it;
- our clock never becomes the centre's word.
"""

from typing import Final

from roost_agent.ports import Clock

# Our clock may judge certificates while it is as near as this to the centre's: an hour is nothing
# in the life of one, and a clock that lost its battery is years off.
NEAR_MS: Final = 3_600_000
TURN_MS: Final = 600_000  # words of this turn and of the one before are compared
TOLD_MIN: Final = 2  # words until the offset is told: one alone may have been on its way for long
LASTING_MS: Final = 24 * 3_600_000  # boot clocks drift by some seconds a day


class KnownTime:
    """A ``Clock`` whose wall clock is the centre's, once that is known.

    A word was said before it came, so the centre is at least as far ahead as it seems: of those of
    a while the highest is nearest to the truth. A centre that was ahead itself is believed again
    once it is right for two turns.

    Args:
        clock: the node's own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._words = 0
        self._told_ms = self._turned_ms = 0  # boot clock
        self._highest: tuple[int, ...] = ()  # UTC less boot clock: of this turn, and the one before

    def told(self, centre_ms: int) -> None:
        """Take the time (UTC ms) at which the centre sealed what came in now."""
        now_ms = self._clock.boot_ms()
        ahead_ms = centre_ms - now_ms
        if not self._highest or now_ms - self._turned_ms >= TURN_MS:
            self._turned_ms = now_ms
            self._highest = (ahead_ms, *self._highest[:1])
        self._highest = (max(ahead_ms, self._highest[0]), *self._highest[1:])
        self._told_ms = now_ms
        self._words += 1

    @property
    def is_ours_right(self) -> bool:
        """Whether the node's own clock is near the centre's, now; no while that is unknown."""
        return bool(self._highest) and abs(self.wall_ms() - self._clock.wall_ms()) <= NEAR_MS

    def offset_s(self) -> float | None:
        """Return how far the centre's clock is ahead; None where it has told too little of late."""
        if self._words < TOLD_MIN or self.boot_ms() - self._told_ms > LASTING_MS:
            return None
        return (self.wall_ms() - self._clock.wall_ms()) / 1000

    def wall_ms(self) -> int:
        """See Clock: the centre's, or the node's own until that is known."""
        if not self._highest:
            return self._clock.wall_ms()
        return max(self._highest) + self._clock.boot_ms()

    def mono_ms(self) -> int:
        """See Clock."""
        return self._clock.mono_ms()

    def boot_ms(self) -> int:
        """See Clock."""
        return self._clock.boot_ms()
