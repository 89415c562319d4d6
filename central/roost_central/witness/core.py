"""The witness of one site: the voter of protocol/voter.py, fed by what the site's nodes say.

It votes by the file that every node of the site said alike, and knows the others' changes as any
node does. It hosts nothing, stands for nothing, and nobody asks it what it holds.

Leaves to others: macs and brokers, the disk, the clock (service.py).

Invariants:
- nothing is answered before this start of the voter is on disk, nor what must be there first;
- a start is a boot: it waits until every promise of before has run out;
- a node votes and asks as itself alone: index and name were said together by every node;
- one of which a node remembers a start that its disk does not know of knows nothing any more;
- whatever its disk says, no new owner is granted before every node said what it holds: a centre is
  restored from backups, and one of before a change of the voters would give away what is held.
"""

from hashlib import blake2b
from typing import Final, assert_never

from msgspec.structs import replace

from roost_central.witness.events import (
    VERSION,
    Effect,
    Event,
    FrameIn,
    Keep,
    Kept,
    Persisted,
    PersistFailed,
    Tell,
    Tick,
)
from roost_central.witness.hearing import Hearing
from roost_protocol.configuration import WITNESS
from roost_protocol.enlistment import Enlistment
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.voter import Voter
from roost_protocol.voter_events import (
    Begin,
    Bound,
    Configured,
    Persist,
    Request,
    Send,
    Showed,
)
from roost_protocol.voter_events import Event as VoterEvent
from roost_protocol.voter_events import Persisted as VoterPersisted
from roost_protocol.voter_events import PersistFailed as VoterPersistFailed
from roost_protocol.voter_events import Tick as VoterTick
from roost_protocol.voter_rules import STALE
from roost_protocol.voter_state import VoterState

ASK_MS: Final = 3_000  # between questions to nodes that have yet to say what they hold
INC_MAX: Final = 1 << 52  # what a node says of later starts is believed up to here
VOTER_ID_BYTES: Final = 16
UNLIKE: Final = "unlike"  # not every node of the site has said this file
_VOTES: Final = frozenset(
    {
        Kind.PREVOTE,
        Kind.ACQUIRE,
        Kind.RENEW,
        Kind.RELEASE,
        Kind.ATTEST,
        Kind.FENCE_CONFIRM,
        Kind.CFG_PROPOSE,
        Kind.CFG_COMMIT,
    }
)


