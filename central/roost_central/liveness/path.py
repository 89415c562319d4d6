"""One path of one node as the centre measures it: arrivals, loss, and what the node says of it."""

from dataclasses import dataclass, field
from typing import Final

from roost_central.liveness.loss import Loss
from roost_protocol.beat import PathKind, PathState

LOSS_WINDOW: Final = 100  # beats: permille of the last hundred
SENT_MAX: Final = 8  # beats whose time is remembered, to tell one said again from another one
_TROUBLES: Final = frozenset({PathState.DOWN.value, PathState.FLAKY.value})
_MASK: Final = (1 << LOSS_WINDOW) - 1


@dataclass(slots=True)
class Path:
    """State of one path.

    Attributes:
        first_ms: when the node first named it.
        arrived_ms: the last arrival, by the centre's monotonic clock.
        gone_ms: its will, and no arrival since.
        reported: the node's word.
        state: what the centre holds to be true.
        is_announced: its trouble was told, so that its end must be told too.
        loss: of beats while it is up, as it is alarmed.
    """

    name: str
    first_ms: int
    is_wan: bool = True
    arrived_ms: int | None = None
    gone_ms: int | None = None
    reported: str = PathState.UNKNOWN.value
    state: str = PathState.UNKNOWN.value
    is_announced: bool = False
    n: int = 0
    incarnation: int = -1
    loss: Loss = field(default_factory=Loss)
    _window: int = 0
    _window_size: int = 0
    _sent_ms: list[int] = field(default_factory=lambda: [0] * SENT_MAX)

    def arrive(
        self, n: int, incarnation: int, now_ms: int, sent_ms: int = 0, *, hearing_since_ms: int = 0
    ) -> str | None:
        """Take in beat ``n``; return why it is no news, or None when it is.

        ``fork``: another beat had this number, by the sender's own clock.

        Args:
            n: its number on this path.
            incarnation: of the start of the agent that counts.
            now_ms: the centre's monotonic clock.
            sent_ms: the sender's.
            hearing_since_ms: since when the path could be heard without a break.
        """
        if incarnation != self.incarnation:
            self.incarnation = incarnation
            self._window = self._window_size = 0
            self.n = n - 1
            self.loss.restart()
        ahead = n - self.n
        if ahead <= 0:
            return self._fill(n, -ahead, sent_ms)
        self._window = ((self._window << min(ahead, LOSS_WINDOW)) | 1) & _MASK
        self._window_size = min(self._window_size + ahead, LOSS_WINDOW)
        self.n = n
        self._sent_ms[n % SENT_MAX] = sent_ms
        self.loss.arrive(ahead - 1, was_heard=self._was_heard(hearing_since_ms))
        self.arrived_ms = now_ms
        self.gone_ms = None
        return None

    def _fill(self, n: int, behind: int, sent_ms: int) -> str:
        """Count a late beat as arrived, where the window still reaches back to it."""
        if behind >= self._window_size:
            return "late"
        bit = 1 << behind
        if self._window & bit:
            is_remembered = behind < SENT_MAX
            return (
                "fork" if is_remembered and self._sent_ms[n % SENT_MAX] != sent_ms else "duplicate"
            )
        self._window |= bit
        self.loss.late(behind)
        if behind < SENT_MAX:
            self._sent_ms[n % SENT_MAX] = sent_ms
        return "late"

    def _was_heard(self, hearing_since_ms: int) -> bool:
        """Whether all that came since the last arrival would have been heard."""
        is_known = self.state in {PathState.UP.value, PathState.FLAKY.value}
        return is_known and self.arrived_ms is not None and self.arrived_ms >= hearing_since_ms

    @property
    def loss_permille(self) -> int:
        """Beats that did not arrive, of the last LOSS_WINDOW that were due."""
        if not self._window_size:
            return 0
        return 1000 - 1000 * self._window.bit_count() // self._window_size

    def judge(self, now_ms: int, silence_ms: int, hearing_since_ms: int) -> str:
        """Return the state: silence on a WAN path is the centre's own evidence against it.

        Args:
            now_ms: the centre's monotonic clock.
            silence_ms: how long a path may be silent.
            hearing_since_ms: since when the path could be heard without a break.
        """
        if not self.is_wan:
            return self.reported
        if self.arrived_ms == now_ms:
            flaky = self.reported == PathState.FLAKY
            return PathState.FLAKY.value if flaky else PathState.UP.value
        return (
            PathState.DOWN.value
            if now_ms >= self.silent_at(silence_ms, hearing_since_ms)
            else self.reported
        )

    def silent_at(self, silence_ms: int, hearing_since_ms: int) -> int:
        """Return when this path will have been silent for too long, to one that could hear it."""
        since = self.first_ms if self.arrived_ms is None else self.arrived_ms
        return max(since, hearing_since_ms) + silence_ms

    def tells(self, state: str, *, is_quiet: bool) -> bool:
        """Return whether a change to ``state`` is told: each trouble once, its end if it was."""
        if state in _TROUBLES:
            self.is_announced |= not is_quiet
            return not is_quiet
        if state == PathState.UP and self.is_announced:
            self.is_announced = False
            return True
        return False


def is_wan(kind: PathKind) -> bool:
    """Return whether the centre hears this kind of path itself."""
    return kind is PathKind.WAN
