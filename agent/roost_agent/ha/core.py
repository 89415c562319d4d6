"""One node's local HA: joins detector, voter and leases, decides nothing of its own twice.

Frames go to freshness first; what counts goes to the voter, the leases or membership. What this
node asks of its own voter, it asks without a network. All effects are in the order in which they
must happen.

Leaves to others: sockets and macs (peer), disks and timers (runtime), processes (services).

Invariants:
- nothing of a lease happens before this start of the agent is on this node's own disk;
- every effect but those of a beat follows from an event of this call.
"""

from collections import deque
from dataclasses import replace
from typing import Final, assert_never

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha import membership_events as mb
from roost_agent.ha.candidacy import PAUSED, Candidacy
from roost_agent.ha.config import SITE_LEASE, HaConfig
from roost_agent.ha.electing import Electing
from roost_agent.ha.fitness import unready
from roost_agent.ha.freshness import Drop, Freshness, Heard, SelfEcho
from roost_agent.ha.lacking import FENCING, Lacking
from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.lease_plan import lease_hosts, lease_stop_ms, lease_watchdog_ms
from roost_agent.ha.leaving import WHY, Leaving
from roost_agent.ha.matrix import Way
from roost_agent.ha.member import MemberState
from roost_agent.ha.member_words import explained
from roost_agent.ha.membership import Membership, Plan
from roost_agent.ha.moves import HELD_BACK, Moves
from roost_agent.ha.own_frames import OwnFrames, Said
from roost_agent.ha.preemption import Preemption
from roost_agent.ha.proposer_events import Answered, Wanted
from roost_agent.ha.proposer_events import Event as ProposerEvent
from roost_agent.ha.quorum_watch import QuorumWatch
from roost_agent.ha.redundancy import RedundancyState
from roost_agent.ha.requirements import Requirements
from roost_agent.ha.slot_maker import SlotMaker
from roost_agent.ha.slots import Slots
from roost_agent.ha.start import Before, Who
from roost_agent.ha.witness import Witness
from roost_protocol.configuration import WITNESS, WITNESS_NAME
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import LEAVING, LEFT, MAINTENANCE, Beat, Kind, LeaseFrame, Nonce
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
    RolledBack,
    Send,
    Showed,
    Tick,
)
from roost_protocol.voter_events import Event as VoterEvent
from roost_protocol.voter_state import NO_BOOT

ABSTAINS: Final = "400.807"

_OF_VOTER: Final = frozenset(
    {
        Kind.PREVOTE,
        Kind.ACQUIRE,
        Kind.RENEW,
        Kind.FENCE_CONFIRM,
        Kind.CFG_PROPOSE,
        Kind.CFG_COMMIT,
    }
)
_OF_BOTH: Final = frozenset({Kind.RELEASE, Kind.ATTEST})


