"""The state of one path, and when to connect, probe and give up.

Two kinds, one machine. A probe is what the far end answers: on a WAN path a report (its PUBACK),
on a site path the node's own beat (its echo). What differs is how soon an answer is due, and that
a WAN path asks for a probe where no report has been answered for a while.

Leaves to others: sockets, the clock, the jitter (each event that may draw one brings it along).

Invariants:
- ``up`` and ``flaky`` stand for a connection that has been answered, never for a socket that is
  open; a path that was not tried yet is ``unknown``;
- a connection that leaves MISSES_DOWN probes in a row unanswered is ended, not waited for;
- there is at most one connection or attempt at a time, and none while the path is held.
"""

from collections import OrderedDict
from enum import Enum, auto
from typing import Final, assert_never

import msgspec

from roost_protocol.beat import PathKind, PathState

LOSS_WINDOW: Final = 100  # probes that the loss is counted over: one is 1 %
LOSS_SAMPLES_MIN: Final = 20  # fewer make one lost probe look like a bad path
FLAKY_ABOVE_PERMILLE: Final = 50
FLAKY_UNTIL_PERMILLE: Final = 20  # below the other: a path at the limit must not alternate
FLAPS_MAX: Final = 3  # losses within FLAP_WINDOW_MS that make a path flaky
FLAP_WINDOW_MS: Final = 600_000
MISSES_DOWN: Final = 3  # probes in a row
OUTSTANDING_MAX: Final = 64  # unanswered probes remembered: two lanes of reports, and room

WAN_ANSWER_MS: Final = 10_000  # a satellite's round trip and a broker's queue stay well below
WAN_PROBE_MS: Final = 300_000  # quiet for as long: an empty report measures the round trip

RECONNECT_FIRST_MS: Final = 1_000
RECONNECT_MS_MAX: Final = 300_000
RECONNECT_MS_MIN: Final = 100  # the luckiest draw must not spin either
WINDOW_MS: Final = 10_000  # over which a lost fleet spreads, until central names another
SITE_RECONNECT_MS: Final = (200, 1_000)
REFUSED_MS: Final = (60_000, 3_600_000)  # a wrong credential does not get right by asking


class Cause(Enum):
    """Why an attempt or a connection ended."""

    NETWORK = auto()
    REFUSED = auto()  # the broker does not take our credential


class Start(msgspec.Struct, frozen=True):
    """The agent runs."""


class Connected(msgspec.Struct, frozen=True):
    """The broker accepted the connection and the subscriptions."""


class Lost(msgspec.Struct, frozen=True):
    """The attempt failed or the connection ended."""

    cause: Cause
    why: str
    jitter: float


class Sent(msgspec.Struct, frozen=True):
    """A probe left; its number is new on this path."""

    probe: int


class Answered(msgspec.Struct, frozen=True):
    """A probe was answered, after ``rtt_us``."""

    probe: int
    rtt_us: int


class Hold(msgspec.Struct, frozen=True):
    """An operator takes the path out of service until ``until_ms`` of the boot clock."""

    until_ms: int


class Release(msgspec.Struct, frozen=True):
    """The hold ends."""


class Window(msgspec.Struct, frozen=True):
    """Central says over how long a lost fleet should spread its reconnects."""

    window_ms: int


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = Start | Connected | Lost | Sent | Answered | Hold | Release | Window | Tick


class Connect(msgspec.Struct, frozen=True):
    """Try to connect, once; ends in Connected or Lost."""


class Disconnect(msgspec.Struct, frozen=True):
    """End the connection or the attempt; ends in Lost."""

    why: str


class Probe(msgspec.Struct, frozen=True):
    """Send an empty report."""


class StateChanged(msgspec.Struct, frozen=True):
    """The path is in another state now."""

    old: PathState
    new: PathState
    why: str


Action = Connect | Disconnect | Probe | StateChanged


class _Phase(Enum):
    IDLE = auto()  # waits for connect_ms
    CONNECTING = auto()
    CONNECTED = auto()
    CLOSING = auto()  # told to end, not ended yet


