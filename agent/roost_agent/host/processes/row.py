"""The restarts of one process: how many in a row, how often it fell, when the next is due. Pure.

A row begins when a process falls that had settled, and ends when it has settled again. What settles
each time and falls again has as many rows as falls: more of them within FLAPS_MS than it may have
restarts in one row are a failure too, until so many are longer ago.
"""

from collections import deque
from typing import Final

RESTART_MS_MIN: Final = 1_000  # between two restarts, whatever the file says
AGAIN_MS: Final = 1_000  # after a helper that is busy
NO_HELPER_MS: Final = 60_000  # until one that nobody may restart is tried again
FLAPS_MS: Final = 600_000  # in which rows are counted
NOT_OURS: Final = frozenset({"bad", "unknown", "catalogue", "gone"})  # nobody here may restart it
LATER: Final = frozenset({"rate", "busy"})


class Row:
    """Those of one process.

    Args:
        most: restarts in a row before its severity counts.
        interval_ms: from one to the next.
        has_service: the helper may start it.

    Attributes:
        count: restarts since it last settled.
        total: all of them.
        is_asked: a restart is under way.
        may: somebody here may restart it, as far as one knows.
        due_ms: when the next one is asked for; None: none is wanted.
    """

    def __init__(self, most: int, interval_ms: int, *, has_service: bool) -> None:
        self.count = 0
        self.total = 0
        self.is_asked = False
        self.may = has_service
        self.due_ms: int | None = None
        self._most = most
        self._interval_ms = max(interval_ms, RESTART_MS_MIN)
        self._has_service = has_service
        self._asked_ms: int | None = None
        self._falls: deque[int] = deque(maxlen=most + 1)  # when its last rows began

    @property
    def is_spent(self) -> bool:
        """Whether one more fall is one too many."""
        return self.count >= self._most

    def fell(self, now_ms: int) -> bool:
        """Note a fall of what had settled; return whether it falls too often."""
        self._falls.append(now_ms)
        return self._calm_ms() > now_ms

    def settles_ms(self, at_ms: int, *, has_failed: bool) -> int:
        """Return when it has settled; what failed by falling often, when the falls are long ago."""
        return max(at_ms, self._calm_ms()) if has_failed else at_ms

    def plan(self, now_ms: int) -> bool:
        """Have it restarted when that is due; False: nobody here may."""
        self.may = self._has_service  # the catalogue may have it by now
        if self.may:
            first_ms = now_ms if self._asked_ms is None else self._asked_ms + self._interval_ms
            self.due_ms = max(now_ms, first_ms)
        return self.may

    def ask(self, now_ms: int) -> None:
        """Note that a restart is under way."""
        self.is_asked, self.may, self._asked_ms = True, True, now_ms
        self.count += 1

    def refused(self, error: str, now_ms: int) -> bool:
        """Take that it was not restarted, by the helper's word; False: that counts for nothing."""
        counts = error not in NOT_OURS and error not in LATER
        if counts:
            self.due_ms = now_ms + self._interval_ms
            return True
        self.count -= 1
        self.may = error in LATER
        self._asked_ms = None
        self.due_ms = now_ms + (AGAIN_MS if self.may else NO_HELPER_MS)
        return False

    def by_others(self) -> bool:
        """Count one that somebody else began; return whether it is one too many."""
        self.count += 1
        self.total += 1
        self.due_ms = None
        return self.count > self._most

    def end(self) -> None:
        """Forget it: the process has settled."""
        self.count = 0

    def _calm_ms(self) -> int:
        """Return until when it falls too often; 0: it does not."""
        is_full = len(self._falls) > self._most > 0
        return self._falls[0] + FLAPS_MS if is_full else 0
