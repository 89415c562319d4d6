"""One lease as one node sees it: when it stands, what it asks, what it may run and until when.

Leaves to others: granting (voter.py), who is heard (membership), the deadlines' enforcement (the
guard), starting and stopping.

Invariants:
- validity counts from before the sending of a round whose answers carry its nonce, never from
  their receipt; what is past its D1 is stopped, and acquired anew, never renewed;
- nothing starts before the guard is armed, nor after D1;
- an epoch is given back only once its stop was confirmed and the guard let go of it, and this
  node's own disk knows it before anybody else does;
- in a sticky configuration a reboot ends the right;
- a right without end gets its end back before its first renewal among voters of which a majority
  decides; a right with an end loses it only by a round that all granted.
"""

from typing import Final, assert_never

from roost_agent.ha.ballot import Ballots
from roost_agent.ha.deadlines import Deadlines
from roost_agent.ha.lease_events import (
    Answer,
    Armed,
    ArmRefused,
    Believed,
    Disarm,
    Disarmed,
    Effect,
    Eligible,
    Event,
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
from roost_agent.ha.notices import Notices
from roost_agent.ha.proofs import Proofs
from roost_agent.ha.quorum import Round
from roost_agent.ha.timing import Timing
from roost_agent.ha.view import View
from roost_protocol.configuration import SITE_LEASE, Accepted
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, Kind, LeaseFrame, LeaseState, Nonce
from roost_protocol.voter_events import Bound, Configured, Rests, Send
from roost_protocol.voter_state import Record, VoterState

HEAD_START_MS: Final = 2_000  # of a transfer's successor before everybody else
NO_MAJORITY: Final = "no majority renewed it in time"
GUARD_MS_MAX: Final = 1_000  # a holder goes on so long without its guard
LHM_MAX: Final = 4  # from here on a node does not stand
RETRY_MS_MIN: Final = 50  # before the next try


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
        watchdog_ms: of this node's device, as read back; 0 without one.
        state: of this node's voter, once its start is on disk.
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
    ) -> None:
        self.name = name
        self.phase: str = Phase.UNKNOWN
        self.epoch = 0
        self.valid_ms: int | None = None  # until when this node may run it; None: without end
        self.holder: int | None = None
        self._me = me
        self._boot = boot
        self._electorate = electorate
        self._hosts = hosts
        self._timing = timing
        self._deadlines = Deadlines(timing, stop_ms)
        self._ballots = Ballots(name, me, boot, watchdog_ms=watchdog_ms, state=state)
        record = state.records.get(name, Record())
        self._given_back = record.given_back
        is_owner = record.owner == me and record.max_epoch > record.given_back
        self._owned_epoch = record.max_epoch if is_owner else 0
        self._view = View()
        self._eligible = False
        self._round: Round | None = None
        self._started = False
        self._stand_ms: int | None = None
        self._not_before_ms = 0
        self._renew_ms = 0
        self._guard_lost_ms: int | None = None
        self._disarm_ms = 0
        self._successor: int | None = None
        self._why = ""
        self._notices = Notices(timing.renew_ms)
        self._proofs = Proofs(name)
        self._provable = frozenset(electorate.voters)
        self._accepted: Accepted | None = None
        self._is_full = False  # every voter of the present configuration promised it
        self._is_armed = True  # the guard has an end, or none, as the right does since a change
        self._arm_ms = 0  # when to say it again
        self._was_short = False  # a voter of the site did not grant the last round

    @property
    def is_held(self) -> bool:
        """Whether this node holds it, stopping or not."""
        return self.phase in {Phase.HOLDING, Phase.STOPPING, Phase.DISARMING}

    def belief(self, now_ms: int) -> Belief:
        """Return what this node's beats say of the lease."""
        if self.is_held:
            left_ms = 0 if self.valid_ms is None else max(0, self.valid_ms - now_ms)
            holds = LeaseState.HOLDING if self.phase == Phase.HOLDING else LeaseState.STOPPING
            return Belief(self._ballots.seen_epoch, self._me, left_ms, holds)
        state = LeaseState.NONE if self.holder is None else LeaseState.FOLLOWING
        return Belief(self._ballots.seen_epoch, self.holder, 0, state)

    def nonce(self) -> Nonce:
        """Return the nonce of another round, for what is asked in this lease's name."""
        return self._ballots.nonce()

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
                self._ballots.hear(epoch)
                self.holder = owner
            case Configured(electorate, provable, accepted):
                self._provable, self._accepted = provable, accepted
                if electorate != self._electorate:
                    self._configured(electorate, now_ms, out)
            case ViewChanged(view):
                self._view = view
                self._proofs.seen(view.seen)
            case Armed(epoch, is_timed):
                if epoch == self.epoch and is_timed == (self.valid_ms is not None):
                    self._is_armed = True
                self._armed(epoch, now_ms, out)
            case ArmRefused(epoch, why):
                if self.phase == Phase.HOLDING and epoch == self.epoch:
                    self._stop(f"the guard refuses it: {why}", now_ms, out)
            case Disarmed(epoch):
                if self.phase == Phase.DISARMING and epoch == self.epoch:
                    self._release_own(now_ms, out)
            case GuardLost():
                if self._guard_lost_ms is None:
                    self._guard_lost_ms = now_ms
            case GuardState(epoch, d3_ms):
                self._guard_state(epoch, d3_ms, now_ms, out)
            case StopConfirmed(epoch):
                self._stop_confirmed(epoch, now_ms, out)
            case Eligible(ok, _):
                self._eligible = ok
            case Order(why, to):
                self._order(why, to, now_ms, out)
            case Proof(node, boot, by):
                self._proof(node, boot, by, out)
            case _:
                assert_never(event)
        return out

    def due_ms(self, now_ms: int) -> int | None:
        """Return when the next Tick is needed, None when nothing is waited for."""
        told_ms = self._notices.due_ms()
        waits = [] if told_ms is None else [told_ms]
        if self.phase == Phase.HOLDING:
            waits.append(self._renew_ms)
            if self._d1_ms() is not None:
                waits.append(self._d1_ms() or 0)
            if self._guard_lost_ms is not None:
                waits.append(self._guard_lost_ms + GUARD_MS_MAX)
            if self._guard_lost_ms is not None or not self._is_armed:
                waits.append(self._arm_ms)
        elif self.phase in {Phase.DISARMING, Phase.RELEASING}:
            waits.append(self._disarm_ms)
        elif self.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            waits.append(self._renew_ms)
        elif self.phase == Phase.FOLLOWING and self._may_stand():
            waits.append(now_ms if self._stand_ms is None else self._stand_ms)
        return min(waits, default=None)

    # -- candidate -----------------------------------------------------------------------------

    def _may_stand(self) -> bool:
        """Whether this node should try now (design: ha, 5.4.1)."""
        view, holder = self._view, self.holder
        is_free = (
            holder is None
            or holder == self._me
            or holder in view.lost
            or holder in self._proofs.known
            or holder not in view.seen
        )
        is_fit = self._eligible and self._me in self._hosts and view.lhm < LHM_MAX
        if not (is_free and is_fit):
            return False
        voters = self._electorate.voters
        proofs = self._usable()
        reached = sum(v in view.seen or v in proofs or v == self._me for v in voters)
        return reached >= self._electorate.needed

    def _usable(self) -> dict[int, bytes]:
        """Return the proofs that stand in for a vote in the present configuration."""
        known = self._proofs.known
        return {node: boot for node, boot in known.items() if node in self._provable}

    def _delay_ms(self, jitter: float) -> int:
        timing, view = self._timing, self._view
        return (
            view.rank * timing.rank_ms
            + view.lhm * timing.health_ms
            + int(jitter * timing.spread_ms)
        )

    def _tick(self, jitter: float, now_ms: int, out: list[Effect]) -> None:
        wanted = self._eligible and not self.is_held
        self._proofs.tell_lack(self._electorate, self._view.lost, wanted=wanted, out=out)
        self._notices.tick(now_ms, out)
        if self.phase == Phase.HOLDING:
            self._tick_holding(now_ms, out)
        elif self.phase in {Phase.DISARMING, Phase.RELEASING}:
            self._tick_ending(now_ms, out)
        elif self.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            if now_ms >= self._renew_ms:
                self._give_up("no majority answered in time", now_ms, out)
        elif self.phase == Phase.FOLLOWING:
            if not self._may_stand():
                self._stand_ms = None
            elif self._stand_ms is None:
                self._stand_ms = max(now_ms + self._delay_ms(jitter), self._not_before_ms)
            elif now_ms >= self._stand_ms:
                self._stand_ms = None
                self._ask(Kind.PREVOTE, self._ballots.next_epoch(), now_ms, out)

    def _ask(self, kind: Kind, epoch: int, now_ms: int, out: list[Effect]) -> None:
        """Begin a round: this node's own voter is asked first, and may answer at once."""
        nonce = self._ballots.nonce()
        self._was_short |= self._round is not None  # nothing came of the last renewal
        self._round = Round(kind, epoch, nonce, now_ms)
        if kind is Kind.RENEW:
            self._renew_ms = now_ms + self._timing.renew_ms
        else:
            self.phase = Phase.PREVOTE if kind is Kind.PREVOTE else Phase.ACQUIRE
            self._renew_ms = now_ms + (1 + (kind is Kind.ACQUIRE)) * self._timing.renew_ms
        if kind is Kind.ACQUIRE:
            self._ballots.hear(epoch)
        out += (self._ballots.send(voter, kind, epoch, nonce) for voter in self._asked(kind))

    def _asked(self, kind: Kind) -> list[int]:
        """Return whom a round asks, this node's own voter first.

        A witness elsewhere is asked for a renewal only where the site's own voters are too few, or
        one of them missed the last round: it is there for the other days.
        """
        electorate = self._electorate
        is_spared = (
            kind is Kind.RENEW
            and not self._was_short
            and len(electorate.local) >= electorate.needed
        )
        voters = electorate.local if is_spared else electorate.voters
        return sorted(voters, key=lambda voter: voter != self._me)

    def _received(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        match frame.kind:
            case Kind.GRANT | Kind.REFUSE:
                self._ballots.hear(frame.max_epoch)
                self._answered(frame, now_ms, out)
            case Kind.RELEASE:
                self._heard_release(frame, now_ms)
            case Kind.ATTEST:
                self._attest(frame, now_ms, out)
            case Kind.YIELD:
                if self.phase == Phase.HOLDING and frame.epoch == self.epoch:
                    self._stop(f"node {frame.node} asked for it", now_ms, out)
            case _:
                pass  # the voter's

    def _answered(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        self._acknowledged(frame, now_ms, out)
        asked = self._round
        if asked is None or not asked.count(frame, self._electorate):
            return
        usable = {} if asked.kind is Kind.RENEW else self._usable()
        if asked.is_won(self._electorate, usable):
            self._round = None
            self._was_short = not asked.grants >= frozenset(self._electorate.local)
            if asked.kind is Kind.PREVOTE:
                self._ask(Kind.ACQUIRE, max(asked.epoch, self._ballots.next_epoch()), now_ms, out)
            else:
                self._won(asked, now_ms, out)
        elif asked.kind is not Kind.RENEW and asked.is_lost(self._electorate, usable):
            owners = {each.owner for each in asked.refusals.values()} - {None, self._me}
            if owners:
                self.holder = min(owner for owner in owners if owner is not None)
            reasons = sorted({each.reason for each in asked.refusals.values()})
            self._give_up(f"refused: {', '.join(reasons)}", now_ms, out, asked.bound_ms())

    def _give_up(self, why: str, now_ms: int, out: list[Effect], wait_ms: int = 0) -> None:
        """Abandon a round; an acquire is given back, or two candidates bind each other for ever."""
        asked, self._round = self._round, None
        self.phase = Phase.FOLLOWING
        wait_ms = max(wait_ms, RETRY_MS_MIN) if wait_ms else self._timing.beat_ms
        # By rank, or all who wait for one promise to end would split the votes in that instant.
        turn_ms = self._view.rank * self._timing.rank_ms
        self._stand_ms = now_ms + min(wait_ms, self._timing.age_ms_max) + turn_ms
        if asked is not None and asked.kind is Kind.ACQUIRE:
            self._stand_ms += self._delay_ms(asked.nonce.counter * 0.37 % 1)
            self._tell_release(asked.epoch, why, None, now_ms, out, to_self=True)
            out.append(
                Explain(f"gave up {self.name} (epoch {asked.epoch}): {why}", {"epoch": asked.epoch})
            )

    def _won(self, asked: Round, now_ms: int, out: list[Effect]) -> None:
        """Take what a majority gave, if there is still time for it."""
        valid_ms = None if self._electorate.sticky else asked.sent_ms + self._timing.lease_ms
        if asked.kind is Kind.RENEW:
            self._renewed(asked, valid_ms, now_ms, out)
            return
        self.valid_ms = valid_ms
        d1_ms = self._d1_ms()
        if d1_ms is not None and now_ms >= d1_ms:
            self._round = asked
            self._give_up("the grants came too late", now_ms, out)
            return
        was, self.holder = self.holder, self._me
        self.phase, self.epoch, self._started = Phase.HOLDING, asked.epoch, False
        self._successor = None
        self._notices.forget()
        self._renew_ms = asked.sent_ms + self._timing.renew_ms
        why = asked.explain(self.name, was, self._view, self._electorate, self._proofs.known)
        out += (self._deadlines.arm(self.epoch, self.valid_ms), why)
        self._is_armed, self._is_full = True, False
        self._tell_round(asked, out)

    def _renewed(self, asked: Round, valid_ms: int | None, now_ms: int, out: list[Effect]) -> None:
        """Take a round of renewal; one that all granted takes the end away, if it is not over."""
        d1_ms = self._d1_ms()
        if d1_ms is not None and now_ms >= d1_ms:
            return
        if valid_ms is None:
            is_news = self.valid_ms is not None
            self.valid_ms = None
            self._is_armed &= not is_news
        else:
            is_news = True
            self.valid_ms = max(self.valid_ms or 0, valid_ms)
        if is_news:
            out.append(self._deadlines.arm(self.epoch, self.valid_ms))
        self._tell_round(asked, out)

    def _tell_round(self, asked: Round, out: list[Effect]) -> None:
        """Say on what the right rests, and to whoever changes voters what they had accepted."""
        was = self._is_full
        self._is_full = was or asked.is_full(self._electorate)
        if self._electorate.sticky and (self._is_full != was or asked.kind is not Kind.RENEW):
            out.append(Rests(self.name, on_proof=not self._is_full))
        if self.name == SITE_LEASE and asked.is_won(self._electorate, {}):
            out.append(RoundWon(asked.epoch, self._electorate.cfgver, asked.accepted))

    # -- another configuration -----------------------------------------------------------------

    def _configured(self, electorate: Electorate, now_ms: int, out: list[Effect]) -> None:
        """Go on under other voters: what was asked of those before counts no more."""
        self._electorate = electorate
        asked = self._round
        if self.name == SITE_LEASE:
            self._hosts = electorate.local
        self._is_full = False  # a round of the new voters says so again
        if self.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            self._give_up("the voters changed", now_ms, out)
        elif self.phase == Phase.HOLDING:
            if asked is not None:
                self._round = None
            self._renew_ms = now_ms
            if not electorate.sticky and self.valid_ms is None:
                self._end_again(now_ms, out)
            if electorate.sticky:
                out.append(Rests(self.name, on_proof=not self._is_full))
            if self.name == SITE_LEASE and self._me not in self._hosts:
                self._stop("this node votes no more", now_ms, out)

    def _end_again(self, now_ms: int, out: list[Effect]) -> None:
        """Give a right without end an end: the guard has it before the first renewal leaves."""
        self.valid_ms = now_ms + self._timing.lease_ms
        self._is_armed = False
        self._arm_ms = now_ms + self._timing.beat_ms
        out.append(self._deadlines.arm(self.epoch, self.valid_ms))

    # -- holder --------------------------------------------------------------------------------

    def _d1_ms(self) -> int | None:
        return self._deadlines.d1_ms(self.valid_ms)

    def _armed(self, epoch: int, now_ms: int, out: list[Effect]) -> None:
        self._guard_lost_ms = None
        if self.phase != Phase.HOLDING or epoch != self.epoch or self._started:
            return
        d1_ms = self._d1_ms()
        if d1_ms is not None and now_ms >= d1_ms:
            self._stop("the guard was armed too late", now_ms, out)
            return
        self._started = True
        out.append(Start(epoch))

    def _tick_holding(self, now_ms: int, out: list[Effect]) -> None:
        d1_ms = self._d1_ms()
        lost_ms = self._guard_lost_ms
        if d1_ms is not None and now_ms >= d1_ms:
            self._stop(NO_MAJORITY, now_ms, out)
        elif lost_ms is not None and now_ms >= lost_ms + GUARD_MS_MAX:
            self._stop("the guard does not answer", now_ms, out)
        else:
            self._arm_again(now_ms, out)
            self._renew(now_ms, out)

    def _arm_again(self, now_ms: int, out: list[Effect]) -> None:
        """Say it again to a guard that has not acknowledged it, or was gone meanwhile."""
        is_heard = self._is_armed and self._guard_lost_ms is None
        if not is_heard and now_ms >= self._arm_ms:
            self._arm_ms = now_ms + self._timing.beat_ms
            out.append(self._deadlines.arm(self.epoch, self.valid_ms))

    def _renew(self, now_ms: int, out: list[Effect]) -> None:
        if now_ms >= self._renew_ms:
            if self._electorate.sticky and self._is_full:
                self._renew_ms = now_ms + self._timing.lease_ms  # it has no end, and all promised
            elif not self._is_armed and self.valid_ms is not None:
                self._renew_ms = now_ms + self._timing.beat_ms
            else:
                self._ask(Kind.RENEW, self.epoch, now_ms, out)

    def _stop(self, why: str, now_ms: int, out: list[Effect]) -> None:
        """Begin to stop; from here on no answer extends anything."""
        self._round = None
        self.phase = Phase.STOPPING
        self._why = why
        self._not_before_ms = now_ms + HEAD_START_MS
        left_ms = None if self.valid_ms is None else self.valid_ms - now_ms
        out += (
            Stop(self.epoch, why),
            Explain(
                f"stops {self.name} (epoch {self.epoch}): {why}",
                {"epoch": self.epoch, "left_ms": left_ms},
            ),
        )

    def _stop_confirmed(self, epoch: int, now_ms: int, out: list[Effect]) -> None:
        if self.phase == Phase.STOPPING and epoch == self.epoch:
            self.phase = Phase.DISARMING
            self._disarm_ms = now_ms
            self._tick_ending(now_ms, out)

    def _tick_ending(self, now_ms: int, out: list[Effect]) -> None:
        """Say again what was not answered; a validity that ran out needs nobody's word."""
        if self.valid_ms is not None and now_ms > self.valid_ms:
            self.phase = Phase.FOLLOWING
            self._tell_release(self.epoch, self._why, self._successor, now_ms, out, to_self=True)
        elif now_ms >= self._disarm_ms:
            if self.phase == Phase.DISARMING:
                self._disarm_ms = now_ms + self._timing.renew_ms
                out.append(Disarm(self.epoch))
            else:
                self._release_own(now_ms, out)

    def _order(self, why: str, to: int | None, now_ms: int, out: list[Effect]) -> None:
        refusal = ""
        if self.phase != Phase.HOLDING:
            refusal = f"{self.name} is not held here"
        elif to is not None and to not in self._hosts:
            refusal = f"node {to} is no host of {self.name}"
        elif to is not None and to not in self._view.seen:
            refusal = f"node {to} is not heard"
        if refusal:
            out.append(Answer(ok=False, sentence=refusal))
            return
        self._successor = to
        out.append(Answer(ok=True, sentence=f"stopping {self.name} (epoch {self.epoch})"))
        self._stop(why, now_ms, out)

    # -- giving back ---------------------------------------------------------------------------

    def _release_own(self, now_ms: int, out: list[Effect]) -> None:
        """Put on this node's own disk that it is done with the epoch, before anybody is told."""
        self.phase = Phase.RELEASING
        self._disarm_ms = now_ms + self._timing.renew_ms
        nonce = self._ballots.nonce()
        self._round = Round(Kind.RELEASE, self.epoch, nonce, now_ms)
        out.append(self._ballots.send(self._me, Kind.RELEASE, self.epoch, nonce))

    def _acknowledged(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        self._notices.answered(frame)
        asked = self._round
        if (
            self.phase == Phase.RELEASING
            and asked is not None
            and frame.nonce == asked.nonce
            and frame.node == self._me
        ):
            self._round = None
            self.phase = Phase.FOLLOWING
            self._tell_release(self.epoch, self._why, self._successor, now_ms, out, to_self=False)

    def _tell_release(  # noqa: PLR0913 - the fields of a frame
        self,
        epoch: int,
        why: str,
        successor: int | None,
        now_ms: int,
        out: list[Effect],
        *,
        to_self: bool,
    ) -> None:
        """Tell everybody, again and again until every voter heard it or a later round began."""
        nonce = self._ballots.nonce()
        if self.holder == self._me:
            self.holder = successor if successor != self._me else None
        notices = {
            node: Send(
                node, Kind.RELEASE, self.name, epoch, nonce, self._me, self._boot,
                reason=why[:64], successor=successor,
            )
            for node in sorted({*self._electorate.voters, *self._hosts})
            if to_self or node != self._me
        }  # fmt: skip
        out.append(Rests(self.name, on_proof=False))
        once = frozenset(self._hosts) - frozenset(self._electorate.voters)
        self._notices.tell(notices, once=once, now_ms=now_ms, out=out)

    def _heard_release(self, frame: LeaseFrame, now_ms: int) -> None:
        self._ballots.hear(frame.epoch)
        if frame.node == self._me or self.holder not in {frame.node, None, frame.successor}:
            return
        self.holder = None
        self._stand_ms = None
        if frame.successor == self._me:
            self._stand_ms = self._not_before_ms = now_ms
        elif frame.successor is not None:
            self._not_before_ms = now_ms + HEAD_START_MS

    # -- what others say -----------------------------------------------------------------------

    def _believed(self, node: int, belief: Belief) -> None:
        self._ballots.hear(belief.epoch)
        if belief.holder == node and belief.state in {LeaseState.HOLDING, LeaseState.STOPPING}:
            if not self.is_held:
                self.holder = node
        elif self.holder == node:
            self.holder = None  # it does not say so itself any more

    def _attest(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        """Say what this node holds and runs, once it has dropped what it was asking for."""
        if frame.owner is not None:
            return  # an answer; only a question has none, or two nodes would answer each other
        if self._round is not None and self.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            self._give_up("a voter starts, and asks who holds anything", now_ms, out)
        if self.phase == Phase.UNKNOWN:
            return
        epoch = 0 if self.phase == Phase.FOLLOWING else self.epoch
        out.append(
            Send(
                frame.node, Kind.ATTEST, self.name, epoch, frame.nonce, self._me, self._boot,
                max_epoch=self._ballots.seen_epoch,
                accepted=self._accepted if self.name == SITE_LEASE else None,
            )
        )  # fmt: skip

    def _proof(self, node: int, boot: bytes, by: str, out: list[Effect]) -> None:
        if node == self._me or node in self._view.seen:
            return
        self._proofs.known[node] = boot
        nonce = self._ballots.nonce()
        out += (
            Send(voter, Kind.FENCE_CONFIRM, self.name, 0, nonce, node, boot, reason=by[:64])
            for voter in self._electorate.voters
            if voter != node
        )
        out.append(Explain(f"node {node} is off for {self.name}: {by}", {"node": node, "by": by}))

    # -- the start of the agent ----------------------------------------------------------------

    def _guard_state(self, epoch: int, d3_ms: int | None, now_ms: int, out: list[Effect]) -> None:
        """Go on with what the guard holds, or stop and give back what this node owned."""
        if self.phase != Phase.UNKNOWN:
            return
        is_live = epoch > self._given_back and (d3_ms is None or now_ms < d3_ms)
        self.epoch = epoch if is_live else self._owned_epoch
        if not self.epoch:
            self.phase = Phase.FOLLOWING
            return
        self._ballots.hear(self.epoch)
        self.holder = self._me
        self.valid_ms = d3_ms if is_live else now_ms
        if not is_live:
            self._stop("it ended while the agent did not run", now_ms, out)
            self._not_before_ms = now_ms
            return
        self.phase = Phase.HOLDING
        self._started = False
        self._renew_ms = now_ms
        if self._electorate.sticky:
            out.append(Rests(self.name, on_proof=True))
        if self.valid_ms is None and not self._electorate.sticky:
            self.valid_ms = now_ms + self._timing.lease_ms
            self._is_armed = False
        out += (
            self._deadlines.arm(self.epoch, self.valid_ms),
            Explain(
                f"goes on with {self.name} (epoch {epoch}), as the guard holds it",
                {"epoch": epoch},
            ),
        )
