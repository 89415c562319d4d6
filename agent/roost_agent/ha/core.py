"""One node's local HA: joins detector, voter and leases, decides nothing of its own twice.

Frames go to freshness first; what counts goes to the voter, the leases or membership. What this
node asks of its own voter, it asks without a network. All effects are in the order in which they
must happen.

Leaves to others: its parts (known), what runs between them (exchange), what a frame means
(hearing), what is given away by choice (giving); sockets and macs (peer), disks and timers
(runtime), processes (services).

Invariants:
- nothing of a lease happens before this start of the agent is on this node's own disk;
- every effect but those of a beat follows from an event of this call.
"""

from typing import assert_never

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha import membership_events as mb
from roost_agent.ha.abstaining import Abstaining
from roost_agent.ha.config import SITE_LEASE, HaConfig
from roost_agent.ha.exchange import Exchange
from roost_agent.ha.giving import Giving
from roost_agent.ha.hearing import Hearing
from roost_agent.ha.known import Known
from roost_agent.ha.lacking import FENCING
from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_plan import lease_stop_ms
from roost_agent.ha.member import MemberState
from roost_agent.ha.own_frames import Said
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.slot_maker import SlotMaker
from roost_agent.ha.start import Before, Who
from roost_protocol.explain import Explain
from roost_protocol.ha import LEAVING, LEFT, MAINTENANCE, Kind, Nonce
from roost_protocol.voter_events import Begin, Persisted, PersistFailed, Send, Tick


