"""One group on a simulated node: the production Lease, its hold in the guard, its service.

The guard's part of a hold is here, as it is one for each lease; when the guard acts, and the
watchdog, are guard.py's. The service's true running is told to the checkers.
"""

from typing import TYPE_CHECKING

from roost_agent.ha.lease_events import (
    Arm,
    Armed,
    ArmRefused,
    Disarm,
    Disarmed,
    Eligible,
    GuardLost,
    GuardState,
    Order,
    Start,
    Stop,
    StopConfirmed,
)
from roost_agent.ha.lease_phase import Phase
from roost_protocol.voter_events import Rests, Send, Won

if TYPE_CHECKING:
    from sim.ha.node import Node

    from roost_agent.ha.lease import Lease

Hold = tuple[int, int | None, int | None, int | None]  # epoch, D1, D2, D3


class Group:
    """See the module."""

    def __init__(self, node: "Node", name: str) -> None:
        self.node = node
        self.world = node.world
        self.name = name
        self.lease: Lease | None = None
        self.armed: Hold | None = None
        self.running = 0  # the epoch under which the service acts
        self.stopping = False
        self.job = 0  # +1 with each start of the service
        self._is_eligible = True

    @property
    def checkers(self):
        """Of this lease."""
        return self.world.checkers.of[self.name]

    def power_on(self) -> None:
        """Begin with nothing."""
        self.armed = None
        self.running = 0
        self.stopping = False
        self.job = 0

    # -- the lease -----------------------------------------------------------------------------

    def create(self) -> None:
        """Begin with what this start of the agent has on disk."""
        node, plan = self.node, self.world.plan
        self.checkers.recovered(node.index, node.voter.max_epoch(self.name))
        hosts, watchdog_ms = self.world.hosts_of(self.name), self.world.watchdogs[self.name]
        self.lease = node.new_lease(self.name, hosts, plan.stop_ms, watchdog_ms)
        self._is_eligible = True

    def begin(self) -> None:
        """Stand for it, and take up what the guard holds."""
        self.handle(Eligible(True))
        self.try_guard()

    def look_at_mates(self) -> None:
        """Stand for no slot while another one of the same group is held here."""
        mates = [self.node.groups[name] for name in self.world.mates_of(self.name)]
        is_eligible = not any(each.lease is not None and each.lease.is_held for each in mates)
        if self.lease is not None and is_eligible != self._is_eligible:
            self._is_eligible = is_eligible
            self.handle(Eligible(is_eligible))

    def handle(self, event: object) -> None:
        """Let the lease see to something, and do what it says."""
        if self.lease is None:
            return
        for effect in self.lease.handle(event, self.node.local()):
            kind = type(effect)
            if kind is Send:
                self.node.radio.send(effect)
            elif kind is Arm or kind is Disarm:
                self._ask_guard(effect)
            elif kind is Start:
                self._start(effect.epoch)
            elif kind is Rests or kind is Won:
                self.node.vote(effect)
            elif kind is Stop:
                self.world.checkers.met["stopped: " + effect.why.partition(" ")[0]] += 1
                self._stop(effect.epoch)
            if self.lease is None:
                return

    def order(self) -> None:
        """Give the lease back, if it is held here."""
        if self.lease is not None and self.lease.phase == Phase.HOLDING:
            self.world.checkers.met["a switchover"] += 1
            seen = sorted(self.lease.view.seen - {self.node.index})
            self.take(self.handle, Order("asked to", seen[0] if seen else None))

    def take(self, do, *args: object) -> None:
        """Let the agent that runs now see to something."""
        self.node.take(self.node.life, do, *args)

    # -- its hold ------------------------------------------------------------------------------

    def try_guard(self) -> None:
        """Ask the guard what it holds; again until it answers."""
        if self.lease is None or self.lease.phase != Phase.UNKNOWN:
            return
        guard = self.node.guard
        if not guard.is_up or self.world.now < guard.until:
            self.world.after(200, self.node.take, self.node.life, self.try_guard)
            return
        armed = self.armed
        if armed is None:
            self.handle(GuardState())
        else:
            self.handle(GuardState(armed[0], armed[3]))

    def _ask_guard(self, effect: Arm | Disarm) -> None:
        guard = self.node.guard
        if not guard.is_up:
            self.world.after(1, self.node.take, self.node.life, self.handle, GuardLost())
            return
        at = max(self.world.now + self.world.dice.randrange(1, 4), guard.until)
        self.world.at(at, self._guard_does, self.node.life, effect, self.node.boots)

    def _guard_does(self, life: int, effect: Arm | Disarm, boots: int) -> None:
        node, guard = self.node, self.node.guard
        if not node.is_on or not guard.is_up or boots != node.boots:
            return
        if self.world.now < max(guard.until, node.frozen_until):
            until = max(guard.until, node.frozen_until)
            self.world.at(until + 1, self._guard_does, life, effect, boots)
            return
        guard.look()
        if isinstance(effect, Disarm):
            if self.armed is not None and self.armed[0] == effect.epoch:
                self.armed = None
            node.take(life, self.handle, Disarmed(effect.epoch))
        elif self._is_late(effect):
            self.world.checkers.met["the guard refused"] += 1
            node.take(life, self.handle, ArmRefused(effect.epoch, "too late"))
            return
        else:
            self._arm(effect, boots)
            node.take(life, self.handle, Armed(effect.epoch, effect.deadlines is not None))
        guard.feed()

    def _is_late(self, effect: Arm) -> bool:
        now, armed = self.node.local(), self.armed
        d1_ms, _, d3_ms = effect.deadlines or (None, None, None)
        lease_ms = self.world.plan.timing.lease_ms
        is_late = d1_ms is not None and (now >= d1_ms or d3_ms > now + lease_ms)
        if armed is not None:
            is_late |= effect.epoch < armed[0]
            is_late |= effect.epoch == armed[0] and armed[1] is not None and now >= armed[1]
        return is_late

    def _arm(self, effect: Arm, boots: int) -> None:
        node = self.node
        d1_ms, d2_ms, d3_ms = effect.deadlines or (None, None, None)
        self.armed = (effect.epoch, d1_ms, d2_ms, d3_ms)
        self.checkers.armed(effect.epoch, is_endless=d3_ms is None)
        if effect.deadlines is not None:
            self.checkers.validity(node.index, effect.epoch, node.true(d3_ms))
            for due in effect.deadlines:
                late = self.world.dice.randrange(self.world.plan.timing.tick_ms)
                self.world.at(node.true(due) + late, node.guard.wakes, boots)

    def look(self) -> None:
        """Do what the guard would at this moment."""
        if not self.running or self.armed is None:
            return
        _, d1, d2, _ = self.armed
        now = self.node.local()
        if d2 is not None and now >= d2:
            self.world.checkers.met["the guard killed"] += 1
            if self.world.now >= self.node.hangs_until or not self.world.plan.watchdog_ms:
                is_thawed = self.world.now == self.node.frozen_until
                took = 0 if is_thawed else self.world.dice.randrange(1, 60)
                self.world.after(took, self._killed, self.job, self.node.boots)
        elif d1 is not None and now >= d1 and not self.stopping:
            self._stop(self.armed[0])

    def keeps_hungry(self) -> bool:
        """Whether it runs past its D3, so that the watchdog gets nothing."""
        d3 = self.armed[3] if self.armed else None
        return bool(self.running) and d3 is not None and self.node.local() >= d3

    # -- its service ---------------------------------------------------------------------------

    def _start(self, epoch: int) -> None:
        if self.running:
            return
        self.running, self.stopping = epoch, False
        self.job += 1
        self.checkers.runs(self.node.index, epoch, is_new=True)
        self.node.guard.feed()

    def _stop(self, epoch: int) -> None:
        if not self.running:
            confirmed = StopConfirmed(epoch)
            self.world.after(1, self.node.take, self.node.life, self.handle, confirmed)
            return
        if self.stopping:
            return
        self.stopping = True
        if self.world.now >= self.node.hangs_until:
            took = self.world.dice.randrange(1, self.world.plan.stop_ms + 1)
            self.world.after(took, self._killed, self.job, self.node.boots)
        elif not self.armed or self.armed[3] is None:
            self.world.at(self.node.hangs_until, self._killed, self.job, self.node.boots)

    def _killed(self, job: int, boots: int) -> None:
        if boots == self.node.boots and job == self.job and self.running:
            self.end()
            self.take(self._confirmed)

    def end(self) -> None:
        """End the service at once."""
        if self.running:
            self.running = 0
            self.checkers.rests(self.node.index)
            self.node.guard.feed()

    def _confirmed(self) -> None:
        """Tell the lease what it waits for; what it did not ask to stop is started again."""
        lease, armed = self.lease, self.armed
        if lease is None:
            return
        if lease.phase == Phase.STOPPING:
            self.handle(StopConfirmed(lease.epoch))
        elif (
            lease.phase == Phase.HOLDING
            and armed is not None
            and armed[0] == lease.epoch
            and (armed[1] is None or self.node.local() < armed[1])
        ):
            self._start(lease.epoch)

    def freeze(self) -> None:
        """Act no more until it is thawed."""
        if self.running:
            self.checkers.rests(self.node.index)

    def thaw(self) -> None:
        """Go on, or be killed first thing."""
        d2 = self.armed[2] if self.armed else None
        if self.running and d2 is not None and self.node.local() >= d2:
            self.running = 0
            self.take(self._confirmed)
        elif self.running:
            self.checkers.runs(self.node.index, self.running, is_new=False)
