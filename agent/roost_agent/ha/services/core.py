"""One group of services on one node: order of start and stop, failures, and the confirmed stop.

Leaves to others: processes, cgroups, addresses, the lease that says when to start and stop.

Invariants:
- a service starts when all that it depends on is active, at most STARTING_MAX at a time;
- it stops when all that depends on it has stopped;
- nothing is started while the group stops, and no service while anything of it still runs;
- while it is paused no service is probed or restarted, and none climbs its ladder;
- StopConfirmed comes only after every service ended, the addresses are gone and the cgroup was
  seen empty, since the last start and since this program began.
"""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from roost_agent.ha.config import Group, Service
from roost_agent.ha.services.climb import BACKOFF_MS_MAX, Climb
from roost_agent.ha.services.event import (
    Action,
    Clear,
    Cured,
    Died,
    Emptied,
    End,
    Ended,
    Event,
    Failed,
    KillAll,
    LookEmpty,
    LowerVips,
    Paused,
    Probe,
    Probed,
    RaiseVips,
    Restarting,
    Run,
    Running,
    Start,
    Started,
    Stop,
    StopConfirmed,
    Tick,
    VipsDown,
    VipsFailed,
    VipsUp,
)

STARTING_MAX: Final = 2
JITTER: Final = 0.1  # of a probe's interval, both ways
VIP: Final = "vip"  # stands for a service in reports of addresses
VIP_RETRY_MS: Final = 10_000  # after an address that could not be had
IN_MAINTENANCE: Final = "it ended during maintenance"

DISABLED: Final = "disabled"
ENABLING: Final = "enabling"
ACTIVE: Final = "active"
DISABLING: Final = "disabling"
FAILED: Final = "failed"


class _Part:
    """One service now.

    Attributes:
        due_ms: when a start, a kill or a probe is due, by state.
        is_down: it ended while the group is paused, by whomever.
    """

    __slots__ = (
        "climb", "due_ms", "fails", "is_clear", "is_down", "is_failed", "name", "passes",
        "service", "state",
    )  # fmt: skip

    def __init__(self, service: Service, group: Group) -> None:
        self.service = service
        self.name = service.name
        self.climb = Climb(service.rungs(group), can_act=service.impact == "critical")
        self.state = DISABLED
        self.due_ms: int | None = None
        self.fails = 0
        self.passes = 0
        self.is_clear = True  # nothing is left of its last run
        self.is_down = False
        self.is_failed = False  # told as Failed, and not Cured since


