"""One lease as one node sees it: when it stands, what it asks, what it may run and until when.

Asking (lease_rounds), holding (lease_holding) and ending (lease_ending) work on one state
(lease_turn); this hands each event to whom it is for.

Leaves to others: granting (voter.py), who is heard (membership), the deadlines' enforcement (the
guard), starting and stopping.

Invariants:
- validity counts from before the sending of a round whose answers carry its nonce, never from
  their receipt; what is past its D1 is stopped, and acquired anew, never renewed;
- nothing starts before the guard is armed, nor after D1;
- an epoch is given back only once its stop was confirmed and the guard let go of it, and this
  node's own disk knows it before anybody else does;
- in a sticky configuration a reboot ends the right, but where the last holder starts alone: it
  keeps the lease for itself until it starts, or hears the other node;
- a right without end gets its end back before its first renewal among voters of which a majority
  decides; a right with an end loses it only by a round that all granted.
"""

from typing import assert_never

from roost_agent.ha.ballot import Ballots
from roost_agent.ha.lease_ending import Ending
from roost_agent.ha.lease_events import (
    Armed,
    ArmRefused,
    Believed,
    Disarmed,
    Effect,
    Eligible,
    Event,
    GuardLost,
    GuardState,
    Order,
    Proof,
    Received,
    StopConfirmed,
    Tick,
    ViewChanged,
)
from roost_agent.ha.lease_holding import Holding
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.lease_rounds import Rounds
from roost_agent.ha.lease_turn import Turn
from roost_agent.ha.timing import Timing
from roost_agent.ha.view import View
from roost_protocol.configuration import SITE_LEASE, Accepted
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, Kind, LeaseFrame, LeaseState, Nonce
from roost_protocol.voter_events import Bound, Configured, Send
from roost_protocol.voter_state import Record, VoterState


