"""What waits for one slow client: a bounded queue that turns into one Resync when it overflows."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from roost_central.stream.core import Action, Frame, Resync

FRAMES_MAX: Final = 64  # 16 s at the full rate; behind that a new snapshot is cheaper
BYTES_MAX: Final = 1 << 20  # per client; 256 clients stay within 256 MiB at the very worst


class Backlog:
    """The actions one client has not been sent yet.

    Invariant: a Resync stands alone or first, since it makes what was before it worthless.
    """

    def __init__(self) -> None:
        self._waiting: deque[Action] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, actions: Sequence[Action]) -> None:
        """Append actions; past a bound, keep one Resync in place of them all."""
        for action in actions:
            if isinstance(action, Resync):
                self._only(action)
            else:
                self._append(action)

    def take(self) -> Action:
        """Return the oldest action.

        Raises:
            IndexError: nothing waits.
        """
        action = self._waiting.popleft()
        if isinstance(action, Frame):
            self._bytes -= action.size
        return action

    def _append(self, frame: Frame) -> None:
        if len(self._waiting) >= FRAMES_MAX or self._bytes + frame.size > BYTES_MAX:
            self._only(Resync(frame.n, "slow"))
            return
        self._waiting.append(frame)
        self._bytes += frame.size

    def _only(self, resync: Resync) -> None:
        self._waiting.clear()
        self._bytes = 0
        self._waiting.append(resync)
