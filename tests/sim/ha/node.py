"""One simulated node: the production Voter, and around it what a machine is: clock, power, agent.

Its parts, each with models of what is around the production code: groups (group.py: lease, hold and
service of each), guard and watchdog (guard.py), disk (disk.py), frames and membership (radio.py),
the built-in lease with changes of voters and the witness (coordinator.py). The clock has an offset
and a rate. A frozen node's service does not act, and the guard looks at its deadlines before it
acts again (what a kernel gives in some milliseconds is not modelled).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.ha.coordinator import Coordinator
from sim.ha.disk import Disk
from sim.ha.group import Group
from sim.ha.guard import Guard
from sim.ha.radio import Radio

from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_events import Tick
from roost_protocol.configuration import SITE_LEASE
from roost_protocol.voter import Voter
from roost_protocol.voter_events import Begin, Bound, Configured, Persist, Persisted, Send
from roost_protocol.voter_events import Tick as VoterTick

if TYPE_CHECKING:
    from sim.ha.world import World

WHOLE = 10_000


class Node:
    """See the module.

    Attributes:
        life: +1 whenever the agent ends: what was on its way to it is lost.
        coordinator: of a site whose voters change.
        frozen_until: all of it is stopped till then, true ms.
        hangs_until: no service of it stops till then, true ms.
        wait_until: promises of before this boot may be relied upon till then, true ms.
    """

    def __init__(self, world: "World", index: int) -> None:
        self.world = world
        self.index = index
        self.rate = WHOLE + world.plan.rates[index]
        self.boots = 0
        self.is_on = False
        self.life = 0
        self.voter: Voter | None = None
        self.configured: Configured | None = None
        self.hangs_until = 0
        self._ended = 0
        self.disk = Disk(self)
        self.guard = Guard(self)
        self.radio = Radio(self)
        self.groups = {name: Group(self, name) for name in world.plan.groups}
        self.coordinator = Coordinator(self) if world.has_site else None

    @property
    def lease(self) -> Lease | None:
        """Of the group ``main``."""
        return self.groups["main"].lease

    @property
    def site(self) -> Lease | None:
        """The built-in lease, of a site whose voters change."""
        return None if self.coordinator is None else self.coordinator.lease

    @property
    def has_begun(self) -> bool:
        """Whether it has leases: this start of the agent is on disk."""
        return self.lease is not None

    @property
    def is_able(self) -> bool:
        """Whether its agent would act now."""
        return self.is_on and not self._is_paused()

    # -- clock and power -----------------------------------------------------------------------

    def local(self, at: int | None = None) -> int:
        """Return CLOCK_BOOTTIME at a true time."""
        at = self.world.now if at is None else at
        return self.clock0 + (at - self.booted) * self.rate // WHOLE

    def true(self, local: int) -> int:
        """Return the true time at which the clock first shows ``local``."""
        return self.booted - (-(local - self.clock0) * WHOLE // self.rate)

    def power_on(self) -> None:
        """Boot."""
        if self.is_on:
            return
        self.is_on = True
        self.boots += 1
        self.boot = bytes([self.index]) * 8 + self.boots.to_bytes(8, "big")
        self.booted, self.clock0 = self.world.now, self.world.dice.randrange(5_000)
        self.frozen_until = self._paused_until = 0
        self.guard.power_on()
        for group in self.groups.values():
            group.power_on()
        self.agent_start()

    def power_off(self, for_ms: int) -> None:
        """Lose power: everything that was not on disk is gone."""
        if not self.is_on:
            return
        for group in self.groups.values():
            group.end()
        self.agent_end()
        self.is_on = False
        self.world.after(max(1, for_ms), self.power_on)

    @property
    def up_until(self) -> int:
        """When its agent was up last, true ms."""
        return self._ended if self.voter is None else self.world.now

    def is_in_boot_wait(self) -> bool:
        """Whether promises of before this boot may still be relied upon, reckoned anew."""
        return self.world.now < self.wait_until

    # -- the agent -----------------------------------------------------------------------------

    def agent_start(self) -> None:
        """Start the agent, which begins by putting that on disk."""
        if not self.is_on or self.voter is not None:
            return
        plan, world = self.world.plan, self.world
        guarded = self.guard.is_up and world.now >= self.guard.until
        is_restart = guarded and self.disk.state.boot == self.boot
        self.voter = Voter(
            self.index, world.electorate, plan.timing.terms, world.watchdogs,
            state=self.disk.state, boot=self.boot, guarded=guarded,
            takes_proof=not plan.starts_alone,
        )  # fmt: skip
        self.disk.agent_start()
        self.radio.agent_start()
        self._backlog: list[tuple] = []
        self._wake_at = 0
        self._next_beat = 0
        self.wait_until = 0 if is_restart else world.now + world.promise_true_ms
        world.checkers.started(self.index)
        if self.coordinator is not None:
            self.coordinator.agent_start()
        self.vote(Begin())
        if self.coordinator is not None:
            self.coordinator.look_for_witness()

    def agent_end(self) -> None:
        """End the agent at once; a write on its way lands or does not."""
        if self.voter is None:
            return
        self.disk.agent_end()
        self.life += 1
        self._ended = self.world.now
        self.voter = None
        for group in self.groups.values():
            group.lease = None
        if self.coordinator is not None:
            self.coordinator.agent_end()

    def agent_kill(self, for_ms: int) -> None:
        """Kill the agent alone, and start it again."""
        if self.voter is not None:
            self.world.checkers.met["an agent restarted"] += 1
            self.agent_end()
            self.world.after(max(1, for_ms), self.agent_start)

    def _is_paused(self) -> bool:
        return self.world.now < max(self._paused_until, self.frozen_until)

    def take(self, life: int, do: Callable[..., object], *args: object) -> None:
        """Let the agent see to something, later where it is stopped."""
        if life != self.life or self.voter is None or not self.is_on:
            return
        if self._is_paused():
            self._backlog.append((do, args))
            if len(self._backlog) == 1:
                until = max(self._paused_until, self.frozen_until)
                self.world.at(until, self._resume, life)
            return
        is_quiet = do(*args)
        if not is_quiet and life == self.life and self.voter is not None:
            self._plan_wake()

    def _resume(self, life: int) -> None:
        if life != self.life or self.voter is None:
            return
        if self._is_paused():
            self.world.at(max(self._paused_until, self.frozen_until), self._resume, life)
            return
        backlog, self._backlog = self._backlog, []
        for do, args in backlog:
            self.take(life, do, *args)

    def _plan_wake(self) -> None:
        now = self.local()
        dues = [self._next_beat, self.voter.due_ms()]
        dues += [lease.due_ms(now) for lease in map(self.lease_of, self.world.leases) if lease]
        at = max(self.world.now + 1, self.true(min(due for due in dues if due is not None)))
        if self.world.now < self._wake_at <= at:
            return
        self._wake_at = at
        self.world.at(at, self._wake, self.life, at)

    def _wake(self, life: int, at: int) -> None:
        if life == self.life and at == self._wake_at:
            self.take(life, self._woken)

    def _woken(self) -> None:
        now = self.local()
        if self.voter is not None and (self.voter.due_ms() or now + 1) <= now:
            self.vote(VoterTick())
        is_time = now >= self._next_beat
        if is_time:
            self._next_beat = now + self.world.plan.timing.beat_ms
        if not self.has_begun:
            return
        if is_time:
            self.radio.look(now)
            self.radio.beat(now)
            if self.coordinator is not None:
                self.coordinator.look_afar(now)
        for group in self.groups.values():
            group.look_at_mates()
            group.handle(Tick(self.world.dice.random()))
        if self.site is not None:
            self.coordinator.handle(Tick(self.world.dice.random()))
            self.coordinator.propose()

    # -- voter and leases ----------------------------------------------------------------------

    def lease_of(self, name: str) -> Lease | None:
        """Return a lease by its name; None where this node has it not, or not yet."""
        return self.site if name == SITE_LEASE else self.groups[name].lease

    def of(self, name: str) -> Callable[[object], None]:
        """Return what takes the events of a lease."""
        if name != SITE_LEASE:
            return self.groups[name].handle
        return (lambda _event: None) if self.coordinator is None else self.coordinator.handle

    def new_lease(self, name: str, hosts: tuple, stop_ms: int, watchdog_ms: int) -> Lease:
        """Return a lease as this node begins with it."""
        return Lease(
            name, me=self.index, boot=self.boot, hosts=hosts, electorate=self.voter.electorate,
            timing=self.world.plan.timing, stop_ms=stop_ms, watchdog_ms=watchdog_ms,
            state=self.voter.state, starts_alone=self.world.plan.starts_alone,
        )  # fmt: skip

    def vote(self, event: object) -> None:
        """Let the voter see to something, and do what it says."""
        for effect in self.voter.handle(event, self.local()):
            kind = type(effect)
            if kind is Send:
                self.radio.send(effect)
            elif kind is Persist:
                self.disk.persist(effect)
            elif kind is Configured:
                self._configure(effect)
            elif kind is Bound and self.has_begun:
                self.of(effect.name)(effect)

    def _configure(self, effect: Configured) -> None:
        self.configured = effect
        self.world.checkers.adopted(self.index, effect.electorate)
        for group in self.groups.values():
            group.handle(effect)
        if self.site is not None:
            self.coordinator.handle(effect)
            self.coordinator.propose(effect)

    def on_disk(self, persisted: Persisted) -> None:
        """Take in that a state is on disk; with the first one its leases begin."""
        self.vote(persisted)
        if self.has_begun or not self.voter.has_begun:
            return
        for group in self.groups.values():
            group.create()
        for group in self.groups.values():
            group.handle(self.configured)
        if self.coordinator is not None:
            self.coordinator.create()
            self.coordinator.begin(self.configured)
        for group in self.groups.values():
            group.begin()

    # -- faults --------------------------------------------------------------------------------

    def order(self) -> None:
        """Give back what is held here."""
        for group in self.groups.values():
            group.order()

    def pause_agent(self, for_ms: int) -> None:
        """Stop the agent (SIGSTOP)."""
        self._paused_until = max(self._paused_until, self.world.now + for_ms)

    def freeze(self, for_ms: int) -> None:
        """Stop the whole node; its services do not act meanwhile."""
        self.frozen_until = max(self.frozen_until, self.world.now + for_ms)
        for group in self.groups.values():
            group.freeze()
        self.guard.feed()
        self.world.at(self.frozen_until, self._thaw, self.boots)

    def _thaw(self, boots: int) -> None:
        if boots != self.boots or not self.is_on or self.world.now < self.frozen_until:
            return
        for group in self.groups.values():
            group.thaw()
        self.guard.look()
        self.guard.feed()
