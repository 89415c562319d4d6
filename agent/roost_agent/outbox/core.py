"""Delivery: which report goes next, on which path, and what a receipt means.

Go-back-N over each lane. The store holds the items; the core holds numbers only: ``mark`` (what
central committed), ``cursor`` (what was sent since) and ``last`` (what there is).

Leaves to others: reading and writing items, encoding, sockets, the clock.

Invariants:
- mark <= cursor <= last, and the reports in flight cover mark..cursor without a hole;
- nothing but a receipt moves the mark, so nothing leaves the outbox on a broker's word;
- a lane asks where central stands (an empty report) before it sends its first item: after a
  start, after a silence and after central was restored;
- at most REPORTS_IN_FLIGHT_MAX reports of a lane are unreceipted, all on one path;
- bulk items are sent while no alarm item waits to be sent.

A disk that is an older copy of itself (a restored image) is noticed when central is met, by a mark
past all we could have sent. Known limit: an agent on such a copy that is stopped before it meets
central, having added items, takes them for sent when central's mark covers their numbers.

Rules of marks and epochs: design, architecture section 5 and reliability P12.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final, assert_never

import msgspec

from roost_protocol.envelope import Item, Lane
from roost_protocol.limits import REPORTS_IN_FLIGHT_MAX

RECEIPT_WAIT_MS: Final = 30_000  # without any progress; then the next path is tried
GO_BACK_MS: Final = 2_000  # a repeated mark within this may be an answer to what went before
BEHIND_MAX: Final = 3  # the same mark below ours as often is no stale receipt


class Position(msgspec.Struct, frozen=True):
    """Where a lane stood when the store was opened."""

    stream: bytes
    last: int
    mark: int
    epoch: bytes | None


class Appended(msgspec.Struct, frozen=True):
    """Items up to ``last`` are on disk."""

    lane: Lane
    last: int


class Usable(msgspec.Struct, frozen=True):
    """The WAN paths that can carry a report now, best first."""

    paths: tuple[str, ...]


class Fetched(msgspec.Struct, frozen=True):
    """The items that follow ``prev``, as many as fit one report; at least one."""

    lane: Lane
    prev: int
    items: tuple[Item, ...]


class Received(msgspec.Struct, frozen=True):
    """A receipt came over ``path``."""

    path: str
    lane: Lane
    stream: bytes
    seq: int
    epoch: bytes


class Ask(msgspec.Struct, frozen=True):
    """Send an empty report over ``path``: it measures the round trip and brings a receipt."""

    path: str


class Restarted(msgspec.Struct, frozen=True):
    """What waited in the lane stands in a new stream now, numbered from 1."""

    lane: Lane
    stream: bytes
    last: int


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = Appended | Usable | Fetched | Received | Ask | Restarted | Tick


class Fetch(msgspec.Struct, frozen=True):
    """Read the items that follow ``prev``; answered by Fetched."""

    lane: Lane
    prev: int


class Publish(msgspec.Struct, frozen=True):
    """Send a report over ``path``."""

    path: str
    lane: Lane
    stream: bytes
    prev: int
    items: tuple[Item, ...]


class SetMark(msgspec.Struct, frozen=True):
    """Keep central's mark: what is up to it may go to the ring, what follows waits (again)."""

    lane: Lane
    seq: int
    epoch: bytes


class Restart(msgspec.Struct, frozen=True):
    """Begin a new stream with what follows ``after``.

    Central holds items of this stream that this outbox never had: the disk is an older copy of
    itself. What it held when it was opened, central has; only what was added since is new.
    """

    lane: Lane
    after: int


Action = Fetch | Publish | SetMark | Restart


class _Flight(msgspec.Struct, frozen=True):
    """One unreceipted report."""

    prev: int
    last: int
    sent_ms: int