class Core(Known):
    """See the module.

    Args:
        who: this start.
        config: of the site.
        before: what is known.
        now_ms: CLOCK_BOOTTIME.
    """

    def __init__(self, who: Who, config: HaConfig, before: Before, now_ms: int) -> None:
        super().__init__(who, config, before, now_ms)
        self._slot_maker = SlotMaker(self)
        self._exchange = Exchange(self)
        self._abstaining = Abstaining(self.voter.lacks)
        self._hearing = Hearing(self, self._exchange, self._slot_maker, self._abstaining)
        self._giving = Giving(self, self._exchange)
        self._exchange.worse = self._giving.give_way
        self._beat_ms = now_ms
        self._is_guard_lost = False
        self._host = (0, 0, 0)
        self._update = (0, 0, 0)

    @property
    def stale(self) -> int:
        """Lease frames that were too old, or echoed nothing of this start."""
        return self._hearing.stale

    def start(self, now_ms: int) -> list[ev.Effect]:
        """Return the first effects: the start goes to disk."""
        self._exchange.vote(Begin(), now_ms)
        return self._done(now_ms)

    def handle(self, event: ev.Event, now_ms: int) -> list[ev.Effect]:  # noqa: C901, PLR0912, PLR0915 - a table
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: CLOCK_BOOTTIME, read after whatever was awaited before.
        """
        exchange = self._exchange
        match event:
            case ev.FrameIn(path, frame):
                self._hearing.heard(path, frame, now_ms)
            case le.Tick(jitter):
                self._tick(jitter, now_ms)
            case ev.Lagged(lag_ms):
                exchange.member(mb.Lagged(lag_ms), now_ms)
            case ev.Score(score):
                exchange.member(mb.Score(score), now_ms)
            case ev.Persisted(token, took_ms):
                self._persisted(token, took_ms, now_ms)
            case PersistFailed():
                self._persist_failed(event, now_ms)
            case ev.OfLease(lease, said):
                self._guard_answered(lease, said, now_ms)
                exchange.lease(lease, said, now_ms)
            case le.GuardLost():
                self._guard_lost(now_ms)
            case ev.GuardSaid():
                exchange.out += self.candidacy.guard.told(event)
                self._end_unguarded(event, now_ms)
                exchange.tell_eligible(now_ms)
            case ev.Eligible():
                self.candidacy.told(event)
                exchange.tell_eligible(now_ms)
            case ev.Give(lease, why, to, is_chosen):
                if is_chosen:
                    self._giving.choose(lease, why, to, now_ms)
                else:
                    exchange.lease(lease, le.Order(why, to), now_ms)
            case ev.Pause(lease, until_ms):
                self._pause(lease, until_ms, now_ms)
            case ev.Leave():
                self._leave(now_ms)
            case ev.Proven():
                self._proven(event, now_ms)
            case ev.HostIs(word, bar, locks, anew):
                self._host = (word, locks, anew)
                self.candidacy.host_bar = bar
                exchange.tell_eligible(now_ms)
            case ev.UpdateIs(word, lets, backs):
                self._update = (word, lets, backs)
            case ev.Yield():
                exchange.send(self._asking(event), now_ms)
            case ev.NoProof(sentence):
                exchange.lacks(FENCING, sentence)
            case ev.Unfenced(why):
                self.candidacy.unfenced = why
                exchange.tell_eligible(now_ms)
            case Wanted():
                exchange.propose(event, now_ms)
            case _:
                assert_never(event)
        return self._done(now_ms)

    def due_ms(self, now_ms: int) -> int:
        """Return when the next Tick is needed."""
        waits = [self._beat_ms, self.members.due_ms(now_ms), self.voter.due_ms()]
        waits += [lease.due_ms(now_ms) for lease in self.leases.values()]
        waits += self.candidacy.paused.values()
        if self.witness is not None:
            waits.append(self.witness.due_ms)
        return min(wait for wait in waits if wait is not None)

    def _done(self, now_ms: int) -> list[ev.Effect]:
        """Let this node's frames to itself have their way, then hand out all effects."""
        exchange = self._exchange
        while exchange.to_self:
            self._hearing.lease_frame(exchange.to_self.popleft(), 0, now_ms)
        if (told := self._abstaining.look(now_ms)) is not None:
            exchange.out.append(told)
        out, exchange.out = exchange.out, []
        return out

    # -- time ----------------------------------------------------------------------------------

    def _tick(self, jitter: float, now_ms: int) -> None:
        exchange = self._exchange
        for name in self.candidacy.ended(now_ms):
            self._pause(name, None, now_ms)
        exchange.member(mb.Tick(), now_ms)
        self._giving.look_again(now_ms)
        exchange.tell_views(now_ms)
        exchange.out += self._slot_maker.look(now_ms)
        self.candidacy.guard.look(now_ms)
        exchange.tell_eligible(now_ms)
        exchange.out += self.requirements.look(now_ms)
        if (told := self.quorum.look(now_ms)) is not None:
            exchange.out.append(told)
        exchange.vote(Tick(), now_ms)
        for name in self.leases:
            exchange.lease(name, le.Tick(jitter), now_ms)
        exchange.propose(None, now_ms)
        self._look_afar(now_ms)
        self._look_leaving(now_ms)
        self._giving.prefer(now_ms)
        if now_ms >= self._beat_ms:
            late_ms = now_ms - self._beat_ms
            h_ms = self.config.timing.beat_ms
            self._beat_ms = now_ms + h_ms - (late_ms if late_ms < h_ms else 0)
            self._beat(now_ms)

    def _look_afar(self, now_ms: int) -> None:
        """Ask the witness whether it is there, and have it vote or not."""
        if self.witness is None or not self.leases:
            return
        for question in self.witness.probe(self.voter.state.voter_id, now_ms):
            self._exchange.send(question, now_ms)
        if (wanted := self.electing.wanted(now_ms)) is not None:
            self._exchange.propose(wanted, now_ms)

    def _look_leaving(self, now_ms: int) -> None:
        """Give away what others could take; the last beat of all says good-bye."""
        kept = self._giving.leave(now_ms)
        if kept is not None:
            left = f"; nobody could take {', '.join(kept)}, left to the guard" if kept else ""
            self._exchange.out.append(Explain(f"good-bye{left}", {"kept": ", ".join(kept)}))
            self._beat(now_ms)
            self._exchange.out.append(ev.Left())

    def _beat(self, now_ms: int) -> None:
        leaving = self._giving.leaving
        standing = LEAVING * leaving.has_begun | LEFT * leaving.is_over
        standing |= MAINTENANCE * bool(self.candidacy.paused)
        said = Said(
            {name: lease.belief(now_ms) for name, lease in self.leases.items()},
            standing,
            frozenset(name for name in self.leases if self.me_hosts(name) and self.bar(name)),
            self.moves.told(now_ms),
            self.slots.table if self._slot_maker.makes else None,
            self._host,
            self._update,
        )
        self._exchange.beat(said, now_ms)

    # -- what the shells say -------------------------------------------------------------------

    def _persisted(self, token: int, took_ms: int, now_ms: int) -> None:
        """Take in that a state is on disk; with the first one this node's part in leases begins."""
        self._exchange.member(mb.Synced(took_ms), now_ms)
        self._exchange.vote(Persisted(token), now_ms)
        self._abstaining.is_disk_bad = False
        if self.leases:
            return
        for name, hosts in self.hosts.items():
            self.leases[name] = self._new_lease(name, hosts)
            for configured in self.electing.told():
                self._exchange.lease(name, configured, now_ms)
            epoch, d3_ms = self.holds.get(name, (0, 0))
            self._exchange.lease(name, le.GuardState(epoch, d3_ms), now_ms)
        self.electing.begin(self.leases[SITE_LEASE], self.watchdogs, self.voter.epochs)
        self._exchange.tell_views(now_ms)
        self._exchange.tell_eligible(now_ms)

    def _persist_failed(self, event: PersistFailed, now_ms: int) -> None:
        self._exchange.vote(event, now_ms)
        self._abstaining.is_disk_bad = True

    def _new_lease(self, name: str, hosts: tuple[int, ...]) -> Lease:
        return Lease(
            name,
            me=self.who.node,
            boot=self.who.boot,
            hosts=hosts,
            electorate=self.electorate,
            timing=self.config.timing,
            stop_ms=lease_stop_ms(self.config, name),
            watchdog_ms=self.watchdogs[name],
            state=self.voter.state,
            starts_alone=self.config.starts_alone,
        )

    def _guard_answered(self, name: str, said: le.Event, now_ms: int) -> None:
        """Note what an answer says of the guard, before the lease acts on it."""
        if isinstance(said, le.Armed):
            self._is_guard_lost = False
            self.candidacy.guard.armed(name)
        elif isinstance(said, le.ArmRefused) and said.lasts:
            self.candidacy.guard.refused(name, said.why, now_ms)
            self._exchange.tell_eligible(now_ms)

    def _end_unguarded(self, said: ev.GuardSaid, now_ms: int) -> None:
        """Stop what this guard could not keep: a hold without end is not armed again by itself."""
        for name, why in said.bars.items():
            if name in self.leases:
                refused = le.ArmRefused(self.leases[name].epoch, why)
                self._exchange.lease(name, refused, now_ms)

    def _guard_lost(self, now_ms: int) -> None:
        """Tell the leases once: how long it is gone counts from the first word of it."""
        self.candidacy.guard.lost()
        self._exchange.tell_eligible(now_ms)
        if self._is_guard_lost:
            return
        self._is_guard_lost = True
        for name in self.hosts:
            if name != SITE_LEASE:
                self._exchange.lease(name, le.GuardLost(), now_ms)

    def _pause(self, name: str, until_ms: int | None, now_ms: int) -> None:
        sentence = self.candidacy.pause(name, until_ms, now_ms)
        self._exchange.out.append(ev.Watch(name, is_on=until_ms is None))
        self._exchange.out.append(Explain(sentence, {"group": name}))
        self._exchange.tell_eligible(now_ms)

    def _leave(self, now_ms: int) -> None:
        """Give all away; where this start is not even on disk yet, there is nothing to give."""
        self._giving.leaving.begin()
        self.candidacy.is_leaving = True
        self._exchange.tell_eligible(now_ms)
        self._look_leaving(now_ms)

    def _proven(self, event: ev.Proven, now_ms: int) -> None:
        """Take in that a boot ended, unless a later one was heard meanwhile."""
        if self.config.starts_alone:
            return  # the other may start by its own disk: nothing but its word moves what it has
        node, known = event.node, self.fresh.incarnation(event.node)
        boot = known[1] if known is not None else event.boot
        if boot is None or event.boot not in {None, boot}:
            return
        if self.members.state(node) is not MemberState.FENCED:
            self._exchange.member(mb.Ended(node, is_fenced=True), now_ms)
        for name in self.leases:
            self._exchange.lease(name, le.Proof(node, boot, event.by), now_ms)

    def _asking(self, event: ev.Yield) -> Send:
        """Return the question to an owner; its nonce asks for nothing that could be counted."""
        nonce = Nonce(self.voter.state.voter_id, self.voter.state.inc, 0)
        owner = self.who.node, self.who.boot
        return Send(event.node, Kind.YIELD, event.lease, event.epoch, nonce, *owner)
