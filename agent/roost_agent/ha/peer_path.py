"""One peer as heard on one path: how much of it arrives, and the word for that.

Leaves to others: whether the peer lives (freshness). What is counted here may be old news brought
by a slow connection; it names a fault and never prolongs a life.
"""

from enum import StrEnum
from typing import Final

WINDOW_S: Final = 30  # that the loss is counted over
FLAKY_ABOVE_PERMILLE: Final = 200
FLAKY_UNTIL_PERMILLE: Final = 150  # below the other: a path at the limit must not alternate
EXPECTED_MIN: Final = 20  # beats; fewer make one lost beat look like a bad path
SILENT_BEATS: Final = 4  # a path without a beat for so many periods carries nothing
FORGET_BEATS: Final = 20  # silent for so long, the loss is counted anew when it is heard again


class PeerPathState(StrEnum):
    """What one path is worth between this node and one peer.

    ``oneway-out``: only the way out works, the peer hears us and we do not hear it.
    ``oneway-in``: only the way in works. ``unknown``: our own frames do not come back from the
    broker, so the broker or our own link is at fault, which is no evidence about the peer.
    """

    UP = "up"
    FLAKY = "flaky"
    ONEWAY_OUT = "oneway-out"
    ONEWAY_IN = "oneway-in"
    DOWN = "down"
    UNKNOWN = "unknown"


CARRIES: Final = frozenset({PeerPathState.UP, PeerPathState.FLAKY})


class PeerPath:
    """The beats of one peer on one path.

    Args:
        h_ms: our beat period; a peer that beats slower says so in its frames.
    """

    __slots__ = ("_beats", "_is_flaky", "_since_ms", "period_ms", "sent_ms")

    def __init__(self, h_ms: int) -> None:
        self.period_ms = h_ms
        self.sent_ms: int | None = None  # when its newest frame here left it, in our clock
        self._since_ms = 0
        self._beats: dict[int, int] = {}  # second -> beats
        self._is_flaky = False

    def heard(self, sent_ms: int, period_ms: int, now_ms: int) -> None:
        """Note a frame that left the peer at ``sent_ms``, as far as that is known."""
        self.period_ms = period_ms
        if self.sent_ms is None or now_ms - self.sent_ms > FORGET_BEATS * period_ms:
            self._since_ms = now_ms
            self._beats.clear()
        self.sent_ms = max(sent_ms, self.sent_ms or 0)

    def beat(self, now_ms: int) -> None:
        """Count one beat."""
        second = now_ms // 1000
        self._beats[second] = self._beats.get(second, 0) + 1
        for old in [each for each in self._beats if each <= second - WINDOW_S]:
            del self._beats[old]

    def is_heard(self, now_ms: int) -> bool:
        """Whether something that left the peer of late came in here."""
        return self.sent_ms is not None and now_ms - self.sent_ms <= SILENT_BEATS * self.period_ms

    def loss_permille(self, now_ms: int) -> int:
        """Return how many of its beats did not come, over WINDOW_S at most."""
        span_ms = min(now_ms - self._since_ms, WINDOW_S * 1000)
        expected = span_ms // self.period_ms
        if expected < EXPECTED_MIN:
            return 0
        oldest = (now_ms - span_ms) // 1000
        came = sum(beats for second, beats in self._beats.items() if second >= oldest)
        return max(0, 1000 * (expected - came) // expected)

    def state(self, now_ms: int, *, is_seen: bool, is_echoing: bool) -> PeerPathState:
        """Return the word for this path.

        Args:
            now_ms: the boot clock.
            is_seen: whether the peer says, on any path, that it hears us on this one.
            is_echoing: whether our own frames come back here.
        """
        if not is_echoing:
            return PeerPathState.UNKNOWN
        if not self.is_heard(now_ms):
            return PeerPathState.ONEWAY_OUT if is_seen else PeerPathState.DOWN
        if not is_seen:
            return PeerPathState.ONEWAY_IN
        limit = FLAKY_UNTIL_PERMILLE if self._is_flaky else FLAKY_ABOVE_PERMILLE
        self._is_flaky = self.loss_permille(now_ms) > limit
        return PeerPathState.FLAKY if self._is_flaky else PeerPathState.UP
