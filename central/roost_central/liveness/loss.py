"""Whether beats of a WAN path go missing while the path is up, for long enough to be told. Pure.

A beat is sent at QoS 0: one that is lost now and then is the network's, a fifth of them is a broker
or a line that drops. Reports are sent again, so nothing else is lost by it. Silence is another
matter (path.py), and what was said while nobody could hear is no loss.

Invariants: it is judged by whole windows only; a raise needs LOST_MIN of the last BEATS, an end a
window without a loss; raises and ends alternate.
"""

from dataclasses import dataclass
from typing import Final

BEATS: Final = 20  # ten minutes at the usual interval
LOST_MIN: Final = 4  # of them: 1 % of loss at random is told once in weeks, 20 % in minutes
_MASK: Final = (1 << BEATS) - 1


@dataclass(slots=True)
class Loss:
    """The last beats that were due on one path.

    Attributes:
        is_lossy: None until a first window was whole.
    """

    is_lossy: bool | None = None
    _bits: int = 0
    _size: int = 0

    def restart(self) -> None:
        """Begin a window anew: the agent counts from one again."""
        self._bits = self._size = 0

    def arrive(self, skipped: int, *, was_heard: bool) -> None:
        """Take in a beat.

        Args:
            skipped: numbers that were due before it and did not come.
            was_heard: whether they would have been heard; if not, the window begins anew.
        """
        if skipped and not was_heard:
            self.restart()
            skipped = 0
        ahead = min(skipped + 1, BEATS)
        self._bits = ((self._bits << ahead) | 1) & _MASK
        self._size = min(self._size + ahead, BEATS)

    def late(self, behind: int) -> None:
        """Take in a beat that was overtaken by ``behind`` others."""
        if behind < self._size:
            self._bits |= 1 << behind

    def judge(self) -> int | None:
        """Return how many of the last BEATS were lost where ``is_lossy`` turned, else None."""
        if self._size < BEATS:
            return None
        lost = BEATS - self._bits.bit_count()
        is_lossy = lost >= LOST_MIN or (bool(self.is_lossy) and lost > 0)
        if is_lossy is self.is_lossy:
            return None
        self.is_lossy = is_lossy
        return lost
