"""The deadlines of leases: who must have stopped by when, and whether the watchdog may be fed.

Each lease that is held has a *hold*: its epoch and three times of the boot clock. At D1 what the
agent has not begun to stop is told to end, at D2 it is killed and its addresses are removed, from
D3 on a hold that was not seen to have stopped keeps the watchdog hungry. A sticky hold has no
deadline (ha.md 5.4, 6, 7).

On request it lets the watchdog starve while nothing is held: a device that was never seen to bite
is only said to do so.

Leaves to others: the socket, the state file, signals, cgroups, addresses, the device.

Invariants:
- the epoch of a lease never falls, and one that has ended is never armed again;
- a deadline moves only before the present D1, and D3 is never past now + L;
- every change of a hold is saved before it is answered;
- after D2 a hold ends only when everything in it was seen to have stopped;
- while the watchdog starves on request, nothing is armed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from roost_agent.guard.record import Final, Record

HOLDS_MAX: Final = 16  # leases of a site
ENDED_MAX: Final = 64  # leases whose last epoch is remembered: names change with the configuration

ARMED: Final = "armed"
STOPPING: Final = "stopping"
KILLING: Final = "killing"

NO_BITE: Final = ""  # of a bite test: none, or
BITING: Final = "biting"
MISSED: Final = "missed"  # the device let its time pass
BITE_MS: Final = 2_000  # which a device may be late by: they count whole seconds


class Arm(Record):
    """The agent holds a lease until D3; all three deadlines None: sticky."""

    lease: str
    epoch: int
    d1_ms: int | None
    d2_ms: int | None
    d3_ms: int | None
    cgroups: tuple[str, ...] = ()
    vips: tuple[tuple[str, str], ...] = ()  # address/length, interface
    is_hard: bool = False  # it may only run where a tested watchdog would reset the node


class Stopping(Record):
    """The agent has begun to stop what the lease runs."""

    lease: str
    epoch: int


class Disarm(Record):
    """The agent has stopped it; ``is_empty`` is what the guard itself sees."""

    lease: str
    epoch: int
    is_empty: bool


class Stopped(Record):
    """Nothing of a hold runs any more, and its addresses are gone."""

    lease: str


class Bite(Record):
    """Let the watchdog starve: it is to reset this machine within its time."""

    timeout_ms: int


class Tick(Record):
    """Time has passed."""


Event = Arm | Stopping | Disarm | Stopped | Bite | Tick


class Save(Record):
    """Write the state, before the answer that follows."""


class Accept(Record):
    """Answer yes."""


class Refuse(Record):
    """Answer no."""

    error: str
    detail: str


class Terminate(Record):
    """Ask the processes of a hold to end."""

    hold: Arm


class Kill(Record):
    """Kill them, remove its addresses, and say Stopped once that is seen to have worked."""

    hold: Arm


Action = Save | Accept | Refuse | Terminate | Kill


class Deadlines:
    """All holds of this node.

    Args:
        lease_ms: L; no deadline lies further ahead.
        holds: of before a restart: hold and stage.
        ended: the highest epoch of each lease that has ended.
        has_watchdog: whether a device passed its start test.
    """

    __slots__ = ("_ended", "_has_watchdog", "_holds", "_lease_ms", "_missed_ms", "_stages", "bite")

    def __init__(
        self,
        lease_ms: int,
        holds: Iterable[tuple[Arm, str]] = (),
        ended: Mapping[str, int] | None = None,
        *,
        has_watchdog: bool = False,
    ) -> None:
        self._lease_ms = lease_ms
        self._has_watchdog = has_watchdog
        self._holds: dict[str, Arm] = {}
        self._stages: dict[str, str] = {}
        for hold, stage in holds:
            self._holds[hold.lease] = hold
            self._stages[hold.lease] = stage
        self._ended: dict[str, int] = dict(ended or {})
        self._missed_ms = 0  # when a device that is starved has missed its time
        self.bite = NO_BITE

    @property
    def holds(self) -> list[tuple[Arm, str]]:
        """Every hold with its stage."""
        return [(hold, self._stages[lease]) for lease, hold in self._holds.items()]

    @property
    def ended(self) -> Mapping[str, int]:
        """The highest epoch of each lease that has ended."""
        return self._ended

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event and return what to do, in order.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        if isinstance(event, Tick):
            return self._tick(now_ms)
        if isinstance(event, Arm):
            return self._arm(event, now_ms)
        if isinstance(event, Stopping):
            return self._stopping(event)
        if isinstance(event, Disarm):
            return self._disarm(event)
        if isinstance(event, Bite):
            return self._bite(event, now_ms)
        return self._stopped(event)

    def may_feed(self, now_ms: int) -> bool:
        """Return whether the watchdog may be fed: nothing runs past its D3, and it may live."""
        return self.bite != BITING and all(
            hold.d3_ms is None or now_ms < hold.d3_ms for hold in self._holds.values()
        )

    def due_ms(self) -> int | None:
        """Return the next deadline of a hold; None where none has one."""
        due = []
        for lease, hold in self._holds.items():
            if hold.d1_ms is not None and hold.d2_ms is not None:
                due.append(hold.d1_ms if self._stages[lease] == ARMED else hold.d2_ms)
        if self.bite == BITING:
            due.append(self._missed_ms)
        return min(due, default=None)

    def _tick(self, now_ms: int) -> list[Action]:
        if self.bite == BITING and now_ms >= self._missed_ms:
            self.bite, self._has_watchdog = MISSED, False
        actions: list[Action] = []
        for lease, hold in self._holds.items():
            if hold.d1_ms is None or hold.d2_ms is None:
                continue
            if now_ms >= hold.d2_ms:
                self._stages[lease] = KILLING
                actions.append(Kill(hold))
            elif now_ms >= hold.d1_ms and self._stages[lease] == ARMED:
                self._stages[lease] = STOPPING
                actions.append(Terminate(hold))
        return actions

    def _arm(self, event: Arm, now_ms: int) -> list[Action]:
        if self.bite == BITING:
            return [Refuse("biting", "the watchdog is tested: this machine is to be reset")]
        if event.is_hard and not self._has_watchdog:
            return [Refuse("no-watchdog", "exclusive = hard needs a watchdog that passed its test")]
        refusal = self._wrong_times(event, now_ms) or self._wrong_epoch(event, now_ms)
        if refusal is not None:
            return [refusal]
        self._holds[event.lease] = event
        self._stages[event.lease] = ARMED
        return [Save(), Accept()]

    def _wrong_times(self, event: Arm, now_ms: int) -> Refuse | None:
        times = (event.d1_ms, event.d2_ms, event.d3_ms)
        if times == (None, None, None):
            return None
        if event.d1_ms is None or event.d2_ms is None or event.d3_ms is None:
            return Refuse("times", f"{times}: all three deadlines, or none for a sticky hold")
        if not now_ms < event.d1_ms <= event.d2_ms <= event.d3_ms:
            return Refuse("times", f"{times}: must be now ({now_ms}) < D1 <= D2 <= D3")
        if event.d3_ms > now_ms + self._lease_ms:
            ahead_ms = event.d3_ms - now_ms
            return Refuse("times", f"D3 lies {ahead_ms} ms ahead: bound {self._lease_ms} ms")
        return None

    def _wrong_epoch(self, event: Arm, now_ms: int) -> Refuse | None:
        held = self._holds.get(event.lease)
        if held is None:
            return self._wrong_new(event)
        if event.epoch != held.epoch:
            return Refuse("epoch", f"epoch {held.epoch} is armed: it must be disarmed first")
        is_over = held.d1_ms is not None and now_ms >= held.d1_ms
        if is_over or self._stages[event.lease] != ARMED:
            return Refuse("expired", f"epoch {held.epoch} is past D1 or stopping")
        if not ({*held.cgroups} <= {*event.cgroups} and {*held.vips} <= {*event.vips}):
            return Refuse("dropped", "an extension must name every cgroup and vip of before")
        return None

    def _wrong_new(self, event: Arm) -> Refuse | None:
        last = self._ended.get(event.lease, 0)
        if event.epoch <= last:
            return Refuse("epoch", f"epoch {event.epoch}: must be above {last}, which has ended")
        if len(self._holds) >= HOLDS_MAX or (
            event.lease not in self._ended and len(self._ended) >= ENDED_MAX
        ):
            return Refuse("full", f"bound {HOLDS_MAX} holds, {ENDED_MAX} leases since the boot")
        return None

    def _stopping(self, event: Stopping) -> list[Action]:
        held = self._holds.get(event.lease)
        if held is None or held.epoch != event.epoch:
            return [Refuse("epoch", f"epoch {event.epoch} of {event.lease} is not armed")]
        if self._stages[event.lease] == ARMED:
            self._stages[event.lease] = STOPPING
        return [Save(), Accept()]

    def _disarm(self, event: Disarm) -> list[Action]:
        held = self._holds.get(event.lease)
        if held is None or held.epoch != event.epoch:
            if event.epoch <= self._ended.get(event.lease, 0):
                return [Accept()]  # the guard was first
            return [Refuse("epoch", f"epoch {event.epoch} of {event.lease} is not armed")]
        if not event.is_empty:
            return [Refuse("runs", "something of it still runs")]
        self._end(held)
        return [Save(), Accept()]

    def _bite(self, event: Bite, now_ms: int) -> list[Action]:
        if self._holds:
            return [Refuse("held", f"{', '.join(sorted(self._holds))} runs here: it would end too")]
        if not self._has_watchdog:
            return [Refuse("no-watchdog", "there is no watchdog that passed its start test")]
        if self.bite != BITING:
            self.bite, self._missed_ms = BITING, now_ms + event.timeout_ms + BITE_MS
        return [Accept()]

    def _stopped(self, event: Stopped) -> list[Action]:
        held = self._holds.get(event.lease)
        if held is None or self._stages[event.lease] != KILLING:
            return []
        self._end(held)
        return [Save()]

    def _end(self, held: Arm) -> None:
        del self._holds[held.lease]
        del self._stages[held.lease]
        self._ended[held.lease] = held.epoch