class Lease:
    """See the module.

    Args:
        name: of the lease.
        me: this node.
        boot: its boot id.
        hosts: who may hold it.
        electorate: of the site.
        timing: of the site.
        stop_ms: the longest graceful stop of the group (S).
        watchdog_ms: W, which its promises cover: this node stands only while its device, as read
            back, bites within it; 0: it needs none.
        state: of this node's voter, once its start is on disk.
        starts_alone: the last holder of a pair may start without the other.
    """

    def __init__(  # noqa: PLR0913 - what it is to one node
        self,
        name: str,
        *,
        me: int,
        boot: bytes,
        hosts: tuple[int, ...],
        electorate: Electorate,
        timing: Timing,
        stop_ms: int,
        watchdog_ms: int,
        state: VoterState,
        starts_alone: bool = False,
    ) -> None:
        self.name = name
        self._turn = Turn(
            name,
            me=me,
            boot=boot,
            hosts=hosts,
            electorate=electorate,
            timing=timing,
            stop_ms=stop_ms,
            ballots=Ballots(name, me, boot, watchdog_ms=watchdog_ms, state=state),
        )
        self._ending = Ending(self._turn)
        self._rounds = Rounds(self._turn, self._ending)
        self._holding = Holding(self._turn, self._rounds, self._ending, starts_alone=starts_alone)
        record = state.records.get(name, Record())
        self._given_back = record.given_back
        is_owner = record.owner == me and record.max_epoch > record.given_back
        self._owned_epoch = record.max_epoch if is_owner else 0
        self._rounds.proofs.are_taken = not starts_alone
        self._rounds.is_mine = (
            starts_alone
            and electorate.sticky
            and state.accepted is None
            and record.is_still_mine(me, electorate.cfgver)
        )
        self._accepted: Accepted | None = None

    @property
    def phase(self) -> str:
        """What this node does about it."""
        return self._turn.phase

    @property
    def epoch(self) -> int:
        """Of its own turn, the present or the last one; 0 before the first."""
        return self._turn.epoch

    @property
    def valid_ms(self) -> int | None:
        """Until when this node may run it; None: without end."""
        return self._turn.valid_ms

    @property
    def holder(self) -> int | None:
        """Who holds it, as far as this node knows."""
        return self._turn.holder

    @property
    def view(self) -> View:
        """Whom this node hears."""
        return self._turn.view

    @property
    def is_held(self) -> bool:
        """Whether this node holds it, stopping or not."""
        return self._turn.is_held

    def belief(self, now_ms: int) -> Belief:
        """Return what this node's beats say of the lease."""
        turn = self._turn
        seen_epoch = turn.ballots.seen_epoch
        if turn.is_held:
            left_ms = 0 if turn.valid_ms is None else max(0, turn.valid_ms - now_ms)
            holds = LeaseState.HOLDING if turn.phase == Phase.HOLDING else LeaseState.STOPPING
            return Belief(seen_epoch, turn.me, left_ms, holds)
        state = LeaseState.NONE if turn.holder is None else LeaseState.FOLLOWING
        return Belief(seen_epoch, turn.holder, 0, state)

    def nonce(self) -> Nonce:
        """Return the nonce of another round, for what is asked in this lease's name."""
        return self._turn.ballots.nonce()

    def handle(self, event: Event, now_ms: int) -> list[Effect]:  # noqa: C901, PLR0912 - a table
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: CLOCK_BOOTTIME, read after whatever was awaited before.
        """
        out: list[Effect] = []
        match event:
            case Tick(jitter):
                self._tick(jitter, now_ms, out)
            case Received(frame, _):
                self._received(frame, now_ms, out)
            case Believed(node, belief):
                self._believed(node, belief)
            case Bound(_, epoch, owner):
                self._turn.ballots.hear(epoch)
                self._turn.held_by(owner)
            case Configured(electorate, provable, accepted):
                self._rounds.provable, self._accepted = provable, accepted
                self._rounds.is_mine &= accepted is None and electorate == self._turn.electorate
                if electorate != self._turn.electorate:
                    self._holding.configured(electorate, now_ms, out)
            case ViewChanged(view):
                self._turn.view = view
                self._rounds.proofs.seen(view.seen)
            case Armed(epoch, is_timed):
                self._holding.armed(epoch, is_timed=is_timed, now_ms=now_ms, out=out)
            case ArmRefused(epoch, why):
                self._holding.arm_refused(epoch, why, now_ms, out)
            case Disarmed(epoch):
                self._ending.disarmed(epoch, now_ms, out)
            case GuardLost():
                self._holding.guard_lost(now_ms)
            case GuardState(epoch, d3_ms):
                self._guard_state(epoch, d3_ms, now_ms, out)
            case StopConfirmed(epoch):
                self._ending.stop_confirmed(epoch, now_ms, out)
            case Eligible(ok, _):
                self._rounds.eligible = ok
            case Order(why, to):
                self._holding.order(why, to, now_ms, out)
            case Proof(node, boot, by):
                self._proof(node, boot, by, out)
            case _:
                assert_never(event)
        return out

    def due_ms(self, now_ms: int) -> int | None:
        """Return when the next Tick is needed, None when nothing is waited for."""
        waits = (self._ending.due_ms(), self._holding.due_ms(), self._rounds.due_ms(now_ms))
        return min((each for each in waits if each is not None), default=None)

    def _tick(self, jitter: float, now_ms: int, out: list[Effect]) -> None:
        self._rounds.tell_lack(out)
        self._ending.tick(now_ms, out)
        if self._rounds.is_mine and self.phase == Phase.FOLLOWING and self._is_peer_heard():
            self._give_back("the other node is heard: either may have it", now_ms, out)
        if self.phase == Phase.HOLDING:
            self._holding.tick(now_ms, out)
        elif self.phase in {Phase.DISARMING, Phase.RELEASING}:
            self._ending.go_on(now_ms, out)
        else:
            self._rounds.tick(jitter, now_ms, out)

    def _received(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        match frame.kind:
            case Kind.GRANT | Kind.REFUSE:
                self._turn.ballots.hear(frame.max_epoch)
                self._ending.acknowledged(frame, now_ms, out)
                if (asked := self._rounds.answered(frame, now_ms, out)) is not None:
                    self._holding.won(asked, now_ms, out)
            case Kind.RELEASE:
                self._ending.heard(frame, now_ms)
            case Kind.ATTEST:
                self._attest(frame, now_ms, out)
            case Kind.YIELD:
                if self.phase == Phase.HOLDING and frame.epoch == self.epoch:
                    self._holding.stop(f"node {frame.node} asked for it", now_ms, out)
            case _:
                pass  # the voter's

    # -- what others say -----------------------------------------------------------------------

    def _believed(self, node: int, belief: Belief) -> None:
        turn = self._turn
        turn.ballots.hear(belief.epoch)
        if belief.holder == node and belief.state in {LeaseState.HOLDING, LeaseState.STOPPING}:
            if not turn.is_held:
                turn.held_by(node)
        elif turn.holder == node:
            turn.holder = None  # it does not say so itself any more

    def _attest(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        """Say what this node holds and runs, once it has dropped what it was asking for."""
        turn = self._turn
        if frame.owner is not None:
            return  # an answer; only a question has none, or two nodes would answer each other
        if turn.round is not None and turn.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            self._rounds.give_up("a voter starts, and asks who holds anything", now_ms, out)
        if turn.phase == Phase.UNKNOWN:
            return
        epoch = 0 if turn.phase == Phase.FOLLOWING else turn.epoch
        out.append(
            Send(
                frame.node, Kind.ATTEST, turn.name, epoch, frame.nonce, turn.me, turn.boot,
                max_epoch=turn.ballots.seen_epoch,
                accepted=self._accepted if turn.name == SITE_LEASE else None,
            )
        )  # fmt: skip

    def _proof(self, node: int, boot: bytes, by: str, out: list[Effect]) -> None:
        turn = self._turn
        if node == turn.me or node in turn.view.seen:
            return
        self._rounds.proofs.known[node] = boot
        nonce = turn.ballots.nonce()
        out += (
            Send(voter, Kind.FENCE_CONFIRM, turn.name, 0, nonce, node, boot, reason=by[:64])
            for voter in turn.electorate.voters
            if voter != node
        )
        out.append(Explain(f"node {node} is off for {turn.name}: {by}", {"node": node, "by": by}))

    # -- the start of the agent ----------------------------------------------------------------

    def _guard_state(self, epoch: int, d3_ms: int | None, now_ms: int, out: list[Effect]) -> None:
        """Go on with what the guard holds, or stop and give back what this node owned."""
        turn = self._turn
        if turn.phase != Phase.UNKNOWN:
            return
        is_live = epoch > self._given_back and (d3_ms is None or now_ms < d3_ms)
        if is_live:
            self._rounds.is_mine = False
            turn.ballots.hear(epoch)
            turn.epoch, turn.holder, turn.valid_ms = epoch, turn.me, d3_ms
            self._holding.resume(epoch, now_ms, out)
        elif self._owned_epoch and not self._rounds.is_mine:
            self._give_back("it ended while the agent did not run", now_ms, out)
        else:
            turn.phase = Phase.FOLLOWING  # where it is this node's still, it stands for it alone

    def _give_back(self, why: str, now_ms: int, out: list[Effect]) -> None:
        """Give back what this node owned before this start; nothing of it runs."""
        turn = self._turn
        self._rounds.is_mine = False
        turn.ballots.hear(self._owned_epoch)
        turn.epoch, turn.holder, turn.valid_ms = self._owned_epoch, turn.me, now_ms
        self._holding.stop(why, now_ms, out)
        turn.not_before_ms = now_ms

    def _is_peer_heard(self) -> bool:
        """Whether any other voter is."""
        turn = self._turn
        return any(voter in turn.view.seen for voter in turn.electorate.voters if voter != turn.me)
