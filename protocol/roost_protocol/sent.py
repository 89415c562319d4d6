"""When one's own frames left: what a frame that echoes one of them is dated by (docs/ha.md).

The rule is the same between nodes and at the witness: a frame that echoes my frame k is not older
than the time since I sent k. Only of the last SENT_MAX frames is that known.
"""

from typing import Final

SENT_MAX: Final = 512  # half a minute of the fastest profile's frames


class SentFrames:
    """Numbers frames from 1 on, and knows when the last of them were sent."""

    __slots__ = ("_last", "_times")

    def __init__(self) -> None:
        self._last = 0
        self._times: dict[int, int] = {}

    def next(self, now_ms: int) -> int:
        """Return the number of a frame that is about to leave; the clock was read before."""
        self._last += 1
        self._times[self._last] = now_ms
        if len(self._times) > SENT_MAX:
            del self._times[next(iter(self._times))]
        return self._last

    def when(self, seq: int) -> int | None:
        """Return when a frame was sent, in ms; None where it never was, or too long ago."""
        return self._times.get(seq)
