"""The end of a turn: the guard lets go, this node's disk knows it, and then everybody else."""

from roost_agent.ha.lease_events import Disarm, Effect
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.lease_turn import HEAD_START_MS, Turn
from roost_agent.ha.notices import Notices
from roost_agent.ha.quorum import Round
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.voter_events import Rests, Send


class Ending:
    """See the module.

    Args:
        turn: that it ends.

    Attributes:
        why: the turn ends.
        successor: who is to have it next, None for anybody.
    """

    def __init__(self, turn: Turn) -> None:
        self.why = ""
        self.successor: int | None = None
        self._turn = turn
        self._notices = Notices(turn.timing.renew_ms)
        self._again_ms = 0

    def due_ms(self) -> int | None:
        """Return when to tell again, None where nothing is waited for."""
        waits = [self._notices.due_ms()]
        if self._turn.phase in {Phase.DISARMING, Phase.RELEASING}:
            waits.append(self._again_ms)
        return min((each for each in waits if each is not None), default=None)

    def forget(self) -> None:
        """Tell nobody of the last end any more: another turn begins."""
        self.successor = None
        self._notices.forget()

    def tick(self, now_ms: int, out: list[Effect]) -> None:
        """Tell again who was told and did not answer."""
        self._notices.tick(now_ms, out)

    def stop_confirmed(self, epoch: int, now_ms: int, out: list[Effect]) -> None:
        """Have the guard let go of what runs no more."""
        turn = self._turn
        if turn.phase == Phase.STOPPING and epoch == turn.epoch:
            turn.phase = Phase.DISARMING
            self._again_ms = now_ms
            self.go_on(now_ms, out)

    def go_on(self, now_ms: int, out: list[Effect]) -> None:
        """Say again what was not answered; a validity that ran out needs nobody's word."""
        turn = self._turn
        if turn.valid_ms is not None and now_ms > turn.valid_ms:
            turn.phase = Phase.FOLLOWING
            self.tell(turn.epoch, self.why, self.successor, now_ms, out, to_self=True)
        elif now_ms >= self._again_ms:
            if turn.phase == Phase.DISARMING:
                self._again_ms = now_ms + turn.timing.renew_ms
                out.append(Disarm(turn.epoch))
            else:
                self._release_own(now_ms, out)

    def disarmed(self, epoch: int, now_ms: int, out: list[Effect]) -> None:
        """Take in that the guard let go."""
        if self._turn.phase == Phase.DISARMING and epoch == self._turn.epoch:
            self._release_own(now_ms, out)

    def _release_own(self, now_ms: int, out: list[Effect]) -> None:
        """Put on this node's own disk that it is done with the epoch, before anybody is told."""
        turn = self._turn
        turn.phase = Phase.RELEASING
        self._again_ms = now_ms + turn.timing.renew_ms
        nonce = turn.ballots.nonce()
        turn.round = Round(Kind.RELEASE, turn.epoch, nonce, now_ms)
        out.append(turn.ballots.send(turn.me, Kind.RELEASE, turn.epoch, nonce))

    def acknowledged(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        """Take in a receipt; this node's own lets the others know."""
        turn = self._turn
        self._notices.answered(frame)
        asked = turn.round
        if (
            turn.phase == Phase.RELEASING
            and asked is not None
            and frame.nonce == asked.nonce
            and frame.node == turn.me
        ):
            turn.round = None
            turn.phase = Phase.FOLLOWING
            self.tell(turn.epoch, self.why, self.successor, now_ms, out, to_self=False)

    def tell(  # noqa: PLR0913 - the fields of a frame
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
        turn = self._turn
        nonce = turn.ballots.nonce()
        if turn.holder == turn.me:
            turn.holder = successor if successor != turn.me else None
        notices = {
            node: Send(
                node, Kind.RELEASE, turn.name, epoch, nonce, turn.me, turn.boot,
                reason=why[:64], successor=successor,
            )
            for node in sorted({*turn.electorate.voters, *turn.hosts})
            if to_self or node != turn.me
        }  # fmt: skip
        out.append(Rests(turn.name, on_proof=False))
        once = frozenset(turn.hosts) - frozenset(turn.electorate.voters)
        self._notices.tell(notices, once=once, now_ms=now_ms, out=out)

    def heard(self, frame: LeaseFrame, now_ms: int) -> None:
        """Take in that another node gave the lease back."""
        turn = self._turn
        turn.ballots.hear(frame.epoch)
        if frame.node == turn.me or turn.holder not in {frame.node, None, frame.successor}:
            return
        turn.holder = None
        turn.previous, turn.is_given_back = frame.node, True
        turn.stand_ms = None
        if frame.successor == turn.me:
            turn.stand_ms = turn.not_before_ms = now_ms
        elif frame.successor is not None:
            turn.not_before_ms = now_ms + HEAD_START_MS
