"""Whether one process answers: what it is asked by number, and misses in a row. Pure.

Asked is a ping, a probe, a connection or systemd, by its mode.
"""

from typing import Final

SEQ_MAX: Final = 0x7FFF_FFFF  # libamon reads a signed number


class Pinging:
    """The questions to one process.

    Args:
        period_ms: from one to the next.
        timeout_ms: for an answer; None: whoever asks tells how each one ended.
        threshold: answers missed in a row that are too many.

    Attributes:
        misses: in a row.
        complaint: what was wrong with the last answer; empty: there was none.
    """

    def __init__(self, period_ms: int, timeout_ms: int | None, threshold: int) -> None:
        self._period_ms = period_ms
        self._timeout_ms = timeout_ms
        self._threshold = threshold
        self._seq = 0
        self._is_out = False
        self._next_ms: int | None = None
        self._late_ms: int | None = None  # when the one that is out counts as missed
        self.misses = 0
        self.complaint = ""

    @property
    def has_failed(self) -> bool:
        """Whether too many were missed in a row."""
        return self.misses >= self._threshold

    def begin(self, at_ms: int) -> None:
        """Begin with another process: the first question goes out then."""
        self.end()
        self._next_ms, self.misses, self.complaint = at_ms, 0, ""

    def end(self) -> None:
        """Ask no more."""
        self._next_ms = self._late_ms = None
        self._is_out = False

    def answered(self, seq: int, complaint: str | None = "") -> bool:
        """Take an answer, None: nobody could ask; False where no such question is out."""
        if not self._is_out or seq != self._seq:
            return False
        self._is_out, self._late_ms = False, None
        if complaint:
            self._miss(complaint)
        elif complaint is not None:
            self.misses, self.complaint = 0, ""
        return True

    def tick(self, now_ms: int) -> int | None:
        """Count what is late, and return the number of the question that is due; None: none is."""
        if self._late_ms is not None and now_ms >= self._late_ms:
            self._miss("")
        if self._next_ms is None or self._is_out or now_ms < self._next_ms:
            return None
        self._seq = self._seq % SEQ_MAX + 1
        self._is_out = True
        self._next_ms = now_ms + self._period_ms
        self._late_ms = None if self._timeout_ms is None else now_ms + self._timeout_ms
        return self._seq

    def due_ms(self) -> int | None:
        """Return when the next tick is needed."""
        return self._late_ms if self._is_out else self._next_ms

    def _miss(self, complaint: str) -> None:
        self._is_out, self._late_ms, self.complaint = False, None, complaint
        self.misses += 1
