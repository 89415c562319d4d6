"""How often one alarm came, went and was told: what flap damping decides by.

Kept while the alarm is raised and for an hour after; in memory alone.

Rules (design, faults sections 3 and 4): four turns within ten minutes, or twenty tellings within
an hour, make an alarm flapping; it stays raised until it has been clear for five minutes, and is
told once a minute at most. What is worse than all that was told of the episode is told at once.
"""

from collections import deque
from typing import Final

import msgspec

from roost_agent.alarms.row import Held
from roost_protocol.severity import Severity

FLAPS: Final = 4
FLAP_WINDOW_MS: Final = 600_000
CALM_MS: Final = 300_000  # clear for so long: it is over
TELL_EVERY_MS: Final = 60_000  # of a flapping alarm
TOLD_MAX: Final = 20
TOLD_WINDOW_MS: Final = 3_600_000


_CLEAR: Final = Held(Severity.CLEARED)


class Track(msgspec.Struct):
    """One key.

    Attributes:
        wanted: how it is now, told or not.
        clear_ms: since when it has been clear; boot clock.
        expires_ms: when it clears unless it is raised again; None: never.
        count: raises of this episode.
        worst: told of this episode.
        is_ordered: it was an order that brought it about: it came, and goes, without a turn.
    """

    wanted: Held = _CLEAR
    owner: str = ""
    ttl_ms: int = 0
    clear_ms: int = 0
    expires_ms: int | None = None
    count: int = 0
    worst: Severity = Severity.CLEARED
    is_flapping: bool = False
    is_ordered: bool = False
    turns_ms: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=FLAPS))
    told_ms: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=TOLD_MAX))

    @property
    def is_wanted(self) -> bool:
        """Whether its condition is there."""
        return self.wanted.severity is not Severity.CLEARED

    def judge(self, now_ms: int) -> None:
        """Decide whether it flaps."""
        if _within(self.turns_ms, FLAP_WINDOW_MS, now_ms) or _within(
            self.told_ms, TOLD_WINDOW_MS, now_ms
        ):
            self.is_flapping = True
        elif self.is_wanted:
            self.is_flapping = False
        if not self.is_wanted and now_ms - self.clear_ms >= CALM_MS:
            self.is_flapping = False

    def may_tell_ms(self, now_ms: int) -> int:
        """Return when the next change may be told; ``now_ms`` or before: at once."""
        if not self.is_flapping or self.wanted.severity > self.worst or not self.told_ms:
            return now_ms
        return self.told_ms[-1] + TELL_EVERY_MS

    def calms_ms(self) -> int:
        """Return when a held alarm that is clear may go."""
        return self.clear_ms + CALM_MS

    def settles_ms(self, now_ms: int) -> int:
        """Return when a flapping alarm that stays raised is none any more."""
        ends = [now_ms]
        if _within(self.turns_ms, FLAP_WINDOW_MS, now_ms):
            ends.append(self.turns_ms[0] + FLAP_WINDOW_MS)
        if _within(self.told_ms, TOLD_WINDOW_MS, now_ms):
            ends.append(self.told_ms[0] + TOLD_WINDOW_MS)
        return max(ends)

    def is_stale(self, now_ms: int) -> bool:
        """Whether nothing of it can matter any more, once it is cleared."""
        last_ms = max((*self.told_ms, *self.turns_ms), default=0)
        return now_ms - last_ms >= TOLD_WINDOW_MS


def _within(times_ms: deque[int], window_ms: int, now_ms: int) -> bool:
    return len(times_ms) == times_ms.maxlen and now_ms - times_ms[0] < window_ms