class _LaneState:
    """One lane: where central stands, and what is on its way there."""

    __slots__ = (
        "asked_ms",
        "behind",
        "claim",
        "cursor",
        "delay_ms",
        "epoch",
        "fetching",
        "flights",
        "lane",
        "last",
        "mark",
        "opened",
        "path",
        "progress_ms",
        "restarting",
        "stream",
        "synced",
    )

    def __init__(self, lane: Lane, at: Position) -> None:
        self.lane = lane
        self.stream = at.stream
        self.last = at.last
        self.mark = at.mark
        self.epoch = at.epoch
        self.cursor = at.mark
        self.opened = at.last
        self.claim = at.last  # central can have items up to here from us, and no more
        self.path: str | None = None
        self.synced = False
        self.restarting = False
        self.fetching = False
        self.asked_ms: int | None = None
        self.progress_ms = 0
        self.delay_ms = 0  # of the last report that was receipted
        self.behind = (0, 0)  # a mark below ours, and how often in a row it came
        self.flights: deque[_Flight] = deque()

    def go_back(self, *, ask: bool) -> None:
        """Forget what is in flight; with ``ask``, learn central's mark before sending again."""
        self.cursor = self.mark
        self.flights.clear()
        if ask:
            self.synced = False
            self.asked_ms = None

    def waits_until_ms(self) -> int | None:
        """Return when the patience for a receipt ends, None when none is due."""
        if self.path is None or self.restarting:
            return None
        if self.flights:
            return max(self.flights[0].sent_ms, self.progress_ms) + RECEIPT_WAIT_MS
        return None if self.asked_ms is None else self.asked_ms + RECEIPT_WAIT_MS


class Delivery:
    """Both lanes of one node's outbox.

    Args:
        lanes: where each lane stands on disk.
    """

    __slots__ = ("_lanes", "_usable")

    def __init__(self, lanes: Mapping[Lane, Position]) -> None:
        self._lanes = {lane: _LaneState(lane, lanes[lane]) for lane in (Lane.ALARM, Lane.BULK)}
        self._usable: tuple[str, ...] = ()

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        actions: list[Action] = []
        match event:
            case Appended(lane, last):
                self._lanes[lane].last = last
            case Usable(paths):
                self._usable = paths
            case Fetched():
                self._fetched(event, now_ms, actions)
            case Received():
                self._received(event, now_ms, actions)
            case Ask(path):
                alarm = self._lanes[Lane.ALARM]
                actions.append(Publish(path, Lane.ALARM, alarm.stream, alarm.mark, ()))
            case Restarted():
                _restarted(self._lanes[event.lane], event)
            case Tick():
                pass
            case _:
                assert_never(event)
        for state in self._lanes.values():
            self._choose_path(state)
            self._give_up(state, now_ms)
            self._pump(state, now_ms, actions)
        return actions

    def due_ms(self) -> int | None:
        """Return when the next tick is needed, None when no receipt is waited for."""
        waits = [state.waits_until_ms() for state in self._lanes.values()]
        return min((wait for wait in waits if wait is not None), default=None)

    def mark(self, lane: Lane) -> int:
        """Return central's mark as far as this node knows."""
        return self._lanes[lane].mark

    def idle(self) -> bool:
        """Return whether central has receipted all there is."""
        return all(state.mark == state.last for state in self._lanes.values())

    def _pump(self, state: _LaneState, now_ms: int, actions: list[Action]) -> None:
        """Send or fetch what the lane may send now."""
        if state.path is None or state.restarting:
            return
        if not state.synced:
            if state.asked_ms is None:
                state.asked_ms = now_ms
                actions.append(Publish(state.path, state.lane, state.stream, state.mark, ()))
        elif self._may_fetch(state):
            state.fetching = True
            actions.append(Fetch(state.lane, state.cursor))

    def _may_fetch(self, state: _LaneState) -> bool:
        alarm = self._lanes[Lane.ALARM]
        return (
            not state.fetching
            and state.cursor < state.last
            and len(state.flights) < REPORTS_IN_FLIGHT_MAX
            and (state is alarm or alarm.cursor == alarm.last)
        )

    def _fetched(self, event: Fetched, now_ms: int, actions: list[Action]) -> None:
        state = self._lanes[event.lane]
        state.fetching = False
        sendable = state.synced and not state.restarting and state.path in self._usable
        if not sendable or state.path is None or event.prev != state.cursor or not event.items:
            return  # the lane went back meanwhile: fetched again from there
        state.cursor = event.items[-1].seq
        state.claim = max(state.claim, state.cursor)
        state.flights.append(_Flight(event.prev, state.cursor, now_ms))
        actions.append(Publish(state.path, state.lane, state.stream, event.prev, event.items))

    def _received(self, event: Received, now_ms: int, actions: list[Action]) -> None:
        state = self._lanes[event.lane]
        if event.stream != state.stream or state.restarting:
            return
        if event.seq > state.claim:
            state.restarting = True
            state.go_back(ask=True)
            actions.append(Restart(state.lane, max(state.mark, state.opened)))
            return
        if event.epoch != state.epoch:
            self._adopt(state, event, actions)
        elif event.seq > state.mark:
            _advance(state, event, now_ms, actions)
        elif event.seq < state.mark:
            _behind(state, event, actions)
        else:
            _repeated(state, event, now_ms)

    def _adopt(self, state: _LaneState, event: Received, actions: list[Action]) -> None:
        """Follow a central that is another than before: restored, or met first.

        A receipt of the one before may come late, and epochs have no order: so a change is
        believed, and both lanes ask again. What is late is finite; the central that is there
        has the last word.
        """
        is_first = state.epoch is None
        _set_mark(state, event, actions)
        state.go_back(ask=not is_first)
        for other in self._lanes.values():
            if other.epoch != event.epoch:
                other.go_back(ask=True)

    def _give_up(self, state: _LaneState, now_ms: int) -> None:
        """After a silence ask again, over the next path."""
        due_ms = state.waits_until_ms()
        if state.path is None or due_ms is None or now_ms < due_ms:
            return
        state.go_back(ask=True)
        turn = self._usable.index(state.path) + 1
        state.path = self._usable[turn % len(self._usable)]

    def _choose_path(self, state: _LaneState) -> None:
        if state.path in self._usable:
            return
        state.path = self._usable[0] if self._usable else None
        state.go_back(ask=True)


