"""One simulated node: the production Voter and Lease, and models of all that is around them.

The models: a clock with an offset and a rate; a disk that loses what was not acknowledged when the
power goes; a guard that resumes its deadlines; a watchdog that bites at the last moment it may; a
service whose true running is told to the checkers; membership and freshness by echo, reduced to
one number a peer. A frozen node's service does not act, and the guard looks at its deadlines before
it acts again (what a kernel gives in some milliseconds is not modelled).
"""

from typing import TYPE_CHECKING

import msgspec
from sim.ha.centre import site_file

from roost_agent.ha.freshness import Heard
from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_events import (
    Arm,
    Armed,
    ArmRefused,
    Believed,
    Disarm,
    Disarmed,
    Eligible,
    GuardLost,
    GuardState,
    Order,
    Proof,
    Received,
    RoundWon,
    Start,
    Stop,
    StopConfirmed,
    Tick,
    ViewChanged,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.proposer import Proposer
from roost_agent.ha.proposer_events import Answered, Shown, Wanted
from roost_agent.ha.proposer_events import Tick as ProposerTick
from roost_agent.ha.start import Who
from roost_agent.ha.view import View
from roost_agent.ha.witness import Witness
from roost_protocol.configuration import SITE_LEASE, WITNESS
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.voter import Voter
from roost_protocol.voter_events import (
    Begin,
    Bound,
    Configured,
    Persist,
    Persisted,
    PersistFailed,
    Request,
    Rests,
    Send,
    Showed,
)
from roost_protocol.voter_events import Tick as VoterTick
from roost_protocol.voter_state import VoterState

if TYPE_CHECKING:
    from sim.ha.world import World

VOTES = frozenset({Kind.PREVOTE, Kind.ACQUIRE, Kind.RENEW, Kind.FENCE_CONFIRM})
ANSWERS = frozenset({Kind.GRANT, Kind.REFUSE, Kind.YIELD, Kind.CFG_ACCEPT})
CHANGES = frozenset({Kind.CFG_PROPOSE, Kind.CFG_COMMIT})
WHOLE = 10_000


class Node:
    """See the module."""

    def __init__(self, world: "World", index: int) -> None:
        self.world = world
        self.index = index
        self.rate = WHOLE + world.plan.rates[index]
        self.disk = VoterState.blank(bytes([index + 1]) * 16)
        self.boots = 0
        self.is_on = False
        self.life = 0  # +1 whenever the agent ends: what was on its way to it is lost
        self.voter: Voter | None = None
        self.lease: Lease | None = None
        self.site: Lease | None = None  # of a site whose voters change
        self.proposer: Proposer | None = None
        self.configured: Configured | None = None
        self.down_until = 0  # true ms; agent, guard: paused or dead
        self.hangs_until = 0
        self.disk_bad_until = 0
        self.wants_lease = True
        self._ended = 0

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
        self.armed: tuple[int, int | None, int | None, int | None] | None = None
        self.guard_until = self.frozen_until = self.paused_until = 0
        self.guard_is_up = True
        self.running = 0
        self.stopping = self.is_killed = False
        self.job = 0  # +1 with each start of the service
        self.fed, self.bite = self.world.now, 0
        self.agent_start()

    def power_off(self, for_ms: int) -> None:
        """Lose power: everything that was not on disk is gone."""
        if not self.is_on:
            return
        self._end_service()
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
        guarded = self.guard_is_up and world.now >= self.guard_until
        is_restart = guarded and self.disk.boot == self.boot
        self.voter = Voter(
            self.index, world.electorate, plan.timing.terms, world.watchdogs,
            state=self.disk, boot=self.boot, guarded=guarded,
        )  # fmt: skip
        self.lease = self.site = self.proposer = None
        self.said_of_site: dict[int, tuple] = {}
        self.showed: dict[int, tuple] = {}
        self.writes: list[tuple[int, VoterState]] = []
        self.disk_free = 0
        self.seq = 0
        self.sent: dict[int, int] = {}
        self.heard: dict[int, tuple[int, int, int]] = {}  # peer -> inc, seq, when
        self.believed: dict[int, tuple] = {}  # peer -> what its last beat said
        self.alive: dict[int, int] = {}  # peer -> local ms of my frame that it echoed
        self.since = self.local()
        self.backlog: list[tuple] = []
        self.wake_at = 0
        self.next_beat = 0
        self.wait_until = 0
        if not is_restart:
            self.wait_until = world.now + world.promise_true_ms
        world.checkers.started(self.index)
        self._voter(Begin())
        self.afar = None
        if plan.wan is not None:
            who = Who("lab", self.index, self.boot, self.voter.state.inc)
            self.afar = Witness(who, site_file(world), world.watchdogs, self.local())
            self.absent: dict[int, int] = {}

    def agent_end(self) -> None:
        """End the agent at once; a write on its way lands or does not."""
        if self.voter is None:
            return
        landed = self.world.dice.randrange(len(self.writes) + 1)
        for _, state in self.writes[:landed]:
            self.disk = state
        self.life += 1
        self._ended = self.world.now
        self.voter = self.lease = self.site = self.proposer = None

    def agent_kill(self, for_ms: int) -> None:
        """Kill the agent alone, and start it again."""
        if self.voter is not None:
            self.world.checkers.met["an agent restarted"] += 1
            self.agent_end()
            self.world.after(max(1, for_ms), self.agent_start)

    def _is_paused(self) -> bool:
        return self.world.now < max(self.paused_until, self.frozen_until)

    def take(self, life: int, what: str, *args: object) -> None:
        """Let the agent see to something, later where it is stopped."""
        if life != self.life or self.voter is None or not self.is_on:
            return
        if self._is_paused():
            self.backlog.append((what, args))
            if len(self.backlog) == 1:
                until = max(self.paused_until, self.frozen_until)
                self.world.at(until, self._resume, life)
            return
        is_quiet = getattr(self, what)(*args)
        if not is_quiet and life == self.life and self.voter is not None:
            self._plan_wake()

    def _resume(self, life: int) -> None:
        if life != self.life or self.voter is None:
            return
        if self._is_paused():
            self.world.at(max(self.paused_until, self.frozen_until), self._resume, life)
            return
        backlog, self.backlog = self.backlog, []
        for what, args in backlog:
            self.take(life, what, *args)

    def _plan_wake(self) -> None:
        now = self.local()
        dues = [self.next_beat, self.voter.due_ms()]
        if self.lease is not None:
            dues.append(self.lease.due_ms(now))
            if self.site is not None:
                dues.append(self.site.due_ms(now))
        at = max(self.world.now + 1, self.true(min(due for due in dues if due is not None)))
        if self.world.now < self.wake_at <= at:
            return
        self.wake_at = at
        self.world.at(at, self._wake, self.life, at)

    def _wake(self, life: int, at: int) -> None:
        if life == self.life and at == self.wake_at:
            self.take(life, "_woken")

    def _woken(self) -> None:
        now = self.local()
        if self.voter is not None and (self.voter.due_ms() or now + 1) <= now:
            self._voter(VoterTick())
        if self.lease is not None:
            if now >= self.next_beat:
                self.next_beat = now + self.world.plan.timing.beat_ms
                self._look(now)
                self._beat(now)
                self._look_afar(now)
            self._lease(Tick(self.world.dice.random()))
            if self.site is not None:
                self._site(Tick(self.world.dice.random()))
                self._propose()
        elif now >= self.next_beat:
            self.next_beat = now + self.world.plan.timing.beat_ms

    def _voter(self, event: object) -> None:
        for effect in self.voter.handle(event, self.local()):
            kind = type(effect)
            if kind is Send:
                self._send(effect)
            elif kind is Persist:
                self._persist(effect)
            elif kind is Configured:
                self._configure(effect)
            elif kind is Bound and self.lease is not None:
                self._of(effect.name)(effect)

    def _lease(self, event: object) -> None:
        for effect in self.lease.handle(event, self.local()):
            kind = type(effect)
            if kind is Send:
                self._send(effect)
            elif kind is Arm or kind is Disarm:
                self._ask_guard(effect)
            elif kind is Start:
                self._start(effect.epoch)
            elif kind is Rests:
                self._voter(effect)
            elif kind is Stop:
                self.world.checkers.met["stopped: " + effect.why.partition(" ")[0]] += 1
                self._stop(effect.epoch)
            if self.lease is None:
                return

    def _of(self, name: str):
        return self._lease if name == "main" else self._site

    def _site(self, event: object) -> None:
        """Let the built-in lease see to something; it runs nothing, so nothing guards it."""
        if self.site is None:
            return
        for effect in self.site.handle(event, self.local()):
            kind = type(effect)
            if kind is Send:
                self._send(effect)
            elif kind is Rests:
                self._voter(effect)
            elif kind is RoundWon:
                self._propose(effect)
            elif kind is Start:
                self.world.checkers.holds_site(self, effect.epoch)
            else:
                self._unguarded(effect)
            if self.site is None:
                return

    def _unguarded(self, effect: object) -> None:
        """Do at once what a guard and services would have to."""
        if type(effect) is Arm:
            self._site(Armed(effect.epoch, effect.deadlines is not None))
        elif type(effect) is Disarm:
            self._site(Disarmed(effect.epoch))
        elif type(effect) is Stop:
            self._site(StopConfirmed(effect.epoch))

    def _propose(self, event: object = None) -> None:
        """Let the one who proposes changes see to something, after what is true now."""
        if self.proposer is None:
            return
        epoch = self.site.epoch if self.site.phase == Phase.HOLDING else 0
        effects = self.proposer.handle(ProposerTick(epoch, self.site.view.seen), self.local())
        if event is not None:
            effects += self.proposer.handle(event, self.local())
        for effect in effects:
            if type(effect) is Send:
                self._send(effect)
            if self.proposer is None:
                return

    def _configure(self, effect: Configured) -> None:
        self.configured = effect
        self.world.checkers.adopted(self.index, effect.electorate)
        if self.lease is not None:
            self._lease(effect)
            self._site(effect)
            self._propose(effect)

    def _shown(self, sender: int, life: tuple | None) -> None:
        """Take in under which configuration, and in which life, a peer is."""
        if life is None:
            return
        boot, inc, cfgver = life
        if self.voter.is_news(sender, cfgver):
            self._voter(Showed(sender, cfgver))
        if self.showed.get(sender) != (life, self.proposer):
            self.showed[sender] = (life, self.proposer)
            self._propose(Shown(sender, boot, inc, cfgver))

    def want(self, node: int) -> bool:
        """Ask for another voter, or one less; True where it was taken."""
        if self.proposer is None or self._is_paused() or not self.is_on or not self.proposer._epoch:
            return False
        is_added = node not in self.voter.electorate.voters
        (answer,) = self.proposer.handle(Wanted(node, is_added=is_added), self.local())
        self._propose()
        return answer.ok

    # -- frames --------------------------------------------------------------------------------

    def _header(self, now: int) -> dict:
        self.seq += 1
        self.sent[self.seq] = now
        if self.seq % 256 == 0:
            for old in range(self.seq - 1_024, self.seq - 768):
                self.sent.pop(old, None)
        return {peer: (inc, seq, now - at) for peer, (inc, seq, at) in self.heard.items()}

    def _send(self, send: Send) -> None:
        state = self.voter.state
        frame = LeaseFrame(
            site="lab", node=self.index, boot=self.boot, inc=state.inc, path=0, seq=0, boot_ms=0,
            period_ms=0, lhm=1, cfgver=self.voter.electorate.cfgver, echo={}, to=send.to,
            kind=send.kind, name=send.name, epoch=send.epoch, nonce=send.nonce, owner=send.owner,
            owner_boot=send.owner_boot, max_epoch=send.max_epoch, remaining_ms=send.remaining_ms,
            watchdog_ms=send.watchdog_ms, reason=send.reason, successor=send.successor,
            cfg=send.cfg, accepted=send.accepted, epochs=send.epochs,
        )  # fmt: skip
        self._tell_checkers(frame)
        if send.to == self.index:
            self._obey(frame, 0)
            return
        now = self.local()
        if send.to == WITNESS:
            self._send_afar(frame, send, now)
            return
        echo = self._header(now)
        self.world.transmit(
            self.index, send.to, "_frame", (state.inc, self.seq, echo.get(send.to), frame)
        )

    # -- the witness at the centre -------------------------------------------------------------

    def _look_afar(self, now: int) -> None:
        """Ask the witness whether it is there, and have it vote or not; as the core does."""
        if self.afar is None or self.site is None:
            return
        for question in self.afar.probe(self.voter.state.voter_id, now):
            self._send(question)
        nodes, seen = range(self.world.plan.nodes), self.lease.view.seen
        self.absent = {n: self.absent.get(n, now) for n in nodes if n not in seen}
        if self.site.phase != Phase.HOLDING or self.proposer.is_changing:
            return
        wanted = self.afar.wanted(self.voter.electorate, self.absent, now)
        if wanted is not None:
            self._propose(wanted)

    def _send_afar(self, frame: LeaseFrame, send: Send, now: int) -> None:
        if self.afar is None:
            return
        fresh = self.afar.fresh
        frame = msgspec.structs.replace(
            frame, seq=fresh.sent(now), boot_ms=now, echo=fresh.echoes(now),
            enlistment=send.enlistment,
        )  # fmt: skip
        centre = self.world.centre
        centre.carry(self.index, centre.take, f"n{self.index}", frame)

    def hear_afar(self, frame: LeaseFrame) -> None:
        """Have a frame of the witness on its way."""
        if self.voter is not None:
            self.take(self.life, "_afar_in", frame)

    def _afar_in(self, frame: LeaseFrame) -> None:
        now = self.local()
        if not isinstance(self.afar.fresh.heard(0, frame, now, is_beat=False), Heard):
            return
        self._shown(WITNESS, (frame.boot, frame.inc, frame.cfgver))
        if self.voter is not None and not self.afar.heard(frame, now):
            self._obey(frame, self.afar.fresh.request_age_ms(frame, now))

    def _tell_checkers(self, frame: LeaseFrame) -> None:
        checkers, kind = self.world.checkers, frame.kind
        if frame.name != "main":
            return
        if kind is Kind.GRANT:
            asked = frame.reason
            if frame.owner == frame.to and not asked:
                self._told_grant(frame)
        elif kind is Kind.RELEASE and frame.to != self.index:
            checkers.released(frame.epoch)
        elif kind is Kind.ATTEST and frame.owner is not None:
            checkers.attested(frame.to, self.index, frame.epoch)

    def _told_grant(self, frame: LeaseFrame) -> None:
        """Tell the grants of requests from the receipts of releases, which look the same."""
        asked = self._answering
        if asked is not None and asked.kind in VOTES and asked.kind is not Kind.FENCE_CONFIRM:
            is_prevote = asked.kind is Kind.PREVOTE
            self.world.checkers.granted(self.index, frame.epoch, is_prevote=is_prevote)

    _answering: LeaseFrame | None = None

    def _frame(
        self, sender: int, inc: int, seq: int, echo: tuple | None, frame: LeaseFrame
    ) -> None:
        now = self.local()
        self._hear(sender, inc, seq, echo, now)
        if self.world.has_site:
            self._shown(sender, (frame.boot, frame.inc, frame.cfgver))
            if self.voter is None:
                return
        age = None
        if echo is not None and echo[0] == self.voter.state.inc and echo[1] in self.sent:
            age = now - (self.sent[echo[1]] + echo[2])
        self._obey(frame, age)

    def _obey(self, frame: LeaseFrame, age: int | None) -> None:
        kind = frame.kind
        if kind not in ANSWERS:
            self._answering = frame
            self._voter(Request(frame, age))
            self._answering = None
        if kind is Kind.CFG_ACCEPT:
            self._propose(Answered(frame))
        elif kind not in VOTES and kind not in CHANGES and self.lease is not None:
            self._of(frame.name)(Received(frame, age))

    def _beat(self, now: int) -> None:
        echo = self._header(now)
        belief = self.lease.belief(now)
        inc = self.voter.state.inc
        life = site = None
        if self.site is not None:
            life = (self.boot, inc, self.voter.electorate.cfgver)
            site = self.site.belief(now)
        for peer in range(self.world.plan.nodes):
            if peer != self.index:
                self.world.transmit(
                    self.index,
                    peer,
                    "_beaten",
                    (inc, self.seq, echo.get(peer), (belief, life, site)),
                )

    def _beaten(self, sender: int, inc: int, seq: int, echo: tuple | None, said: tuple) -> bool:
        """Take in a beat; True where the lease has nothing to learn from it."""
        belief, life, site = said
        is_new = self._hear(sender, inc, seq, echo, self.local())
        self._shown(sender, life)
        if self.voter is None:
            return True
        if is_new and site is not None and self.site is not None:
            said = (site.epoch, site.holder, site.state, self.site)
            if self.said_of_site.get(sender) != said:
                self.said_of_site[sender] = said
                self._site(Believed(sender, site))
        said = (belief.epoch, belief.holder, belief.state, self.lease)
        if not is_new or self.lease is None or self.believed.get(sender) == said:
            return True
        self.believed[sender] = said
        self._lease(Believed(sender, belief))
        return False

    def _hear(self, sender: int, inc: int, seq: int, echo: tuple | None, now: int) -> bool:
        last = self.heard.get(sender)
        is_new = last is None or (inc, seq) > last[:2]
        if is_new:
            self.heard[sender] = (inc, seq, now)
        if echo is not None and echo[0] == self.voter.state.inc and echo[1] in self.sent:
            at = self.sent[echo[1]]
            if at > self.alive.get(sender, -1):
                self.alive[sender] = at
                self.world.checkers.alive(self.index, sender, self.true(at))
        return is_new

    def _look(self, now: int) -> None:
        """Reckon whom this node sees: a peer whose last echo is older than 8 beats is lost."""
        timing = self.world.plan.timing
        seen, lost = {self.index}, set()
        for peer in range(self.world.plan.nodes):
            if peer != self.index:
                age = now - max(self.alive.get(peer, -1), self.since)
                if age > 8 * timing.beat_ms:
                    lost.add(peer)
                elif peer in self.alive:
                    seen.add(peer)
        rank = sum(peer < self.index for peer in seen)
        if self.afar is not None and self.afar.is_there(now):
            seen.add(WITNESS)
        view = View(frozenset(seen), frozenset(lost), rank=rank)
        if view != self.lease.view:
            self._lease(ViewChanged(view))
            if self.lease is not None:
                self._site(ViewChanged(view))
        if self.lease is not None and lost:
            for peer in sorted(lost):
                self._read_power(peer)

    def _read_power(self, peer: int) -> None:
        other = self.world.nodes[peer]
        if not self.world.plan.has_bmc or other.is_on or self.lease is None:
            return
        for name in self.world.watchdogs:
            promise = self.voter.promise(name, self.local())
            boot = promise.boot if promise and promise.owner == peer else other.boot
            self.world.checkers.proven(peer, boot)
            self.world.checkers.met["a proof of death"] += 1
            self._of(name)(Proof(peer, boot, "its power is off"))

    # -- the disk ------------------------------------------------------------------------------

    def _persist(self, effect: Persist) -> None:
        dice, world = self.world.dice, self.world
        took = dice.choice((1, 2, 5, 10, 30)) if dice.random() < 0.97 else 300
        self.disk_free = max(world.now + took, self.disk_free)
        self.writes.append((effect.token, effect.state))
        world.at(self.disk_free, self._written, self.life, effect.token)

    def _written(self, life: int, token: int) -> None:
        if life != self.life or self.voter is None:
            return
        (_, state) = self.writes.pop(0)
        if self.world.now < self.disk_bad_until:
            self.world.checkers.met["a write failed"] += 1
            if self.world.dice.random() < 0.5:
                self.disk = state
            self.take(life, "_voter", PersistFailed(token))
            return
        self.disk = state
        self.take(life, "_on_disk", token)

    def _on_disk(self, token: int) -> None:
        self._voter(Persisted(token))
        if self.lease is None and self.voter.has_begun:
            self._begin_lease()

    def _begin_lease(self) -> None:
        plan = self.world.plan
        self.world.checkers.recovered(self.index, self.voter.max_epoch("main"))
        self.lease = self._new_lease("main", self.world.hosts, plan.stop_ms, plan.watchdog_ms)
        self._lease(self.configured)
        if self.world.has_site:
            voters = self.voter.electorate.local
            self.site = self._new_lease(SITE_LEASE, voters, 0, 0)
            self.proposer = Proposer(
                self.index, self.boot, electorate=self.voter.electorate, timing=plan.timing,
                watchdog_ms=plan.watchdog_ms, hosts={"main": self.world.hosts},
                nonce=self.site.nonce, epochs=self.voter.epochs,
            )  # fmt: skip
            self._site(self.configured)
            self._site(Eligible(True))
            self._site(GuardState())
        self._lease(Eligible(True))
        self._try_guard()

    def _new_lease(self, name: str, hosts: tuple, stop_ms: int, watchdog_ms: int) -> Lease:
        return Lease(
            name, me=self.index, boot=self.boot, hosts=hosts, electorate=self.voter.electorate,
            timing=self.world.plan.timing, stop_ms=stop_ms, watchdog_ms=watchdog_ms,
            state=self.voter.state,
        )  # fmt: skip

    def _try_guard(self) -> None:
        if self.lease is None or self.lease.phase != Phase.UNKNOWN:
            return
        if not self.guard_is_up or self.world.now < self.guard_until:
            self.world.after(200, self.take, self.life, "_try_guard")
            return
        armed = self.armed
        if armed is None:
            self._lease(GuardState())
        else:
            self._lease(GuardState(armed[0], armed[3]))

    # -- guard, watchdog, service --------------------------------------------------------------

    def _ask_guard(self, effect: Arm | Disarm) -> None:
        if not self.guard_is_up:
            self.world.after(1, self.take, self.life, "_lease", GuardLost())
            return
        at = max(self.world.now + self.world.dice.randrange(1, 4), self.guard_until)
        self.world.at(at, self._guard_does, self.life, effect, self.boots)

    def _guard_does(self, life: int, effect: Arm | Disarm, boots: int) -> None:
        if not self.is_on or not self.guard_is_up or boots != self.boots:
            return
        if self.world.now < max(self.guard_until, self.frozen_until):
            until = max(self.guard_until, self.frozen_until)
            self.world.at(until + 1, self._guard_does, life, effect, boots)
            return
        self._guard_looks()
        now, armed = self.local(), self.armed
        if isinstance(effect, Disarm):
            if armed is not None and armed[0] == effect.epoch:
                self.armed = None
            self.take(life, "_lease", Disarmed(effect.epoch))
        else:
            lease_ms = self.world.plan.timing.lease_ms
            d1_ms, d2_ms, d3_ms = effect.deadlines or (None, None, None)
            is_late = d1_ms is not None and (now >= d1_ms or d3_ms > now + lease_ms)
            if armed is not None:
                is_late |= effect.epoch < armed[0]
                is_late |= effect.epoch == armed[0] and armed[1] is not None and now >= armed[1]
            if is_late:
                self.world.checkers.met["the guard refused"] += 1
                self.take(life, "_lease", ArmRefused(effect.epoch, "too late"))
                return
            self.armed = (effect.epoch, d1_ms, d2_ms, d3_ms)
            self.world.checkers.armed(effect.epoch, is_endless=d3_ms is None)
            if effect.deadlines is not None:
                self.world.checkers.validity(self.index, effect.epoch, self.true(d3_ms))
                for due in effect.deadlines:
                    late = self.world.dice.randrange(self.world.plan.timing.tick_ms)
                    self.world.at(self.true(due) + late, self._guard_wakes, boots)
            self.take(life, "_lease", Armed(effect.epoch, effect.deadlines is not None))
        self._feed()

    def _guard_wakes(self, boots: int) -> None:
        if self.is_on and boots == self.boots and self.guard_is_up:
            if self.world.now < max(self.guard_until, self.frozen_until):
                until = max(self.guard_until, self.frozen_until)
                self.world.at(until, self._guard_wakes, boots)
            else:
                self._guard_looks()
                self._feed()

    def _guard_looks(self) -> None:
        """Do what is due, before anything else."""
        if not self.running or self.armed is None:
            return
        _, d1, d2, _ = self.armed
        now = self.local()
        if d2 is not None and now >= d2:
            self.world.checkers.met["the guard killed"] += 1
            if self.world.now >= self.hangs_until or not self.world.plan.watchdog_ms:
                took = (
                    0 if self.world.now == self.frozen_until else self.world.dice.randrange(1, 60)
                )
                self.world.after(took, self._killed, self.job, self.boots)
        elif d1 is not None and now >= d1 and not self.stopping:
            self._stop(self.armed[0])

    def _killed(self, job: int, boots: int) -> None:
        if boots == self.boots and job == self.job and self.running:
            self._end_service()
            self._confirm()

    def _feed(self) -> None:
        """Feed the watchdog, or let it bite W after it was last fed, and not sooner."""
        watchdog_ms = self.world.plan.watchdog_ms
        if not watchdog_ms or not self.is_on:
            return
        is_able = self.guard_is_up and self.world.now >= max(self.guard_until, self.frozen_until)
        d3 = self.armed[3] if self.armed else None
        is_due = not self.running or d3 is None or self.local() < d3
        if is_able and is_due:
            self.bite = 0
            return
        if not self.bite:
            self.bite = self.world.now + watchdog_ms
            self.world.at(self.bite, self._bites, self.boots, self.bite)

    def _bites(self, boots: int, bite: int) -> None:
        if boots == self.boots and self.is_on and self.bite == bite:
            self.world.checkers.met["a watchdog bit"] += 1
            self.power_off(self.world.dice.randrange(500, 4_000))

    def _start(self, epoch: int) -> None:
        if self.running:
            return
        self.running, self.stopping = epoch, False
        self.job += 1
        self.world.boot_of_epoch[epoch] = self.boot
        self.world.checkers.runs(self.index, epoch, is_new=True)
        self._feed()

    def _stop(self, epoch: int) -> None:
        if not self.running:
            self.world.after(1, self.take, self.life, "_lease", StopConfirmed(epoch))
            return
        if self.stopping:
            return
        self.stopping = True
        if self.world.now >= self.hangs_until:
            took = self.world.dice.randrange(1, self.world.plan.stop_ms + 1)
            self.world.after(took, self._killed, self.job, self.boots)
        elif not self.armed or self.armed[3] is None:
            self.world.at(self.hangs_until, self._killed, self.job, self.boots)

    def _end_service(self) -> None:
        if self.running:
            self.running = 0
            self.world.checkers.rests(self.index)
            self._feed()

    def _confirm(self) -> None:
        self.take(self.life, "_confirmed")

    def _confirmed(self) -> None:
        """Tell the lease what it waits for; what it did not ask to stop is started again."""
        lease, armed = self.lease, self.armed
        if lease is None:
            return
        if lease.phase == Phase.STOPPING:
            self._lease(StopConfirmed(lease.epoch))
        elif (
            lease.phase == Phase.HOLDING
            and armed is not None
            and armed[0] == lease.epoch
            and (armed[1] is None or self.local() < armed[1])
        ):
            self._start(lease.epoch)

    # -- faults --------------------------------------------------------------------------------

    def pause_agent(self, for_ms: int) -> None:
        """Stop the agent (SIGSTOP)."""
        self.paused_until = max(self.paused_until, self.world.now + for_ms)

    def pause_guard(self, for_ms: int) -> None:
        """Stop the guard; the watchdog is fed no more."""
        self.guard_until = max(self.guard_until, self.world.now + for_ms)
        self._feed()
        self.world.at(self.guard_until, self._guard_wakes, self.boots)

    def kill_guard(self, for_ms: int) -> None:
        """Kill the guard; it comes back and goes on with its file."""
        self.guard_is_up = False
        self._feed()
        if self.lease is not None:
            self.take(self.life, "_lease", GuardLost())
        self.world.after(max(1, for_ms), self._guard_back, self.boots)

    def _guard_back(self, boots: int) -> None:
        if boots == self.boots and self.is_on:
            self.guard_is_up = True
            self._guard_looks()
            self._feed()
            if self.lease is not None and self.armed is not None:
                self.take(self.life, "_lease", Armed(self.armed[0], self.armed[3] is not None))

    def freeze(self, for_ms: int) -> None:
        """Stop the whole node; its service does not act meanwhile."""
        self.frozen_until = max(self.frozen_until, self.world.now + for_ms)
        if self.running:
            self.world.checkers.rests(self.index)
        self._feed()
        self.world.at(self.frozen_until, self._thaw, self.boots)

    def _thaw(self, boots: int) -> None:
        if boots != self.boots or not self.is_on or self.world.now < self.frozen_until:
            return
        d2 = self.armed[2] if self.armed else None
        if self.running and d2 is not None and self.local() >= d2:
            self.running = 0
            self._confirm()
        elif self.running:
            self.world.checkers.runs(self.index, self.running, is_new=False)
        self._guard_looks()
        self._feed()

    def order(self) -> None:
        """Give the lease back, if it is held here."""
        if self.lease is not None and self.lease.phase == Phase.HOLDING:
            self.world.checkers.met["a switchover"] += 1
            seen = sorted(self.lease.view.seen - {self.index})
            self.take(self.life, "_lease", Order("asked to", seen[0] if seen else None))

    def order_site(self) -> None:
        """Give the built-in lease back, if it is held here."""
        if self.site is not None and self.site.phase == Phase.HOLDING:
            self.take(self.life, "_site", Order("asked to"))
