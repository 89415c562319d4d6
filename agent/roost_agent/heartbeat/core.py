"""When to beat on which path, and under which number.

Leaves to others: connecting, filling and encoding the beat, the clock and the jitter.

Invariants:
- a path's numbers start at 1 and rise by one for each beat handed out, whether or not it arrives,
  so that a gap in them is the path's loss;
- between two beats of a ready path lies at most its interval: jitter only shortens it;
- changes are coalesced: they bring a beat forward, at most one a CHANGE_SPACING_MS.
"""

from collections.abc import Mapping
from typing import Final, assert_never

import msgspec

COALESCE_MS: Final = 100  # changes come in groups: a link that falls takes its paths with it
CHANGE_SPACING_MS: Final = 1_000  # a flapping path must not turn beats into a flood
JITTER_SHARE: Final = 0.1  # of the interval: breaks up fleets that were started together

START: Final = "start"
TIMER: Final = "timer"
CHANGE: Final = "change"


class Ready(msgspec.Struct, frozen=True):
    """The path can carry a beat from now on."""

    path: str
    jitter: float


class Lost(msgspec.Struct, frozen=True):
    """The path carries nothing until it is ready again."""

    path: str


class Changed(msgspec.Struct, frozen=True):
    """Something that beats tell has changed."""


class Intervals(msgspec.Struct, frozen=True):
    """These paths beat at other intervals from now on."""

    by_path: Mapping[str, int]


class Tick(msgspec.Struct, frozen=True):
    """Time has passed; ``jitter`` in [0, 1) is spread over the beats that this tick sends."""

    jitter: float


Event = Ready | Lost | Changed | Intervals | Tick


class SendBeat(msgspec.Struct, frozen=True):
    """Send beat ``n`` on ``path``; the next one comes within ``interval_ms``."""

    path: str
    n: int
    why: str
    interval_ms: int


class _Pulse:
    """One path's beats."""

    __slots__ = ("due_ms", "interval_ms", "last_ms", "n", "ready", "why")

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self.n = 0
        self.ready = False
        self.why = TIMER
        self.last_ms = 0
        self.due_ms = 0


class Heartbeat:
    """The beats of one node over all its paths.

    Args:
        intervals_ms: interval of each path, by name.
    """

    __slots__ = ("_pulses",)

    def __init__(self, intervals_ms: Mapping[str, int]) -> None:
        self._pulses = {name: _Pulse(interval) for name, interval in intervals_ms.items()}

    def handle(self, event: Event, now_ms: int) -> list[SendBeat]:
        """Take in one event and return the beats that are due.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        match event:
            case Ready(path, jitter):
                pulse = self._pulses[path]
                pulse.ready = True
                return [_beat(path, pulse, START if pulse.n == 0 else CHANGE, now_ms, jitter)]
            case Lost(path):
                self._pulses[path].ready = False
                return []
            case Changed():
                self._bring_forward(now_ms)
                return []
            case Intervals(by_path):
                self._change(by_path)
                return []
            case Tick(jitter):
                return [
                    _beat(name, pulse, pulse.why, now_ms, jitter)
                    for name, pulse in self._pulses.items()
                    if pulse.ready and pulse.due_ms <= now_ms
                ]
            case _:
                assert_never(event)

    def due_ms(self) -> int | None:
        """Return when the next tick is needed, None while no path is ready."""
        return min((p.due_ms for p in self._pulses.values() if p.ready), default=None)

    def _change(self, by_path: Mapping[str, int]) -> None:
        """Take other intervals; a beat that would come after the new one's end is due at it."""
        for name, interval_ms in by_path.items():
            pulse = self._pulses[name]
            pulse.interval_ms = interval_ms
            pulse.due_ms = min(pulse.due_ms, pulse.last_ms + interval_ms)

    def _bring_forward(self, now_ms: int) -> None:
        for pulse in self._pulses.values():
            due_ms = max(now_ms + COALESCE_MS, pulse.last_ms + CHANGE_SPACING_MS)
            if pulse.ready and due_ms < pulse.due_ms:
                pulse.due_ms = due_ms
                pulse.why = CHANGE


def _beat(path: str, pulse: _Pulse, why: str, now_ms: int, jitter: float) -> SendBeat:
    pulse.n += 1
    pulse.why = TIMER
    pulse.last_ms = now_ms
    pulse.due_ms = now_ms + round(pulse.interval_ms * (1 - JITTER_SHARE * jitter))
    return SendBeat(path, pulse.n, why, pulse.interval_ms)