def _set_mark(state: _LaneState, event: Received, actions: list[Action]) -> None:
    actions.append(SetMark(state.lane, event.seq, event.epoch))
    state.mark, state.epoch = event.seq, event.epoch
    state.synced = True
    state.asked_ms = None
    state.behind = (0, 0)


def _advance(state: _LaneState, event: Received, now_ms: int, actions: list[Action]) -> None:
    """Central committed more."""
    while state.flights and state.flights[0].last <= event.seq:
        state.delay_ms = now_ms - state.flights.popleft().sent_ms
    _set_mark(state, event, actions)
    state.progress_ms = now_ms
    covered_from = state.flights[0].prev if state.flights else state.cursor
    if covered_from != state.mark:  # central's mark is inside a report, or past what we sent
        state.go_back(ask=False)


def _repeated(state: _LaneState, event: Received, now_ms: int) -> None:
    """Central stands where it stood: an answer to a question, or a report it did not apply."""
    state.synced = True
    state.asked_ms = None
    if not state.flights or event.path != state.path:
        return
    patience_ms = max(GO_BACK_MS, 2 * state.delay_ms)
    if state.flights[0].sent_ms + patience_ms <= now_ms:
        state.go_back(ask=False)


def _behind(state: _LaneState, event: Received, actions: list[Action]) -> None:
    """Central says less than it said: late, or it lost what it had. Going back is always safe."""
    seq, times = state.behind
    state.behind = (event.seq, times + 1 if seq == event.seq else 1)
    if state.behind[1] >= BEHIND_MAX:
        _set_mark(state, event, actions)
        state.go_back(ask=False)


def _restarted(state: _LaneState, event: Restarted) -> None:
    state.stream, state.last = event.stream, event.last
    state.mark = state.cursor = state.claim = state.opened = 0
    state.restarting = False
    state.go_back(ask=True)
