"""Holding a lease: the guard is armed before anything starts, and all stops before it ends."""

from typing import Final

from roost_agent.ha.lease_ending import Ending
from roost_agent.ha.lease_events import Answer, Effect, RoundWon, Start, Stop
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.lease_rounds import Rounds
from roost_agent.ha.lease_turn import HEAD_START_MS, Turn
from roost_agent.ha.quorum import Round
from roost_protocol.configuration import SITE_LEASE
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind
from roost_protocol.voter_events import Rests, Won

NO_MAJORITY: Final = "no majority renewed it in time"
GUARD_MS_MAX: Final = 1_000  # a holder goes on so long without its guard


class Holding:
    """See the module.

    Args:
        turn: that is held.
        rounds: ask for it, and for more time.
        ending: what follows a stop.
        starts_alone: the last holder of a pair may start without the other.
    """

    def __init__(
        self, turn: Turn, rounds: Rounds, ending: Ending, *, starts_alone: bool = False
    ) -> None:
        self._starts_alone = starts_alone
        self._turn = turn
        self._rounds = rounds
        self._ending = ending
        self._started = False
        self._guard_lost_ms: int | None = None
        self._is_full = False  # every voter of the present configuration promised it
        self._is_armed = True  # the guard has an end, or none, as the right does since a change
        self._arm_ms = 0  # when to say it again

    def due_ms(self) -> int | None:
        """Return when a holder does something next, None where it is none."""
        turn = self._turn
        if turn.phase != Phase.HOLDING:
            return None
        waits = [turn.renew_ms]
        if (d1_ms := turn.d1_ms()) is not None:
            waits.append(d1_ms)
        if self._guard_lost_ms is not None:
            waits.append(self._guard_lost_ms + GUARD_MS_MAX)
        if self._guard_lost_ms is not None or not self._is_armed:
            waits.append(self._arm_ms)
        return min(waits)

    def won(self, asked: Round, now_ms: int, out: list[Effect]) -> None:
        """Take what a majority gave, if there is still time for it."""
        turn = self._turn
        valid_ms = None if turn.electorate.sticky else asked.sent_ms + turn.timing.lease_ms
        if asked.kind is Kind.RENEW:
            self._renewed(asked, valid_ms, now_ms, out)
            return
        turn.valid_ms = valid_ms
        if turn.is_past_d1(now_ms):
            turn.round = asked
            self._rounds.give_up("the grants came too late", now_ms, out)
            return
        was, turn.previous = turn.previous, None  # its own voter has said already: this node
        is_mine, self._rounds.is_mine = self._rounds.is_mine, False
        turn.holder = turn.me
        turn.phase, turn.epoch, self._started = Phase.HOLDING, asked.epoch, False
        self._ending.forget()
        turn.renew_ms = asked.sent_ms + turn.timing.renew_ms
        proofs = self._rounds.proofs.known
        why = asked.explain(
            turn.name,
            was,
            turn.view,
            turn.electorate,
            proofs,
            is_given_back=turn.is_given_back,
            is_mine=is_mine,
        )
        out += (turn.deadlines.arm(turn.epoch, turn.valid_ms), why)
        self._is_armed, self._is_full = True, False
        self._tell_round(asked, out)
        if is_mine:
            self._mark(out)

    def resume(self, epoch: int, now_ms: int, out: list[Effect]) -> None:
        """Go on with what the guard holds, after a restart of the agent."""
        turn = self._turn
        turn.phase = Phase.HOLDING
        self._started = False
        turn.renew_ms = now_ms
        if turn.electorate.sticky:
            out.append(Rests(turn.name, on_proof=True))
        if turn.valid_ms is None and not turn.electorate.sticky:
            turn.valid_ms = now_ms + turn.timing.lease_ms
            self._is_armed = False
        out += (
            turn.deadlines.arm(turn.epoch, turn.valid_ms),
            Explain(
                f"goes on with {turn.name} (epoch {epoch}), as the guard holds it",
                {"epoch": epoch},
            ),
        )

    def configured(self, electorate: Electorate, now_ms: int, out: list[Effect]) -> None:
        """Go on under other voters: what was asked of those before counts no more."""
        turn = self._turn
        turn.electorate = electorate
        asked = turn.round
        if turn.name == SITE_LEASE:
            turn.hosts = electorate.local
        self._is_full = False  # a round of the new voters says so again
        if turn.phase in {Phase.PREVOTE, Phase.ACQUIRE}:
            self._rounds.give_up("the voters changed", now_ms, out)
        elif turn.phase == Phase.HOLDING:
            if asked is not None:
                turn.round = None
            turn.renew_ms = now_ms
            if not electorate.sticky and turn.valid_ms is None:
                self._end_again(now_ms, out)
            if electorate.sticky:
                out.append(Rests(turn.name, on_proof=not self._is_full))
            if turn.name == SITE_LEASE and turn.me not in turn.hosts:
                self.stop("this node votes no more", now_ms, out)

    def armed(self, epoch: int, *, is_timed: bool, now_ms: int, out: list[Effect]) -> None:
        """Start what the guard has the deadlines of, if there is still time for it."""
        turn = self._turn
        if epoch == turn.epoch and is_timed == (turn.valid_ms is not None):
            self._is_armed = True
        self._guard_lost_ms = None
        if turn.phase != Phase.HOLDING or epoch != turn.epoch or self._started:
            return
        if turn.is_past_d1(now_ms):
            self.stop("the guard was armed too late", now_ms, out)
            return
        self._started = True
        out.append(Start(epoch))

    def arm_refused(self, epoch: int, why: str, now_ms: int, out: list[Effect]) -> None:
        """Stop what the guard does not take."""
        if self._turn.phase == Phase.HOLDING and epoch == self._turn.epoch:
            self.stop(f"the guard refuses it: {why}", now_ms, out)

    def guard_lost(self, now_ms: int) -> None:
        """Take in that the guard does not answer."""
        if self._guard_lost_ms is None:
            self._guard_lost_ms = now_ms

    def tick(self, now_ms: int, out: list[Effect]) -> None:
        """Stop when it is time to; else ask for more time."""
        lost_ms = self._guard_lost_ms
        if self._turn.is_past_d1(now_ms):
            self.stop(NO_MAJORITY, now_ms, out)
        elif lost_ms is not None and now_ms >= lost_ms + GUARD_MS_MAX:
            self.stop("the guard does not answer", now_ms, out)
        else:
            self._arm_again(now_ms, out)
            self._renew(now_ms, out)

    def order(self, why: str, to: int | None, now_ms: int, out: list[Effect]) -> None:
        """Give it to another node, or say why not."""
        turn = self._turn
        refusal = ""
        if turn.phase != Phase.HOLDING:
            refusal = f"{turn.name} is not held here"
        elif to is not None and to not in turn.hosts:
            refusal = f"node {to} is no host of {turn.name}"
        elif to is not None and to not in turn.view.seen:
            refusal = f"node {to} is not heard"
        if refusal:
            out.append(Answer(ok=False, sentence=refusal))
            return
        self._ending.successor = to
        out.append(Answer(ok=True, sentence=f"stopping {turn.name} (epoch {turn.epoch})"))
        self.stop(why, now_ms, out)

    def stop(self, why: str, now_ms: int, out: list[Effect]) -> None:
        """Begin to stop; from here on no answer extends anything."""
        turn = self._turn
        turn.round = None
        turn.phase = Phase.STOPPING
        self._ending.why = why
        turn.not_before_ms = now_ms + HEAD_START_MS
        left_ms = None if turn.valid_ms is None else turn.valid_ms - now_ms
        out += (
            Stop(turn.epoch, why),
            Explain(
                f"stops {turn.name} (epoch {turn.epoch}): {why}",
                {"epoch": turn.epoch, "left_ms": left_ms},
            ),
        )

    def _renewed(self, asked: Round, valid_ms: int | None, now_ms: int, out: list[Effect]) -> None:
        """Take a round of renewal; one that all granted takes the end away, if it is not over."""
        turn = self._turn
        if turn.is_past_d1(now_ms):
            return
        if valid_ms is None:
            is_news = turn.valid_ms is not None
            turn.valid_ms = None
            self._is_armed &= not is_news
        else:
            is_news = True
            turn.valid_ms = max(turn.valid_ms or 0, valid_ms)
        if is_news:
            out.append(turn.deadlines.arm(turn.epoch, turn.valid_ms))
        self._tell_round(asked, out)

    def _tell_round(self, asked: Round, out: list[Effect]) -> None:
        """Say on what the right rests, and to whoever changes voters what they had accepted."""
        turn, was = self._turn, self._is_full
        self._is_full = was or asked.is_full(turn.electorate)
        if turn.electorate.sticky and (self._is_full != was or asked.kind is not Kind.RENEW):
            out.append(Rests(turn.name, on_proof=not self._is_full))
            if self._is_full:
                self._mark(out)
        if turn.name == SITE_LEASE and asked.is_won(turn.electorate, {}):
            out.append(RoundWon(asked.epoch, turn.electorate.cfgver, asked.accepted))

    def _mark(self, out: list[Effect]) -> None:
        """Have kept over a reboot that nobody else can have this turn, where that is asked for."""
        if self._starts_alone:
            out.append(Won(self._turn.name, self._turn.epoch))

    def _end_again(self, now_ms: int, out: list[Effect]) -> None:
        """Give a right without end an end: the guard has it before the first renewal leaves."""
        turn = self._turn
        turn.valid_ms = now_ms + turn.timing.lease_ms
        self._is_armed = False
        self._arm_ms = now_ms + turn.timing.beat_ms
        out.append(turn.deadlines.arm(turn.epoch, turn.valid_ms))

    def _arm_again(self, now_ms: int, out: list[Effect]) -> None:
        """Say it again to a guard that has not acknowledged it, or was gone meanwhile."""
        turn = self._turn
        is_heard = self._is_armed and self._guard_lost_ms is None
        if not is_heard and now_ms >= self._arm_ms:
            self._arm_ms = now_ms + turn.timing.beat_ms
            out.append(turn.deadlines.arm(turn.epoch, turn.valid_ms))

    def _renew(self, now_ms: int, out: list[Effect]) -> None:
        turn = self._turn
        if now_ms >= turn.renew_ms:
            if turn.electorate.sticky and self._is_full:
                turn.renew_ms = now_ms + turn.timing.lease_ms  # it has no end, and all promised
            elif not self._is_armed and turn.valid_ms is not None:
                turn.renew_ms = now_ms + turn.timing.beat_ms
            else:
                self._rounds.ask(Kind.RENEW, turn.epoch, now_ms, out)