class SiteWitness:
    """See the module.

    Args:
        site: its name.
        boot: random, of this process: what it promised is forgotten with it.
        born: its incarnation is above this: seconds of the wall clock, so that one whose disk is
            lost, or an older one, is not taken for an older self.
        kept: from the disk; None: nothing yet.

    Attributes:
        refused: frames that were not believed, by reason.
    """

    def __init__(self, site: str, boot: bytes, born: int, kept: Kept | None) -> None:
        self.site = site
        self.refused: dict[str, int] = {}
        self._boot = boot
        self._inc = born  # while there is no voter
        self._known_inc = born  # the last start that the disk knew of
        self._before = kept
        self._voter: Voter | None = None
        self._kept: Kept | None = None  # by which the voter votes; its state is as it began
        self._said: dict[str, tuple[int, Enlistment]] = {}
        self._hearing = Hearing()
        self._life = 0

    def start(self, now_ms: int) -> list[Effect]:
        """Return the first effects: what was kept goes on, its start goes to disk."""
        kept, out = self._before, list[Effect]()
        if kept is not None:
            self._known_inc = kept.state.inc
            state = replace(kept.state, inc=max(kept.state.inc, self._inc))
            self._begin(replace(kept, state=state), now_ms, out)
        return out

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: CLOCK_BOOTTIME.
        """
        out: list[Effect] = []
        match event:
            case FrameIn(name, frame):
                self._frame_in(name, frame, now_ms, out)
            case Persisted(life, token):
                if life == self._life:
                    self._vote(VoterPersisted(token), now_ms, out)
            case PersistFailed(life, token):
                if life == self._life:
                    self._vote(VoterPersistFailed(token), now_ms, out)
            case Tick():
                self._vote(VoterTick(), now_ms, out)
            case _:
                assert_never(event)
        return out

    def due_ms(self) -> int | None:
        """Return when the next Tick is needed, None when nothing is waited for."""
        return None if self._voter is None else self._voter.due_ms()

    # -- frames --------------------------------------------------------------------------------

    def _frame_in(self, name: str, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        if frame.to != WITNESS or frame.node == WITNESS:
            self._refuse("receiver")
            return
        if not self._hearing.heard(name, frame, now_ms):
            self._refuse("replayed")
            return
        self._look_at_myself(frame, now_ms, out)
        age_ms = self._hearing.age_ms(frame, self._now_inc(), now_ms)
        if frame.kind is Kind.ENLIST:
            self._enlist(name, frame, age_ms, now_ms, out)
        elif self._kept is None or self._kept.names.get(name) != frame.node:
            self._refuse("member")
        else:
            self._shown(frame, now_ms, out)
            if frame.kind in _VOTES:
                self._vote(Request(frame, age_ms), now_ms, out)

    def _shown(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        """Take in under which configuration a node is."""
        if self._voter is not None and self._voter.is_news(frame.node, frame.cfgver):
            self._vote(Showed(frame.node, frame.cfgver), now_ms, out)

    def _refuse(self, why: str) -> None:
        self.refused[why] = self.refused.get(why, 0) + 1

    def _now_inc(self) -> int:
        return self._inc if self._voter is None else self._voter.state.inc

    def _look_at_myself(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        """Begin as a blank voter where a node has heard a start that the disk knows nothing of."""
        echo, now_inc = frame.echo.get(WITNESS), self._now_inc()
        if echo is None or echo.inc == now_inc or not self._known_inc < echo.inc < INC_MAX:
            return
        self._inc = self._known_inc = max(now_inc, echo.inc)
        if self._kept is not None:
            sentence = f"{self.site}: votes for nobody: node {frame.node} knows of a later start"
            out.append(Explain(sentence, {"node": frame.node, "inc": echo.inc}))
            self._begin(replace(self._kept, state=self._blank()), now_ms, out)

    def _blank(self) -> VoterState:
        seed = self._boot + self._life.to_bytes(8, "big")
        blank = VoterState.blank(blake2b(seed, digest_size=VOTER_ID_BYTES).digest())
        return replace(blank, inc=self._inc)

    # -- what the site's file says -------------------------------------------------------------

    def _enlist(
        self, name: str, frame: LeaseFrame, age_ms: int | None, now_ms: int, out: list[Effect]
    ) -> None:
        """Answer whether this witness votes by the file of the one who asks, and would."""
        enlistment = frame.enlistment
        if enlistment is None or (name not in self._said and len(self._said) >= HA_NODES_MAX):
            self._refuse("enlistment")
            return
        if age_ms is None or age_ms > enlistment.age_ms_max:
            self._answer(name, frame, STALE, now_ms, out)
            return
        self._said[name] = (frame.node, enlistment)
        self._agree(enlistment, now_ms, out)
        kept, voter = self._kept, self._voter
        if kept is None or voter is None or kept.enlistment != enlistment:
            self._answer(name, frame, UNLIKE, now_ms, out)
        elif kept.names.get(name) == frame.node:
            self._shown(frame, now_ms, out)
            self._answer(name, frame, voter.lacks(now_ms), now_ms, out)

    def _agree(self, enlistment: Enlistment, now_ms: int, out: list[Effect]) -> None:
        """Vote by a file from now on that every node of the site has said, each by its own name."""
        names = {each: n for each, (n, said) in self._said.items() if said == enlistment}
        kept = self._kept
        is_known = kept is not None and (kept.enlistment, kept.names) == (enlistment, names)
        if sorted(names.values()) == sorted(enlistment.nodes) and not is_known:
            state = self._blank() if self._voter is None else self._voter.state
            self._begin(Kept(VERSION, enlistment, names, state), now_ms, out)

    def _answer(
        self, name: str, asked: LeaseFrame, reason: str, now_ms: int, out: list[Effect]
    ) -> None:
        kind = Kind.REFUSE if reason else Kind.GRANT
        said = Send(
            asked.node, kind, asked.name, 0, asked.nonce, asked.owner, asked.owner_boot,
            reason=reason,
        )  # fmt: skip
        self._tell(name, said, now_ms, out)

    def _begin(self, kept: Kept, now_ms: int, out: list[Effect]) -> None:
        """Start a voter; what the one before had on its way to the disk is never answered."""
        self._life += 1
        self._kept = kept
        self._voter = Voter(
            WITNESS,
            kept.enlistment.electorate,
            kept.enlistment.terms,
            dict(kept.enlistment.leases),
            state=kept.state,
            boot=self._boot,
            guarded=False,
            ask_ms=ASK_MS,
            is_wary=True,
        )
        self._vote(Begin(), now_ms, out)

    # -- the voter -----------------------------------------------------------------------------

    def _vote(self, event: VoterEvent, now_ms: int, out: list[Effect]) -> None:
        voter, kept = self._voter, self._kept
        if voter is None or kept is None:
            return
        for effect in voter.handle(event, now_ms):
            match effect:
                case Send():
                    names = [name for name, node in kept.names.items() if node == effect.to]
                    self._tell(names[0] if names else "", effect, now_ms, out)
                case Persist(token, state):
                    out.append(Keep(self._life, token, replace(kept, state=state)))
                case Explain(sentence, evidence):
                    out.append(Explain(f"{self.site}: {sentence}", evidence))
                case Bound() | Configured():
                    pass  # nothing here holds a lease
                case _:
                    assert_never(effect)

    def _tell(self, name: str, send: Send, now_ms: int, out: list[Effect]) -> None:
        """Say something, unless this start of the voter is not on disk yet."""
        voter = self._voter
        if not name or (voter is not None and not voter.has_begun):
            return
        fields = {each: getattr(send, each) for each in send.__struct_fields__}
        frame = LeaseFrame(
            site=self.site, node=WITNESS, boot=self._boot, inc=self._now_inc(), path=0,
            seq=self._hearing.sent(now_ms), boot_ms=now_ms, period_ms=0, lhm=1,
            cfgver=0 if voter is None else voter.electorate.cfgver,
            echo=self._hearing.echoes(now_ms), **fields,
        )  # fmt: skip
        out.append(Tell(name, frame))