class Core:
    """See the module.

    Args:
        who: this start.
        config: of the site.
        before: what is known.
        now_ms: CLOCK_BOOTTIME.
    """

    def __init__(self, who: Who, config: HaConfig, before: Before, now_ms: int) -> None:
        self.who = who
        self.config = config
        nodes = tuple(sorted(node.index for node in config.nodes))
        self.hosts = lease_hosts(config)
        ways = tuple(
            Way(way.network, config.network(way.network).weight, way.driver == "mqtt")
            for way in config.paths
        )
        h_ms = config.timing.beat_ms
        self.fresh = Freshness(
            who.node,
            who.inc,
            peers=[node for node in nodes if node != who.node],
            echoes=[way.brings_back for way in ways],
            h_ms=h_ms,
        )
        rivals = frozenset(
            host for name, hosts in self.hosts.items() if name != SITE_LEASE for host in hosts
        )
        plan = Plan(config.voter_indices(), rivals, ways, config.defs)
        self.members = Membership(self.fresh, plan, now_ms=now_ms, redundancy=before.redundancy)
        electorate = Electorate(
            config.cfgver, config.voter_indices(), nodes, sticky=config.is_sticky
        )
        self.watchdogs = {name: lease_watchdog_ms(config, name) for name in self.hosts}
        self.voter = Voter(
            who.node,
            electorate,
            config.timing.terms,
            self.watchdogs,
            state=before.state,
            boot=who.boot,
            guarded=before.holds is not None,
            by_proof=frozenset(config.by_proof()),
            life=who.inc,
        )
        self.witness: Witness | None = None
        if config.has_wan_witness:
            self.witness = Witness(who, config, self.watchdogs, now_ms)
        self.leases: dict[str, Lease] = {}  # empty until this start is on disk
        self.slots = Slots(who.node, config.groups)
        self._requirements = Requirements(
            config,
            self.slots.families,
            self.leases,
            hosts=self.hosts,
            me=who.node,
            is_there=self.members.is_there,
        )
        self.candidacy = Candidacy(
            config,
            self.members,
            self.leases,
            slots=self.slots,
            requirements=self._requirements,
        )
        self.moves = Moves()
        self._slot_maker = SlotMaker(self)
        self.leaving = Leaving(self.members, self.leases, self.hosts)
        self.preemption = Preemption(config, self.members, self.leases, self.hosts)
        self.stale = 0  # lease frames that were too old, or echoed nothing of this start
        self._holds = dict(before.holds or {})
        self._last_holder: dict[str, int] = {}
        self._beat_ms = now_ms
        self._frames = OwnFrames(who, config, self.fresh, self.members, self.voter)
        self._frames_to: dict[int, OwnFrames] = {}  # numbered apart from those of the site's paths
        if self.witness is not None:
            afar = self.witness.fresh
            self._frames_to[WITNESS] = OwnFrames(who, config, afar, self.members, self.voter)
        settled_ms = now_ms + config.timing.promise_ms()
        self._quorum = QuorumWatch(self.electorate, self.is_there, settled_ms)
        self._lacking = Lacking()
        self._electing = Electing(
            who,
            config,
            hosts=self.hosts,
            voter=self.voter,
            members=self.members,
            quorum=self._quorum,
            witness=self.witness,
            is_there=self.is_there,
        )
        self._is_rolled_back = False
        self._is_guard_lost = False
        self._is_yielding = False  # a group is to go to a node that is still joining
        self._todo: deque[LeaseFrame] = deque()  # this node's frames to itself
        self._out: list[ev.Effect] = []

    @property
    def electorate(self) -> Electorate:
        """Who votes, as this node knows it."""
        return self.voter.electorate

    @property
    def provable(self) -> frozenset[int]:
        """For whose vote the proof of a boot's end may stand in."""
        return frozenset(
            node for configured in self._electing.told() for node in configured.provable
        )

    def start(self, now_ms: int) -> list[ev.Effect]:
        """Return the first effects: the start goes to disk."""
        self._vote(Begin(), now_ms)
        return self._done(now_ms)

    def handle(self, event: ev.Event, now_ms: int) -> list[ev.Effect]:  # noqa: C901, PLR0912 - a table
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: CLOCK_BOOTTIME, read after whatever was awaited before.
        """
        match event:
            case ev.FrameIn(path, frame):
                self._frame_in(path, frame, now_ms)
            case le.Tick(jitter):
                self._tick(jitter, now_ms)
            case ev.Lagged(lag_ms):
                self._member(mb.Lagged(lag_ms), now_ms)
            case ev.Score(score):
                self._member(mb.Score(score), now_ms)
            case ev.Persisted(token, took_ms):
                self._persisted(token, took_ms, now_ms)
            case PersistFailed():
                self._vote(event, now_ms)
                self._out.append(ev.Raise(ABSTAINS, {"reason": "its disk takes nothing"}))
            case ev.OfLease(lease, said):
                self._guard_answered(lease, said, now_ms)
                self._lease(lease, said, now_ms)
            case le.GuardLost():
                self._guard_lost(now_ms)
            case ev.GuardSaid():
                self._out += self.candidacy.guard.told(event)
                self._tell_eligible(now_ms)
            case ev.Eligible():
                self.candidacy.told(event)
                self._tell_eligible(now_ms)
            case ev.Give(lease, why, to, is_chosen):
                if is_chosen:
                    self._choose(lease, why, to, now_ms)
                else:
                    self._lease(lease, le.Order(why, to), now_ms)
            case ev.Pause(lease, until_ms):
                self._pause(lease, until_ms, now_ms)
            case ev.Leave():
                self._leave(now_ms)
            case ev.Proven():
                self._proven(event, now_ms)
            case ev.Yield(node, lease, epoch):
                owner = self.who.node, self.who.boot
                self._send(Send(node, Kind.YIELD, lease, epoch, self._nonce(), *owner), now_ms)
            case ev.NoProof(sentence):
                self._out += self._lacking.told(FENCING, sentence)
            case ev.Unfenced(why):
                self.candidacy.unfenced = why
                self._tell_eligible(now_ms)
            case Wanted():
                self._propose(event, now_ms)
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

    def me_hosts(self, name: str) -> bool:
        """Whether this node could hold a lease at all."""
        return self.who.node in self.hosts[name]

    def is_there(self, voter: int, now_ms: int) -> bool:
        """Whether a voter is heard: a node of the site, or the witness elsewhere."""
        if voter == WITNESS:
            return self.witness is not None and self.witness.is_there(now_ms)
        return self.members.is_there(voter)

    def is_sole(self, name: str) -> bool:
        """Whether no other host of a lease is there."""
        others = (host for host in self.hosts.get(name, ()) if host != self.who.node)
        return not any(map(self.members.is_there, others))

    def boots_of(self, node: int) -> list[bytes]:
        """Return the boots of a node that this one knows of: of its last frame, or of its leases.

        A node that was not heard since this agent's start may own a lease by this node's own disk.
        NO_BOOT alone stands for one of which nothing is known.
        """
        known = self.fresh.incarnation(node)
        if known is not None:
            return [known[1]]
        records = self.voter.state.records.values()
        boots = {each.owner_boot for each in records if each.owner == node}
        return sorted(boots - {NO_BOOT}) or [NO_BOOT]

    def name_of(self, node: int | None) -> str:
        """Return a node's name, for people."""
        names = {each.index: each.name for each in self.config.nodes} | {WITNESS: WITNESS_NAME}
        return "nobody" if node is None else names.get(node, f"node {node}")

    def _title_of(self, path: int) -> str:
        return self.config.paths[path].title

    # -- frames --------------------------------------------------------------------------------

    def _frame_in(self, path: int, frame: Beat | LeaseFrame, now_ms: int) -> None:
        if frame.node == WITNESS:
            self._afar_in(frame, now_ms)
            return
        heard = self.fresh.heard(path, frame, now_ms, is_beat=isinstance(frame, Beat))
        if isinstance(heard, Drop | SelfEcho):
            return
        self._look_at_myself(heard, now_ms)
        if heard.is_first:
            self._count(frame, now_ms)

    def _afar_in(self, frame: Beat | LeaseFrame, now_ms: int) -> None:
        """Take in a frame of the witness, which is no member of the site: a vote, or an answer."""
        witness = self.witness
        if witness is None or not isinstance(frame, LeaseFrame):
            return
        heard = witness.fresh.heard(frame.path, frame, now_ms, is_beat=False)
        if isinstance(heard, Drop | SelfEcho):
            return
        self._look_at_myself(heard, now_ms)
        self._shown(frame, now_ms)
        if not witness.heard(frame, now_ms):
            self._lease_frame(frame, witness.fresh.request_age_ms(frame, now_ms), now_ms)

    def _look_at_myself(self, heard: Heard, now_ms: int) -> None:
        if heard.knows_later_me and not self._is_rolled_back:
            self._is_rolled_back = True
            self._vote(RolledBack(), now_ms)
            reason = "its disk is older than what its peers heard of it"
            self._out.append(ev.Raise(ABSTAINS, {"reason": reason}))

    def _count(self, frame: Beat | LeaseFrame, now_ms: int) -> None:
        age_ms = self.fresh.request_age_ms(frame, now_ms)
        self._shown(frame, now_ms)
        if isinstance(frame, Beat):
            self._member(mb.BeatHeard(frame, age_ms), now_ms)
            if age_ms is not None:
                is_gone = self.members.state(frame.node) is MemberState.LEFT
                self.moves.heard(frame.moves, now_ms)
                self._slot_maker.heard(frame)
                if frame.standing & LEFT and not is_gone:
                    self._member(mb.Ended(frame.node, is_fenced=False), now_ms)
                for name, belief in frame.leases.items():
                    self._lease(name, le.Believed(frame.node, belief), now_ms)
            return
        self.stale += age_ms is None or age_ms > self.config.timing.age_ms_max
        self._lease_frame(frame, age_ms, now_ms)

    def _shown(self, frame: Beat | LeaseFrame, now_ms: int) -> None:
        """Take in under which configuration a peer is, and in which life."""
        if self.voter.is_news(frame.node, frame.cfgver):
            self._vote(Showed(frame.node, frame.cfgver), now_ms)
        if (shown := self._electing.shown(frame)) is not None:
            self._propose(shown, now_ms)

    def _lease_frame(self, frame: LeaseFrame, age_ms: int | None, now_ms: int) -> None:
        """Hand a lease frame to whom it is for: the voter, the lease, or both."""
        if frame.to != self.who.node:
            return
        if frame.kind in _OF_VOTER | _OF_BOTH:
            self._vote(Request(frame, age_ms), now_ms)
        if frame.kind in _OF_VOTER:
            return
        if frame.kind is Kind.CFG_ACCEPT:
            self._propose(Answered(frame), now_ms)
            return
        if frame.kind is Kind.RELEASE and frame.successor == self.who.node:
            self.slots.given(frame.name, now_ms)
            self._tell_eligible(now_ms)
        if frame.name in self.leases:
            self._lease(frame.name, le.Received(frame, age_ms), now_ms)
        elif frame.kind is Kind.ATTEST and self._may_attest(frame):
            answer = Send(
                frame.node, Kind.ATTEST, frame.name, 0, frame.nonce, self.who.node, self.who.boot,
                max_epoch=self.voter.max_epoch(frame.name),
            )  # fmt: skip
            self._send(answer, now_ms)

    def _may_attest(self, frame: LeaseFrame) -> bool:
        """Whether this node runs nothing of a lease that its own file does not have."""
        is_known = frame.name in self.hosts or frame.name in self._holds
        return bool(self.leases) and frame.owner is None and not is_known

    def _send(self, send: Send, now_ms: int) -> None:
        frame = self._frames_to.get(send.to, self._frames).lease_frame(send, now_ms)
        if send.to == self.who.node:
            self._todo.append(frame)
        else:
            self._out.append(ev.Send(frame))

    # -- time ----------------------------------------------------------------------------------

    def _tick(self, jitter: float, now_ms: int) -> None:
        for name in self.candidacy.ended(now_ms):
            self._pause(name, None, now_ms)
        self._member(mb.Tick(), now_ms)
        if self._is_yielding:
            self._yield_late(now_ms)
        self._tell_views(now_ms)
        self._out += self._slot_maker.look(now_ms)
        self.candidacy.guard.look(now_ms)
        self._tell_eligible(now_ms)
        self._out += self._requirements.look(now_ms)
        if (told := self._quorum.look(now_ms)) is not None:
            self._out.append(told)
        self._vote(Tick(), now_ms)
        for name in self.leases:
            self._lease(name, le.Tick(jitter), now_ms)
        self._propose(None, now_ms)
        self._look_afar(now_ms)
        self._look_leaving(now_ms)
        for name, to, why in list(self.preemption.look(now_ms)):
            if self.moves.may_move(name, now_ms) and name not in self.candidacy.paused:
                self._choose(name, why, to, now_ms)
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
            self._send(question, now_ms)
        if (wanted := self._electing.wanted(now_ms)) is not None:
            self._propose(wanted, now_ms)

    def _beat(self, now_ms: int) -> None:
        standing = LEAVING * self.leaving.has_begun | LEFT * self.leaving.is_over
        standing |= MAINTENANCE * bool(self.candidacy.paused)
        said = Said(
            {name: lease.belief(now_ms) for name, lease in self.leases.items()},
            standing,
            frozenset(name for name in self.leases if self.me_hosts(name) and self.bar(name)),
            self.moves.told(now_ms),
            self.slots.table if self._slot_maker.makes else None,
        )
        self._out.append(ev.Send(self._frames.beat(said, now_ms)))

    def _tell_views(self, now_ms: int) -> None:
        for name in self.leases:
            view = self.members.view(self.hosts[name], now_ms)
            if self.is_there(WITNESS, now_ms):
                view = replace(view, seen=view.seen | {WITNESS})
            self._lease(name, le.ViewChanged(view), now_ms)

    def _tell_eligible(self, now_ms: int) -> None:
        for name in self.leases:
            why = self.bar(name)
            ok = not why and self.slots.is_mine(name, now_ms)
            self._lease(name, le.Eligible(ok=ok, why=why), now_ms)

    def bar(self, name: str) -> str:
        """Return why this node may not stand for a lease, empty if it may."""
        return self.candidacy.bar(name)

    # -- parts ---------------------------------------------------------------------------------

    def _member(self, event: mb.Event, now_ms: int) -> None:
        actions = self.members.handle(event, now_ms)
        for action in actions:
            if isinstance(action, mb.RedundancyChanged):
                self._out.append(ev.Keep(action.state))
            self._out.append(explained(action, self.name_of, self._title_of))
            if isinstance(action, mb.RedundancyChanged) and action.state is RedundancyState.FAILED:
                self._yield(now_ms)
        if actions:
            self._tell_views(now_ms)

    def _yield(self, now_ms: int) -> None:
        """Give the groups to the better connected node, unless they moved too often of late.

        To nobody who joined a moment ago: looked at again until this node is whole, or gave all.
        """
        self._is_yielding = False
        for name, lease in self.leases.items():
            if not lease.is_held or name == SITE_LEASE:
                continue
            hosts = [host for host in self.hosts[name] if host != self.who.node]
            ready = [each for each in hosts if not unready(self.members, each, name, now_ms)]
            if ready:
                to = ready[0] if any(self.members.joining_ms(e, now_ms) for e in hosts) else None
                self._choose(name, "another node is better connected", to, now_ms)
            elif any(self.members.joining_ms(each, now_ms) for each in hosts):
                self._is_yielding = True

    def _yield_late(self, now_ms: int) -> None:
        """Give away what waited for a node that was joining, if this one is still the worse."""
        self._is_yielding = self.members.redundancy is RedundancyState.FAILED
        if self._is_yielding:
            self._yield(now_ms)

    def _choose(self, name: str, why: str, to: int | None, now_ms: int) -> None:
        """Give a group away by this node's own choice, unless it moved too often of late."""
        lease = self.leases.get(name)
        if lease is None or lease.phase != Phase.HOLDING:
            return
        is_damped = not self.moves.may_move(name, now_ms)
        if is_damped or name in self.candidacy.paused:
            held = HELD_BACK if is_damped else PAUSED
            self._out.append(le.Answer(ok=False, sentence=held))
            self._out.append(Explain(f"{name} stays: {held}; {why}", {"group": name}))
            return
        self.moves.moved(name, lease.epoch, now_ms)
        self._lease(name, le.Order(why, to), now_ms)

    def _vote(self, event: VoterEvent, now_ms: int) -> None:
        for effect in self.voter.handle(event, now_ms):
            match effect:
                case Send():
                    self._send(effect, now_ms)
                case Bound():
                    self._lease(effect.name, effect, now_ms)
                case Configured():
                    self._configured(effect, now_ms)
                case Persist() | Explain():
                    self._out.append(effect)
                case _:
                    assert_never(effect)

    def _configured(self, configured: Configured, now_ms: int) -> None:
        for node in self._electing.adopt(configured):
            if not self.members.is_there(node):
                self.fresh.forget(node)
        for name in self.leases:
            self._lease(name, configured, now_ms)
        self._propose(configured, now_ms)

    def _propose(self, event: ProposerEvent | None, now_ms: int) -> None:
        for effect in self._electing.propose(event, now_ms):
            match effect:
                case Send():
                    self._send(effect, now_ms)
                case le.Answer():
                    self._out.append(effect)
                case Explain(sentence, evidence):
                    told = {"group": SITE_LEASE, "own": True, **evidence}
                    self._out.append(Explain(sentence, told))
                case _:
                    assert_never(effect)

    def _persisted(self, token: int, took_ms: int, now_ms: int) -> None:
        self._member(mb.Synced(took_ms), now_ms)
        self._vote(Persisted(token), now_ms)
        if self.leases:
            return
        for name, hosts in self.hosts.items():
            lease = self.leases[name] = Lease(
                name,
                me=self.who.node,
                boot=self.who.boot,
                hosts=hosts,
                electorate=self.electorate,
                timing=self.config.timing,
                stop_ms=lease_stop_ms(self.config, name),
                watchdog_ms=self.watchdogs[name],
                state=self.voter.state,
            )
            for configured in self._electing.told():
                self._effects(name, lease.handle(configured, now_ms), now_ms)
            epoch, d3_ms = self._holds.get(name, (0, 0))
            self._effects(name, lease.handle(le.GuardState(epoch, d3_ms), now_ms), now_ms)
        self._electing.begin(self.leases[SITE_LEASE], self.watchdogs, self.voter.epochs)
        self._tell_views(now_ms)
        self._tell_eligible(now_ms)

    def _lease(self, name: str, event: le.Event, now_ms: int) -> None:
        lease = self.leases.get(name)
        if lease is None:
            return
        self._effects(name, lease.handle(event, now_ms), now_ms)
        if lease.holder is not None and lease.holder != self._last_holder.get(name):
            was, self._last_holder[name] = self._last_holder.get(name), lease.holder
            if was is not None and name != SITE_LEASE:
                self._member(mb.Replaced(was), now_ms)

    def _effects(self, name: str, effects: list[le.Effect], now_ms: int) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._send(effect, now_ms)
                case Rests():
                    self._vote(effect, now_ms)
                case le.RoundWon():
                    self._propose(effect, now_ms)
                case le.Arm() | le.Disarm() | le.Start() | le.Stop():
                    self._act(name, effect, now_ms)
                case le.Raise(_, sentence):
                    self._out += self._lacking.told(name, sentence)
                case le.Clear():
                    self._out += self._lacking.told(name, "")
                case le.Answer():
                    self._out.append(effect)
                case Explain(sentence, evidence):
                    told = {"group": name, "own": True, **evidence}  # not a voter's word
                    self._out.append(Explain(sentence, told))
                case _:
                    assert_never(effect)

    def _act(self, name: str, effect: le.Arm | le.Disarm | le.Start | le.Stop, now_ms: int) -> None:
        """Have it done; the built-in lease runs nothing, so it is done at once and unguarded."""
        is_bare = name not in self._guarded()
        lease = self.leases[name]
        match effect:
            case le.Arm(epoch, deadlines):
                if is_bare:
                    self._lease(name, le.Armed(epoch, deadlines is not None), now_ms)
                else:
                    self._out.append(ev.Arm(name, epoch, deadlines))
            case le.Disarm(epoch):
                if is_bare:
                    self._lease(name, le.Disarmed(epoch), now_ms)
                else:
                    self._out.append(ev.Disarm(name, epoch))
            case le.Start(epoch):
                if not is_bare:
                    self._out.append(ev.Start(name, epoch))
            case le.Stop(epoch, why):
                if is_bare:
                    self._lease(name, le.StopConfirmed(epoch), now_ms)
                    return
                margin_ms = self.config.timing.margin_ms
                by_ms = None if lease.valid_ms is None else lease.valid_ms - margin_ms // 2
                self._out.append(ev.Stop(name, epoch, why, by_ms))
            case _:
                assert_never(effect)

    def _guarded(self) -> list[str]:
        return [name for name in self.hosts if name != SITE_LEASE]

    def _guard_answered(self, name: str, said: le.Event, now_ms: int) -> None:
        """Note what an answer says of the guard, before the lease acts on it."""
        if isinstance(said, le.Armed):
            self._is_guard_lost = False
            self.candidacy.guard.armed(name)
        elif isinstance(said, le.ArmRefused) and said.lasts:
            self.candidacy.guard.refused(name, said.why, now_ms)
            self._tell_eligible(now_ms)

    def _guard_lost(self, now_ms: int) -> None:
        """Tell the leases once: how long it is gone counts from the first word of it."""
        self.candidacy.guard.lost()
        self._tell_eligible(now_ms)
        if self._is_guard_lost:
            return
        self._is_guard_lost = True
        for name in self._guarded():
            self._lease(name, le.GuardLost(), now_ms)

    def _pause(self, name: str, until_ms: int | None, now_ms: int) -> None:
        sentence = self.candidacy.pause(name, until_ms, now_ms)
        self._out.append(ev.Watch(name, is_on=until_ms is None))
        self._out.append(Explain(sentence, {"group": name}))
        self._tell_eligible(now_ms)

    def _leave(self, now_ms: int) -> None:
        """Give all away; where this start is not even on disk yet, there is nothing to give."""
        self.leaving.begin()
        self.candidacy.is_leaving = True
        self._tell_eligible(now_ms)
        self._look_leaving(now_ms)

    def _look_leaving(self, now_ms: int) -> None:
        if not self.leaving.has_begun or self.leaving.is_over:
            return
        kept = self.leaving.look(lambda name, to: self._lease(name, le.Order(WHY, to), now_ms))
        if kept is not None:
            left = f"; nobody could take {', '.join(kept)}, left to the guard" if kept else ""
            self._out.append(Explain(f"good-bye{left}", {"kept": ", ".join(kept)}))
            self._beat(now_ms)
            self._out.append(ev.Left())

    def _proven(self, event: ev.Proven, now_ms: int) -> None:
        """Take in that a boot ended, unless a later one was heard meanwhile."""
        node, known = event.node, self.fresh.incarnation(event.node)
        boot = known[1] if known is not None else event.boot
        if boot is None or event.boot not in {None, boot}:
            return
        if self.members.state(node) is not MemberState.FENCED:
            self._member(mb.Ended(node, is_fenced=True), now_ms)
        for name in self.leases:
            self._lease(name, le.Proof(node, boot, event.by), now_ms)

    def _nonce(self) -> Nonce:
        """Return what asks for nothing that could be counted: no voter answers it."""
        return Nonce(self.voter.state.voter_id, self.voter.state.inc, 0)

    def _done(self, now_ms: int) -> list[ev.Effect]:
        """Let this node's frames to itself have their way, then hand out all effects."""
        while self._todo:
            self._lease_frame(self._todo.popleft(), 0, now_ms)
        out, self._out = self._out, []
        return out
