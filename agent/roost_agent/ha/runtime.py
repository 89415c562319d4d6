"""Local HA at work on one node: the core's events come from here, its effects go to their shells.

Everything but the disk and the processes runs on the loop's one thread. The clock is read anew
before each event, so what was awaited before never makes a decision look younger than it is.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec

from roost_agent.control.message import GoDown
from roost_agent.errors import StorageError
from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.config import HaConfig
from roost_agent.ha.config_rules import stop_chain
from roost_agent.ha.core import Core
from roost_agent.ha.guard_client import LATE, GuardClient, GuardError, GuardGoneError
from roost_agent.ha.guard_fitness import compared, watchdog_fault
from roost_agent.ha.guard_report import GuardReport, reported
from roost_agent.ha.may_go_down import may_go_down
from roost_agent.ha.shells import Shells
from roost_agent.ports import Clock, Entropy
from roost_protocol.explain import Explain
from roost_protocol.ha import Frame
from roost_protocol.voter_events import Persist, PersistFailed

if TYPE_CHECKING:
    from roost_agent.ha.bite import Bite

RING_MAX: Final = 2_000  # explained decisions remembered
STALE_BEATS: Final = 3  # a connection that brings nothing back for so long is reset
QUEUE_MAX: Final = 256  # writes and guard orders on their way
MARGIN_MS: Final = 2  # timers of the loop wake up to a millisecond early

log = logging.getLogger(__name__)


class Explained(msgspec.Struct, frozen=True):
    """One decision of the ring; ``wall_ms`` is for people, ``boot_ms`` for order."""

    wall_ms: int
    boot_ms: int
    sentence: str
    evidence: dict[str, Any]


class Runtime:
    """See the module.

    Args:
        core: of this node.
        shells: see there.
        clock: the boot clock above all.
        entropy: for the jitter.

    Attributes:
        conditions: what the core has raised and not cleared, by type and entity.
    """

    def __init__(self, core: Core, shells: Shells, clock: Clock, entropy: Entropy) -> None:
        self.core = core
        self.shells = shells
        self.ring: deque[Explained] = deque(maxlen=RING_MAX)
        self.refused_orders = 0
        self.conditions: dict[tuple[str, str], Mapping[str, str]] = {}
        self._clock = clock
        self._entropy = entropy
        self._writes: asyncio.Queue[Persist | ev.Keep] = asyncio.Queue(QUEUE_MAX)
        self._orders: asyncio.Queue[ev.Arm | ev.Disarm | ev.Stop] = asyncio.Queue(QUEUE_MAX)
        self._awaited_ms = 0  # when the core is woken at the latest
        self._due_sooner = asyncio.Event()
        self._left = asyncio.Event()
        self.guard_report: GuardReport | None = None  # the latest, since the guard was gone
        self._known_bites: Mapping[str, Bite] = {}
        self._open_ms: dict[int, int] = {}  # path -> since when it is open

    @property
    def config(self) -> HaConfig:
        """Of the site."""
        return self.core.config

    def now_ms(self) -> int:
        """Return the boot clock."""
        return self._clock.boot_ms()

    async def run(self) -> None:
        """Run until cancelled."""
        shells = self.shells
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(shells.peers.run(), name="agent.ha.peers")
                group.create_task(self._write(), name="agent.ha.disk")
                group.create_task(self._tick(), name="agent.ha.tick")
                if shells.broker is not None:
                    group.create_task(shells.broker.run(), name="agent.ha.broker")
                if shells.admission is not None:
                    group.create_task(shells.admission.run(), name="agent.ha.admission")
                if shells.guard is not None:
                    group.create_task(shells.guard.run(self.guard_said), name="agent.ha.guard")
                    group.create_task(self._order(shells.guard), name="agent.ha.guard.order")
                    group.create_task(self._watch_guard(shells.guard), name="agent.ha.guard.watch")
                if shells.workload is not None:
                    group.create_task(shells.workload.run(), name="agent.ha.services")
                if shells.condition is not None:
                    group.create_task(shells.condition.run(self.tell), name="agent.ha.condition")
                if shells.gateways is not None:
                    group.create_task(shells.gateways.run(), name="agent.ha.gateways")
                asking = {
                    "fence": shells.fencing,
                    "upward": shells.upward,
                    "drills": shells.drills,
                    "watchdog": shells.bites,
                }
                for name, shell in asking.items():
                    if shell is not None:
                        group.create_task(shell.run(self), name=f"agent.ha.{name}")
                self._do(self.core.start(self._clock.boot_ms()))
        finally:
            shells.store.close()

    async def leave(self) -> None:
        """Give what this node holds to those who could take it, for as long as that may take."""
        limit_s = (stop_chain(self.config)[0] + 2 * self.config.timing.lease_ms) / 1000
        told = may_go_down(self.core, self._clock.boot_ms())
        if told.verdict is GoDown.NO:  # whoever ends it is not asked, so they find it here
            self.explain(Explain(f"told to end, though it should not: {told.sentence}", {}))
        self.tell(ev.Leave())
        try:
            async with asyncio.timeout(limit_s):
                await self._left.wait()
                await asyncio.sleep(self.config.timing.beat_ms / 1000)  # its good-bye is on its way
        except TimeoutError:
            log.warning("ha: not all that runs here was taken over within %g s", limit_s)

    def tell(self, event: ev.Event) -> le.Answer | None:
        """Give the core an event, have done what it says, and return its answer to an order."""
        return self._do(self.core.handle(event, self._clock.boot_ms()))

    def refuse(self, why: str) -> None:
        """Remember an order that was not carried out, as any decision."""
        self.refused_orders += 1
        self.explain(Explain(f"order refused: {why}", {}))

    def hear(self, path: int, frame: Frame) -> None:
        """Take in a frame whose mac is good."""
        broker = self.shells.broker
        if broker is not None and frame.node == self.core.who.node and self._is_own(path):
            broker.echoed()
        self.tell(ev.FrameIn(path, frame))

    def guard_said(self, state: Mapping[str, Any]) -> None:
        """Take in what the guard says of itself, where that is news."""
        report, bites = reported(state), self.shells.bites
        if bites is not None:
            bites.look(report)
        known = {} if bites is None else bites.known
        if (report, known) != (self.guard_report, self._known_bites):
            self.guard_report, self._known_bites = report, known
            self.tell(compared(self.config, report, known))

    def _guard_gone(self) -> None:
        self.guard_report = None
        self.tell(le.GuardLost())

    def _is_own(self, path: int) -> bool:
        me = next(node.name for node in self.config.nodes if node.index == self.core.who.node)
        return self.config.paths[path].broker == me

    def _do(self, effects: list[ev.Effect]) -> le.Answer | None:
        answer = None
        for effect in effects:
            match effect:
                case ev.Send(frame):
                    self.shells.peers.send(frame)
                case Persist() | ev.Keep():
                    self._put(self._writes, effect)
                case ev.Arm() | ev.Disarm() | ev.Start() | ev.Stop() | ev.Watch():
                    self._serve(effect)
                case ev.Raise() | ev.Clear():
                    self._alarm(effect)
                case Explain():
                    self.explain(effect)
                case ev.Left():
                    self._left.set()
                case le.Answer():
                    answer = effect
                case _:
                    assert_never(effect)
        is_more = any(not isinstance(effect, ev.Send) for effect in effects)
        if is_more and self.shells.upward is not None:  # frames alone change no role
            self.shells.upward.done(self)
        self._look_at_due()
        return answer

    def _look_at_due(self) -> None:
        """Wake the ticker only for what is due sooner: most frames move a deadline away."""
        if self.core.due_ms(self._clock.boot_ms()) < self._awaited_ms:
            self._due_sooner.set()

    def _serve(self, effect: ev.Arm | ev.Disarm | ev.Start | ev.Stop | ev.Watch) -> None:
        workload = self.shells.workload
        if isinstance(effect, ev.Arm | ev.Disarm | ev.Stop):
            self._put(self._orders, effect)
        if workload is None:
            return
        match effect:
            case ev.Start(lease, epoch):
                workload.start(lease, epoch)
            case ev.Stop(lease, epoch, why, by_ms):
                workload.stop(lease, epoch, by_ms, why)
            case ev.Watch(lease, is_on):
                workload.pause(lease, is_on=not is_on)
            case ev.Arm() | ev.Disarm():
                pass

    def _alarm(self, effect: ev.Raise | ev.Clear) -> None:
        """Tell the node's alarms, which take nothing before they are open (see Upward)."""
        alarms, key = self.shells.alarms, (effect.type, effect.entity)
        if isinstance(effect, ev.Raise):
            self.conditions[key] = effect.params
            if alarms is not None:
                alarms.raise_condition(effect.type, dict(effect.params), effect.entity)
        else:
            self.conditions.pop(key, None)
            if alarms is not None:
                alarms.clear_condition(effect.type, effect.entity)

    def explain(self, told: Explain) -> None:
        """Note a decision: in the log, in the ring, for the centre."""
        if self.shells.upward is not None:
            told = self.shells.upward.explained(self, told)
        log.info("ha: %s", told.sentence)
        self.ring.append(
            Explained(
                self._clock.wall_ms(), self._clock.boot_ms(), told.sentence, dict(told.evidence)
            )
        )

    def _put(self, queue: "asyncio.Queue[Any]", item: object) -> None:
        """Queue what a shell does; a full queue is a shell that hangs, so nothing more rests on it.

        A write that is never done is never granted on, an order never acknowledged never starts.
        """
        with suppress(asyncio.QueueFull):
            queue.put_nowait(item)

    async def _tick(self) -> None:
        """Wake the core when it asked for it, and notice when the loop woke late."""
        while True:
            now_ms = self._clock.boot_ms()
            due_ms = self._awaited_ms = self.core.due_ms(now_ms)
            self._due_sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(due_ms - now_ms, 0) / 1000):
                    await self._due_sooner.wait()
            lag_ms = self._clock.boot_ms() - max(due_ms, now_ms)  # since it was due and waited for
            now_ms = self._clock.boot_ms()
            if lag_ms > MARGIN_MS:
                self._do(self.core.handle(ev.Lagged(lag_ms), now_ms))
            now_ms = self._clock.boot_ms()
            if now_ms >= due_ms:  # as it was asked for: a deadline that passed is due no more
                self._reset_silent(now_ms)
                self._do(self.core.handle(le.Tick(self._entropy.uniform(0, 1)), now_ms))

    def _reset_silent(self, now_ms: int) -> None:
        """Reset connections that carry nothing back, as TCP would bring old news first."""
        limit_ms = STALE_BEATS * self.config.timing.beat_ms
        for path in self.shells.paths:
            number = path.number
            if not path.is_open or number in self.shells.peers.muted:
                self._open_ms.pop(number, None)
                continue
            since_ms = self._open_ms.setdefault(number, now_ms)
            fresh = self.core.fresh
            if (
                fresh.brings_back(number)
                and now_ms - since_ms > limit_ms
                and not fresh.is_echoing(number, now_ms)
            ):
                path.abort(f"nothing came back for {limit_ms} ms")

    async def _write(self) -> None:
        while True:
            wanted = await self._writes.get()
            started_ms = self._clock.boot_ms()
            try:
                if isinstance(wanted, ev.Keep):
                    await self.shells.store.write_redundancy(wanted.state)
                    continue
                await self.shells.store.write_voter(wanted.state)
            except StorageError as err:
                log.warning("ha: %s", err)
                if isinstance(wanted, Persist):
                    self.tell(PersistFailed(wanted.token))
                continue
            self.tell(ev.Persisted(wanted.token, self._clock.boot_ms() - started_ms))

    async def _order(self, guard: GuardClient) -> None:
        """Carry the core's orders to the guard, one at a time, in their order."""
        while True:
            order = await self._orders.get()
            try:
                await self._carry(guard, order)
            except GuardGoneError as err:
                log.warning("ha: %s", err)
                self._guard_gone()

    async def _carry(self, guard: GuardClient, order: ev.Arm | ev.Disarm | ev.Stop) -> None:
        try:
            match order:
                case ev.Arm(lease, epoch, deadlines):
                    workload = self.shells.workload
                    bites_ms = await guard.arm(
                        lease,
                        epoch,
                        deadlines,
                        cgroups=() if workload is None else workload.cgroups(lease),
                        vips=() if workload is None else workload.vips(lease),
                        hard=workload is not None and workload.is_hard(lease),
                    )
                    self._hold_against_promise(lease, bites_ms)
                    self.tell(ev.OfLease(lease, le.Armed(epoch, deadlines is not None)))
                case ev.Stop(lease, epoch):
                    await guard.stopping(lease, epoch)
                case ev.Disarm(lease, epoch):
                    await guard.disarm(lease, epoch)
                    self.tell(ev.OfLease(lease, le.Disarmed(epoch)))
        except GuardError as err:
            log.warning("ha: %s", err)
            if isinstance(order, ev.Arm):
                why = f"{err.error}: {err.detail}"
                refused = le.ArmRefused(order.epoch, why, err.lasts)
                self.tell(ev.OfLease(order.lease, refused))

    def _hold_against_promise(self, lease: str, bites_ms: int) -> None:
        """Take an arm whose device bites later than the promise covers for none: its turn ends."""
        if late := watchdog_fault(bites_ms, self.core.watchdogs[lease]):
            raise GuardError(LATE, late)

    async def _watch_guard(self, guard: GuardClient) -> None:
        while True:
            await guard.lost.wait()
            self._guard_gone()
            while guard.lost.is_set():  # noqa: ASYNC110 - the client clears it, nothing is set
                await asyncio.sleep(1)
