"""Whether one process answers: pings by number, and how many in a row were not answered. Pure."""

from typing import Final

SEQ_MAX: Final = 0x7FFF_FFFF  # libamon reads a signed number


class Pinging:
    """The pings of one process.

    Args:
        period_ms: from one ping to the next.
        timeout_ms: for an answer.
        threshold: answers missed in a row that are too many.
    """

    def __init__(self, period_ms: int, timeout_ms: int, threshold: int) -> None:
        self._period_ms = period_ms
        self._timeout_ms = timeout_ms
        self._threshold = threshold
        self._seq = 0
        self._next_ms: int | None = None
        self._late_ms: int | None = None  # when the ping that is out counts as missed
        self.misses = 0

    @property
    def has_failed(self) -> bool:
        """Whether too many were missed in a row."""
        return self.misses >= self._threshold

    def begin(self, at_ms: int) -> None:
        """Begin with another process: the first ping goes out then."""
        self._next_ms, self._late_ms, self.misses = at_ms, None, 0

    def end(self) -> None:
        """Ask no more."""
        self._next_ms = self._late_ms = None

    def answered(self, seq: int) -> bool:
        """Take an answer; False where it is to no ping that is out."""
        if self._late_ms is None or seq != self._seq:
            return False
        self._late_ms, self.misses = None, 0
        return True

    def tick(self, now_ms: int) -> int | None:
        """Count what is late, and return the number of the ping that is due; None: none is."""
        if self._late_ms is not None and now_ms >= self._late_ms:
            self._late_ms, self.misses = None, self.misses + 1
        if self._next_ms is None or self._late_ms is not None or now_ms < self._next_ms:
            return None
        self._seq = self._seq % SEQ_MAX + 1
        self._next_ms = now_ms + self._period_ms
        self._late_ms = now_ms + self._timeout_ms
        return self._seq

    def due_ms(self) -> int | None:
        """Return when the next tick is needed."""
        return self._next_ms if self._late_ms is None else self._late_ms
