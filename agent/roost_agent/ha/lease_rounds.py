"""Asking the voters: when this node stands for a lease, whom it asks, and what the answers are."""

from typing import Final

from roost_agent.ha.lease_ending import Ending
from roost_agent.ha.lease_events import Effect
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.lease_turn import Turn
from roost_agent.ha.proofs import Proofs
from roost_agent.ha.quorum import Round
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.voter_state import NO_BOOT

LHM_MAX: Final = 4  # from here on a node does not stand
RETRY_MS_MIN: Final = 50  # before the next try


class Rounds:
    """See the module.

    Args:
        turn: that they are for.
        ending: gives an acquire back that was lost.

    Attributes:
        eligible: this node could run it.
        proofs: of boots that ended.
        provable: for whose vote such a proof may stand in.
        is_mine: nobody else can have had the lease since this node won it: of a pair's other node,
            while it is not heard, the vote is not needed.
    """

    def __init__(self, turn: Turn, ending: Ending) -> None:
        self.eligible = False
        self.proofs = Proofs(turn.name)
        self.provable = frozenset(turn.electorate.voters)
        self.is_mine = False
        self._turn = turn
        self._ending = ending
        self._was_short = False  # a voter of the site did not grant the last round

    def due_ms(self, now_ms: int) -> int | None:
        """Return when a candidate does something next, None where it is none."""
        turn = self._turn
        if turn.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            return turn.renew_ms
        if turn.phase == Phase.FOLLOWING and self._may_stand():
            return now_ms if turn.stand_ms is None else turn.stand_ms
        return None

    def tell_lack(self, out: list[Effect]) -> None:
        """Raise or clear that a proof is lacking."""
        turn = self._turn
        wanted = self.eligible and not turn.is_held and not self.is_mine
        self.proofs.tell_lack(turn.electorate, turn.view.lost, wanted=wanted, out=out)

    def tick(self, jitter: float, now_ms: int, out: list[Effect]) -> None:
        """Stand, once it is time, and give up what nobody answers."""
        turn = self._turn
        if turn.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            if now_ms >= turn.renew_ms:
                self.give_up("no majority answered in time", now_ms, out)
        elif turn.phase == Phase.FOLLOWING:
            if not self._may_stand():
                turn.stand_ms = None
            elif turn.stand_ms is None:
                turn.stand_ms = max(now_ms + self._delay_ms(jitter), turn.not_before_ms)
            elif now_ms >= turn.stand_ms:
                turn.stand_ms = None
                self.ask(Kind.PREVOTE, turn.ballots.next_epoch(), now_ms, out)

    def ask(self, kind: Kind, epoch: int, now_ms: int, out: list[Effect]) -> None:
        """Begin a round: this node's own voter is asked first, and may answer at once."""
        turn = self._turn
        nonce = turn.ballots.nonce()
        self._was_short |= turn.round is not None  # nothing came of the last renewal
        turn.round = Round(kind, epoch, nonce, now_ms)
        if kind is Kind.RENEW:
            turn.renew_ms = now_ms + turn.timing.renew_ms
        else:
            turn.phase = Phase.PREVOTE if kind is Kind.PREVOTE else Phase.ACQUIRE
            turn.renew_ms = now_ms + (1 + (kind is Kind.ACQUIRE)) * turn.timing.renew_ms
        if kind is Kind.ACQUIRE:
            turn.ballots.hear(epoch)
        out += (turn.ballots.send(voter, kind, epoch, nonce) for voter in self._asked(kind))

    def answered(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> Round | None:
        """Count an answer; return the round with which the lease is acquired or renewed."""
        turn = self._turn
        asked = turn.round
        if asked is None or not asked.count(frame, turn.electorate):
            return None
        usable = {} if asked.kind is Kind.RENEW else self._usable()
        if asked.is_won(turn.electorate, usable):
            turn.round = None
            self._was_short = not asked.grants >= frozenset(turn.electorate.local)
            if asked.kind is not Kind.PREVOTE:
                return asked
            self.ask(Kind.ACQUIRE, max(asked.epoch, turn.ballots.next_epoch()), now_ms, out)
        elif asked.kind is not Kind.RENEW and asked.is_lost(turn.electorate, usable):
            owners = {each.owner for each in asked.refusals.values()} - {None, turn.me}
            if owners:
                turn.held_by(min(owner for owner in owners if owner is not None))
            self.give_up(f"refused: {asked.refused()}", now_ms, out, asked.bound_ms())
        return None

    def give_up(self, why: str, now_ms: int, out: list[Effect], wait_ms: int = 0) -> None:
        """Abandon a round; an acquire is given back, or two candidates bind each other for ever."""
        turn = self._turn
        asked, turn.round = turn.round, None
        turn.phase = Phase.FOLLOWING
        wait_ms = max(wait_ms, RETRY_MS_MIN) if wait_ms else turn.timing.beat_ms
        # By rank, or all who wait for one promise to end would split the votes in that instant.
        turn_ms = turn.view.rank * turn.timing.rank_ms
        turn.stand_ms = now_ms + min(wait_ms, turn.timing.age_ms_max) + turn_ms
        if asked is not None and asked.kind is Kind.ACQUIRE:
            turn.stand_ms += self._delay_ms(asked.nonce.counter * 0.37 % 1)
            self._ending.tell(asked.epoch, why, None, now_ms, out, to_self=True)
            out.append(
                Explain(f"gave up {turn.name} (epoch {asked.epoch}): {why}", {"epoch": asked.epoch})
            )

    def _may_stand(self) -> bool:
        """Whether this node should try now (design: ha, 5.4.1)."""
        turn, view, holder = self._turn, self._turn.view, self._turn.holder
        is_free = (
            holder is None
            or holder == turn.me
            or holder in view.lost
            or holder in self.proofs.known
            or holder not in view.seen
        )
        is_fit = self.eligible and turn.me in turn.hosts and view.lhm < LHM_MAX
        if not (is_free and is_fit):
            return False
        voters = turn.electorate.voters
        proofs = self._usable()
        reached = sum(v in view.seen or v in proofs or v == turn.me for v in voters)
        return reached >= turn.electorate.needed

    def _usable(self) -> dict[int, bytes]:
        """Return what stands in for a vote in the present configuration: proofs, or our own mark.

        One that is heard is asked, and one that answered has said what it thinks of it.
        """
        known = self.proofs.known
        proofs = {node: boot for node, boot in known.items() if node in self.provable}
        if not self.is_mine:
            return proofs
        turn = self._turn
        said = set() if turn.round is None else set(turn.round.refusals)
        silent = set(turn.electorate.voters) - turn.view.seen - said - {turn.me}
        return proofs | dict.fromkeys(silent, NO_BOOT)

    def _delay_ms(self, jitter: float) -> int:
        timing, view = self._turn.timing, self._turn.view
        return (
            view.rank * timing.rank_ms
            + view.lhm * timing.health_ms
            + int(jitter * timing.spread_ms)
        )

    def _asked(self, kind: Kind) -> list[int]:
        """Return whom a round asks, this node's own voter first.

        A witness elsewhere is asked for a renewal only where the site's own voters are too few, or
        one of them missed the last round: it is there for the other days.
        """
        electorate = self._turn.electorate
        is_spared = (
            kind is Kind.RENEW
            and not self._was_short
            and len(electorate.local) >= electorate.needed
        )
        voters = electorate.local if is_spared else electorate.voters
        return sorted(voters, key=lambda voter: voter != self._turn.me)