class GroupCore:
    """The services of one group.

    Args:
        group: its definition.
        services: of this group.
    """

    __slots__ = (
        "_by_ms", "_epoch", "_group", "_is_empty", "_is_looking", "_is_paused", "_is_running",
        "_is_stopped", "_is_vip_failed", "_parts", "_state", "_vips", "_vips_ms",
    )  # fmt: skip

    def __init__(self, group: Group, services: Sequence[Service]) -> None:
        self._group = group
        self._parts = {each.name: _Part(each, group) for each in services}
        self._state = DISABLED
        self._epoch = 0
        self._by_ms: int | None = None
        self._is_running = False
        self._is_looking = False
        self._is_empty = False
        self._is_paused = False
        self._vips = DISABLED
        self._vips_ms: int | None = None
        self._is_vip_failed = False
        self._is_stopped = False  # seen to have; unknown at first

    @property
    def state(self) -> str:
        """``initial``, ``go-active``, ``active``, ``go-standby`` or ``standby`` (StarlingX's)."""
        if self._state == ACTIVE:
            return "active" if self._is_running else "go-active"
        return "go-standby" if self._state == DISABLING else "standby" if self._epoch else "initial"

    @property
    def epoch(self) -> int:
        """The epoch of its last start here; 0: none."""
        return self._epoch

    @property
    def status(self) -> str:
        """``ok``, ``warn``, ``degraded`` or ``failed``, by the worst service."""
        levels = {"none": "ok", "minor": "warn", "major": "degraded", "critical": "failed"}
        order = list(levels.values())
        failed = [levels[p.service.impact] for p in self._parts.values() if p.is_failed]
        failed += ["degraded"] * self._is_vip_failed
        return max(failed, key=order.index, default="ok")

    def failed(self, impact: str) -> int:
        """Return how many services of an impact failed, and are not cured."""
        return sum(p.is_failed and p.service.impact == impact for p in self._parts.values())

    @property
    def services(self) -> dict[str, str]:
        """The state of each service."""
        parts = self._parts.items()
        return {name: DISABLED if part.is_down else part.state for name, part in parts}

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event and return what to do, in order.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        actions: list[Action] = []
        match event:
            case Start():
                actions += self._start(event)
            case Stop():
                actions += self._stop(event)
            case Started() | Ended() | Died() | Probed():
                part = self._parts.get(event.service)
                if part is not None:
                    actions += self._of_part(part, event, now_ms)
            case VipsUp() | VipsDown() | VipsFailed():
                actions += self._of_vips(event, now_ms)
            case Emptied():
                self._is_empty = self._is_looking
            case Paused():
                actions += self._pause(is_on=event.is_on, now_ms=now_ms)
            case Tick():
                pass
            case _:
                assert_never(event)
        return [*actions, *self._next(now_ms)]

    def due_ms(self) -> int | None:
        """Return when the next tick is needed."""
        due = [part.due_ms for part in self._parts.values()]
        due += [self._by_ms, self._vips_ms]
        return min((each for each in due if each is not None), default=None)

    def _start(self, event: Start) -> list[Action]:
        if self._state != DISABLED or event.epoch < self._epoch:
            return []
        self._state, self._epoch = ACTIVE, event.epoch
        self._is_running = self._is_stopped = False
        for part in self._parts.values():
            part.due_ms = None
        if not self._group.vip:
            return []
        self._vips = ENABLING
        return [RaiseVips()]

    def _stop(self, event: Stop) -> list[Action]:
        self._epoch = max(self._epoch, event.epoch)
        if self._state == DISABLED:
            if self._is_stopped:
                return [StopConfirmed(self._epoch)]
            self._doubt()
        sooner = [each for each in (self._by_ms, event.by_ms) if each is not None]
        self._by_ms = min(sooner, default=None)
        if self._state == DISABLING:
            return []
        self._state, self._vips_ms = DISABLING, None
        self._is_looking = self._is_empty = False
        for part in self._parts.values():
            part.is_down = False  # it is stopped as if it ran: somebody may have started it again
            if part.state == ACTIVE:
                part.due_ms = None  # no probe any more, also while it waits for what needs it
            elif part.state == FAILED:
                part.state, part.due_ms = DISABLED if part.is_clear else DISABLING, None
        if not self._group.vip:
            return []
        self._vips = DISABLING
        return [LowerVips()]

    def _doubt(self) -> None:
        """Take everything for running: an agent before this one may have started it."""
        for part in self._parts.values():
            part.state, part.is_clear = ACTIVE, False

    def _of_part(
        self, part: _Part, event: Started | Ended | Died | Probed, now_ms: int
    ) -> list[Action]:
        match event:
            case Started():
                return self._started(part, event, now_ms)
            case Ended():
                return self._ended(part)
            case Died():
                if part.state not in {ENABLING, ACTIVE}:
                    return []
                if self._is_paused and self._state == part.state == ACTIVE:
                    part.is_down = True
                    return []
                return self._fail(part, event.how, now_ms)
            case Probed():
                return self._probed(part, event, now_ms)
        assert_never(event)

    def _started(self, part: _Part, event: Started, now_ms: int) -> list[Action]:
        if part.state != ENABLING:
            return []
        if event.failure:
            return self._fail(part, event.failure, now_ms)
        part.state = ACTIVE
        self._watch(part, now_ms)
        if not part.is_failed:
            return []
        part.is_failed = False
        return [Cured(part.name)]

    def _watch(self, part: _Part, now_ms: int) -> None:
        """Begin to probe a service that runs, with nothing counted yet."""
        active = part.service.active
        part.fails = part.passes = 0
        part.due_ms = None
        if active is not None and not self._is_paused:
            part.due_ms = now_ms + round(active.interval_s * 1000)

    def _pause(self, *, is_on: bool, now_ms: int) -> list[Action]:
        """Look away, or look again: what is down by then is started, and is no failure."""
        if is_on == self._is_paused:
            return []
        self._is_paused = is_on
        actions: list[Action] = []
        for part in self._parts.values() if self._state == ACTIVE else ():
            if part.is_down:
                part.is_down, part.is_clear = False, False
                part.state, part.due_ms, self._is_running = FAILED, now_ms, False
                actions += [Clear(part.name), Restarting(part.name, 0, IN_MAINTENANCE)]
            elif part.state == ACTIVE:
                self._watch(part, now_ms)
            elif part.state == FAILED:
                part.due_ms = None if is_on else now_ms
        return actions

    def _ended(self, part: _Part) -> list[Action]:
        part.is_clear = True
        if part.state == DISABLING:
            part.state, part.due_ms = DISABLED, None
        return []

    def _probed(self, part: _Part, event: Probed, now_ms: int) -> list[Action]:
        active = part.service.active
        if part.state != ACTIVE or active is None or self._is_paused:
            return []
        wait_ms = active.interval_s * 1000 * (1 + JITTER * event.jitter)
        part.due_ms = now_ms + round(wait_ms)
        if event.outcome == "pass":
            part.passes += 1
            part.fails = 0 if part.passes >= active.pass_ else part.fails
            return []
        part.passes = 0
        if event.outcome == "timeout" and event.is_slow:
            return []
        part.fails += 1
        if part.fails < active.fail:
            return []
        why = f"{part.fails} of {active.fail} probes failed, the last by {event.outcome}"
        return self._fail(part, why, now_ms)

    def _fail(self, part: _Part, why: str, now_ms: int) -> list[Action]:
        """Clear what is left and decide what comes next."""
        part.is_clear = False
        if self._state == DISABLING:
            part.state, part.due_ms = DISABLING, None
            return [Clear(part.name)]
        self._is_running = False
        if self._is_paused:  # a start that failed: it is tried again when somebody looks
            part.state, part.due_ms = FAILED, None
            return [Clear(part.name)]
        step, after_ms = part.climb.failed(now_ms)
        part.state, part.due_ms = FAILED, now_ms + after_ms
        if step == "restart":
            return [Clear(part.name), Restarting(part.name, after_ms, why)]
        part.is_failed = True
        if step == "retry":
            return [Clear(part.name), Failed(part.name, part.service.impact, "", why)]
        # Whoever holds the lease stops the group now, or cannot: then it is tried again here.
        part.due_ms = now_ms + BACKOFF_MS_MAX
        return [Clear(part.name), Failed(part.name, part.service.impact, step, why)]

    def _of_vips(self, event: VipsUp | VipsDown | VipsFailed, now_ms: int) -> list[Action]:
        if isinstance(event, VipsUp) and self._vips == ENABLING:
            self._vips = ACTIVE
            if self._is_vip_failed:
                self._is_vip_failed = False
                return [Cured(VIP)]
        elif isinstance(event, VipsDown) and self._vips == DISABLING:
            self._vips = DISABLED
        elif isinstance(event, VipsFailed) and self._vips == ENABLING:
            self._vips, self._vips_ms = FAILED, now_ms + VIP_RETRY_MS
            self._is_running, self._is_vip_failed = False, True
            return [Failed(VIP, "major", "", event.why)]
        return []

    def _next(self, now_ms: int) -> Iterable[Action]:
        """Yield what the present state allows."""
        if self._state == ACTIVE:
            yield from self._starts(now_ms)
            yield from self._probes(now_ms)
            if not self._is_running and self._all(ACTIVE) and self._vips in {ACTIVE, DISABLED}:
                self._is_running = True
                yield Running(self._epoch)
        elif self._state == DISABLING:
            yield from self._stops(now_ms)

    def _starts(self, now_ms: int) -> Iterable[Action]:
        if self._vips_ms is not None and now_ms >= self._vips_ms:
            self._vips, self._vips_ms = ENABLING, None
            yield RaiseVips()
        starting = sum(part.state == ENABLING for part in self._parts.values())
        for part in self._parts.values():
            if part.state == FAILED:
                if not part.is_clear or part.due_ms is None or now_ms < part.due_ms:
                    continue
            elif part.state != DISABLED:
                continue
            is_ready = all(self._parts[each].state == ACTIVE for each in part.service.depends)
            if not is_ready or starting >= STARTING_MAX:
                continue
            starting += 1
            part.state, part.due_ms = ENABLING, None
            yield Run(part.name, self._epoch)

    def _probes(self, now_ms: int) -> Iterable[Action]:
        for part in self._parts.values():
            if part.state == ACTIVE and part.due_ms is not None and now_ms >= part.due_ms:
                part.due_ms = None  # until Probed
                yield Probe(part.name)

    def _stops(self, now_ms: int) -> Iterable[Action]:
        for part in self._parts.values():
            dependents = (
                other for other in self._parts.values() if part.name in other.service.depends
            )
            if part.state in {ENABLING, ACTIVE} and all(
                other.state == DISABLED for other in dependents
            ):
                part.state = DISABLING
                part.due_ms = now_ms + part.service.budget.stop_ms
                yield End(part.name)
            elif part.state == DISABLING and part.due_ms is not None and now_ms >= part.due_ms:
                part.due_ms = None
                yield Clear(part.name)
        if self._by_ms is not None and now_ms >= self._by_ms:
            self._by_ms = None
            yield KillAll()
        if self._all(DISABLED) and self._vips == DISABLED:
            if self._is_empty:
                self._state, self._by_ms, self._is_stopped = DISABLED, None, True
                yield StopConfirmed(self._epoch)
            elif not self._is_looking:
                self._is_looking = True
                yield LookEmpty()

    def _all(self, state: str) -> bool:
        return all(part.state == state for part in self._parts.values())