class PathCore:
    """One path.

    Args:
        kind: where it ends.
        answer_ms: how long a probe's answer may take; a site path's beat interval.
    """

    __slots__ = (
        "_answer_ms",
        "_attempts",
        "_connect_ms",
        "_downs",
        "_held_until_ms",
        "_lost_mask",
        "_misses",
        "_outstanding",
        "_phase",
        "_probe_ms",
        "_proven",
        "_samples",
        "_window_ms",
        "kind",
        "rtt_us",
        "since_ms",
        "state",
        "why",
    )

    def __init__(self, kind: PathKind, *, answer_ms: int = WAN_ANSWER_MS) -> None:
        self.kind = kind
        self.state = PathState.UNKNOWN
        self.since_ms = 0
        self.why = "not tried yet"
        self.rtt_us: int | None = None
        self._answer_ms = answer_ms
        self._phase = _Phase.IDLE
        self._proven = False  # this connection has been answered
        self._attempts = 0  # failed ones since the last answer
        self._connect_ms: int | None = None
        self._probe_ms: int | None = None
        self._held_until_ms: int | None = None
        self._window_ms = WINDOW_MS
        self._outstanding: OrderedDict[int, int] = OrderedDict()  # probe -> when it left
        self._misses = 0
        self._lost_mask = 0  # the last LOSS_WINDOW probes, newest in bit 0, 1 for lost
        self._samples = 0
        self._downs: tuple[int, ...] = ()  # when it went down, the last FLAPS_MAX times

    @property
    def connected(self) -> bool:
        """Whether the path can carry a message now."""
        return self._phase is _Phase.CONNECTED

    @property
    def held_until_ms(self) -> int | None:
        """Until when an operator holds it, None when nobody does."""
        return self._held_until_ms

    @property
    def loss_permille(self) -> int:
        """Unanswered probes of the last LOSS_WINDOW."""
        return 1000 * self._lost_mask.bit_count() // self._samples if self._samples else 0

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        actions: list[Action] = []
        why = ""
        match event:
            case Start():
                self._connect_ms = now_ms
                self.since_ms = now_ms
            case Connected():
                why = self._connected(now_ms)
            case Lost():
                why = self._lost(event, now_ms)
            case Sent(probe):
                self._sent(probe, now_ms)
            case Answered(probe, rtt_us):
                why = self._answered(probe, rtt_us, now_ms)
            case Hold(until_ms):
                self._held_until_ms = until_ms
                why = "held by an operator"
                self._close(why, actions)
            case Release():
                why = self._release(now_ms)
            case Window(window_ms):
                self._window_ms = window_ms
            case Tick():
                pass
            case _:
                assert_never(event)
        self._pass_time(now_ms, actions)
        self._judge(why, now_ms, actions)
        return actions

    def due_ms(self) -> int | None:
        """Return when the next tick is needed, None when nothing is waited for."""
        waits = [self._held_until_ms, self._flap_ends_ms()]
        if self._phase is _Phase.IDLE and self._held_until_ms is None:
            waits.append(self._connect_ms)
        if self._phase is _Phase.CONNECTED:
            waits.append(self._probe_ms)
            if self._outstanding:
                waits.append(next(iter(self._outstanding.values())) + self._answer_ms)
        return min((wait for wait in waits if wait is not None), default=None)

    def _connected(self, now_ms: int) -> str:
        if self._phase is _Phase.CONNECTING:
            self._phase = _Phase.CONNECTED
            self._proven = False
            self._misses = 0
            self._outstanding.clear()
            self._probe_ms = now_ms if self.kind is PathKind.WAN else None
        return "connected, not answered yet"

    def _lost(self, event: Lost, now_ms: int) -> str:
        delay_ms = self._delay_ms(event)
        self._phase = _Phase.IDLE
        self._proven = False
        self._outstanding.clear()
        self._probe_ms = None
        self._attempts += 1
        self._connect_ms = now_ms + delay_ms
        if self.state is PathState.DOWN and self._held_until_ms is None:
            self.why = event.why  # what keeps it down may be another thing than what ended it
        return event.why

    def _delay_ms(self, event: Lost) -> int:
        """Return how long to wait before the next attempt (design: security, reconnect storm)."""
        if event.cause is Cause.REFUSED:
            low, high = REFUSED_MS
            high = min(high, low << min(self._attempts + 1, 16))
            return low + round(event.jitter * (high - low))
        if self.kind is PathKind.SITE:
            low, high = SITE_RECONNECT_MS
            return low + round(event.jitter * (high - low))
        if self._proven:
            ceiling = self._window_ms
        else:
            ceiling = min(RECONNECT_MS_MAX, RECONNECT_FIRST_MS << min(self._attempts, 16))
        return max(RECONNECT_MS_MIN, round(event.jitter * ceiling))

    def _sent(self, probe: int, now_ms: int) -> None:
        if self._phase is not _Phase.CONNECTED:
            return
        if len(self._outstanding) == OUTSTANDING_MAX:
            self._outstanding.popitem(last=False)
            self._count(lost=True)
        self._outstanding[probe] = now_ms
        self._probe_ms = None

    def _answered(self, probe: int, rtt_us: int, now_ms: int) -> str:
        if self._outstanding.pop(probe, None) is None:
            return ""  # of a connection before, or already counted as lost
        self.rtt_us = rtt_us
        self._count(lost=False)
        self._proven = True
        self._attempts = 0
        if self.kind is PathKind.WAN and not self._outstanding:
            self._probe_ms = now_ms + WAN_PROBE_MS
        return "answered"

    def _release(self, now_ms: int) -> str:
        self._held_until_ms = None
        self._connect_ms = now_ms
        return "the hold ended"

    def _pass_time(self, now_ms: int, actions: list[Action]) -> None:
        if self._held_until_ms is not None and self._held_until_ms <= now_ms:
            self._release(now_ms)
        flap_ends_ms = self._flap_ends_ms()
        if flap_ends_ms is not None and flap_ends_ms <= now_ms:
            self._downs = self._downs[1:]
        if self._phase is _Phase.CONNECTED:
            self._expire(now_ms, actions)
        if (
            self._phase is _Phase.IDLE
            and self._held_until_ms is None
            and self._connect_ms is not None
            and self._connect_ms <= now_ms
        ):
            self._phase = _Phase.CONNECTING
            self._connect_ms = None
            actions.append(Connect())

    def _expire(self, now_ms: int, actions: list[Action]) -> None:
        """Count the probes whose answer is overdue, and ask for one where it is time."""
        missed = False
        while self._outstanding:
            probe, sent_ms = next(iter(self._outstanding.items()))
            if sent_ms + self._answer_ms > now_ms:
                break
            del self._outstanding[probe]
            self._count(lost=True)
            missed = True
        if self._misses >= MISSES_DOWN:
            self._close(f"{self._misses} probes in a row without an answer", actions)
            return
        if missed and self.kind is PathKind.WAN and not self._outstanding:
            self._probe_ms = now_ms
        if self._probe_ms is not None and self._probe_ms <= now_ms:
            self._probe_ms = now_ms + self._answer_ms  # again, if this one cannot be sent
            actions.append(Probe())

    def _close(self, why: str, actions: list[Action]) -> None:
        if self._phase in {_Phase.CONNECTING, _Phase.CONNECTED}:
            self._phase = _Phase.CLOSING
            actions.append(Disconnect(why))

    def _count(self, *, lost: bool) -> None:
        self._lost_mask = (self._lost_mask << 1 | lost) & ((1 << LOSS_WINDOW) - 1)
        self._samples = min(self._samples + 1, LOSS_WINDOW)
        self._misses = self._misses + 1 if lost else 0

    def _judge(self, why: str, now_ms: int, actions: list[Action]) -> None:
        new = self._state_now()
        if new is self.state:
            return
        if new is PathState.DOWN:
            if self.state is not PathState.UNKNOWN and self._held_until_ms is None:
                self._downs = (*self._downs[1 - FLAPS_MAX :], now_ms)
            if self._misses >= MISSES_DOWN:
                why = f"{self._misses} probes in a row without an answer"
        elif not why or new is PathState.FLAKY:
            why = f"{self.loss_permille} of 1000 lost, {len(self._downs)} times down of late"
        actions.append(StateChanged(self.state, new, why))
        self.state, self.since_ms, self.why = new, now_ms, why

    def _state_now(self) -> PathState:
        if self._held_until_ms is not None or self._phase is _Phase.CLOSING:
            return PathState.DOWN
        if not self._proven:
            tried = self._attempts > 0 or self.state is not PathState.UNKNOWN
            return PathState.DOWN if tried else PathState.UNKNOWN
        limit = FLAKY_UNTIL_PERMILLE if self.state is PathState.FLAKY else FLAKY_ABOVE_PERMILLE
        lossy = self._samples >= LOSS_SAMPLES_MIN and self.loss_permille > limit
        return PathState.FLAKY if lossy or len(self._downs) == FLAPS_MAX else PathState.UP

    def _flap_ends_ms(self) -> int | None:
        """Return until when the path counts as flapping, for a path that went down too often."""
        return self._downs[0] + FLAP_WINDOW_MS if len(self._downs) == FLAPS_MAX else None
