"""What a frame of another node means: who may be believed, and which part it is for.

Freshness is asked first: what is stale by it is as good as never sent. Leaves to others: macs
(peer), what a part makes of it.
"""

from typing import Final

from roost_agent.ha import lease_events as le
from roost_agent.ha import membership_events as mb
from roost_agent.ha.abstaining import Abstaining
from roost_agent.ha.exchange import Exchange
from roost_agent.ha.freshness import Drop, Heard, SelfEcho
from roost_agent.ha.known import Known
from roost_agent.ha.member import MemberState
from roost_agent.ha.proposer_events import Answered
from roost_agent.ha.slot_maker import SlotMaker
from roost_protocol.configuration import WITNESS
from roost_protocol.ha import LEFT, Beat, Kind, LeaseFrame
from roost_protocol.voter_events import Request, RolledBack, Send, Showed

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


class Hearing:
    """See the module.

    Args:
        known: the parts.
        exchange: between them.
        slot_maker: takes in the slot table.
        abstaining: is told of a disk that is older than this node.

    Attributes:
        stale: lease frames that were too old, or echoed nothing of this start.
        is_rolled_back: this start of the agent found its disk older than itself.
    """

    def __init__(
        self, known: Known, exchange: Exchange, slot_maker: SlotMaker, abstaining: Abstaining
    ) -> None:
        self.stale = 0
        self._known = known
        self._exchange = exchange
        self._slot_maker = slot_maker
        self._abstaining = abstaining
        self.is_rolled_back = False

    def heard(self, path: int, frame: Beat | LeaseFrame, now_ms: int) -> None:
        """Take in a frame that a path brought, and whose mac was good."""
        if frame.node == WITNESS:
            self._afar_in(frame, now_ms)
            return
        heard = self._known.fresh.heard(path, frame, now_ms, is_beat=isinstance(frame, Beat))
        if isinstance(heard, Drop | SelfEcho):
            return
        self._look_at_myself(heard, now_ms)
        if heard.is_first:
            self._count(frame, now_ms)

    def _afar_in(self, frame: Beat | LeaseFrame, now_ms: int) -> None:
        """Take in a frame of the witness, which is no member of the site: a vote, or an answer."""
        witness = self._known.witness
        if witness is None or not isinstance(frame, LeaseFrame):
            return
        heard = witness.fresh.heard(frame.path, frame, now_ms, is_beat=False)
        if isinstance(heard, Drop | SelfEcho):
            return
        self._look_at_myself(heard, now_ms)
        self._shown(frame, now_ms)
        if not witness.heard(frame, now_ms):
            self.lease_frame(frame, witness.fresh.request_age_ms(frame, now_ms), now_ms)

    def lease_frame(self, frame: LeaseFrame, age_ms: int | None, now_ms: int) -> None:
        """Hand a lease frame to whom it is for: the voter, the lease, or both."""
        known, exchange = self._known, self._exchange
        if frame.to != known.who.node:
            return
        if frame.kind in _OF_VOTER | _OF_BOTH:
            exchange.vote(Request(frame, age_ms), now_ms)
        if frame.kind in _OF_VOTER:
            return
        if frame.kind is Kind.CFG_ACCEPT:
            exchange.propose(Answered(frame), now_ms)
            return
        if frame.kind is Kind.RELEASE and frame.successor == known.who.node:
            known.slots.given(frame.name, now_ms)
            exchange.tell_eligible(now_ms)
        if frame.name in known.leases:
            exchange.lease(frame.name, le.Received(frame, age_ms), now_ms)
        elif frame.kind is Kind.ATTEST and self._may_attest(frame):
            answer = Send(
                frame.node, Kind.ATTEST, frame.name, 0, frame.nonce, known.who.node, known.who.boot,
                max_epoch=known.voter.max_epoch(frame.name),
            )  # fmt: skip
            exchange.send(answer, now_ms)

    def _look_at_myself(self, heard: Heard, now_ms: int) -> None:
        if heard.knows_later_me and not self.is_rolled_back:
            self.is_rolled_back = True
            self._exchange.vote(RolledBack(), now_ms)
            self._abstaining.rolled_back()

    def _count(self, frame: Beat | LeaseFrame, now_ms: int) -> None:
        age_ms = self._known.fresh.request_age_ms(frame, now_ms)
        self._shown(frame, now_ms)
        if isinstance(frame, Beat):
            self._beat(frame, age_ms, now_ms)
            return
        self.stale += age_ms is None or age_ms > self._known.config.timing.age_ms_max
        self.lease_frame(frame, age_ms, now_ms)

    def _beat(self, beat: Beat, age_ms: int | None, now_ms: int) -> None:
        """Take in who is there; what it says besides counts only where its age is known."""
        known, exchange = self._known, self._exchange
        exchange.member(mb.BeatHeard(beat, age_ms), now_ms)
        if age_ms is None:
            return
        is_gone = known.members.state(beat.node) is MemberState.LEFT
        known.moves.heard(beat.moves, now_ms)
        self._slot_maker.heard(beat)
        if beat.standing & LEFT and not is_gone:
            exchange.member(mb.Ended(beat.node, is_fenced=False), now_ms)
        for name, belief in beat.leases.items():
            exchange.lease(name, le.Believed(beat.node, belief), now_ms)

    def _shown(self, frame: Beat | LeaseFrame, now_ms: int) -> None:
        """Take in under which configuration a peer is, and in which life."""
        if self._known.voter.is_news(frame.node, frame.cfgver):
            self._exchange.vote(Showed(frame.node, frame.cfgver), now_ms)
        if (shown := self._known.electing.shown(frame)) is not None:
            self._exchange.propose(shown, now_ms)

    def _may_attest(self, frame: LeaseFrame) -> bool:
        """Whether this node runs nothing of a lease that its own file does not have."""
        is_known = frame.name in self._known.hosts or frame.name in self._known.holds
        return bool(self._known.leases) and frame.owner is None and not is_known
