"""What runs between the parts of one core: each one's effects go to whom they are for.

To the voter, a lease, membership, the proposer, or out to the shells, in the order in which they
must happen. Decides nothing itself; leaves to others: which event a part is given (core, hearing,
giving).
"""

from collections import deque
from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha import membership_events as mb
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.known import Known
from roost_agent.ha.lacking import Lacking
from roost_agent.ha.member_words import explained
from roost_agent.ha.own_frames import OwnFrames, Said
from roost_agent.ha.proposer_events import Event as ProposerEvent
from roost_agent.ha.redundancy import RedundancyState
from roost_protocol.configuration import WITNESS
from roost_protocol.explain import Explain
from roost_protocol.voter_events import Bound, Configured, Persist, Rests, Send, Won
from roost_protocol.voter_events import Event as VoterEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from roost_protocol.ha import LeaseFrame


class Exchange:
    """See the module.

    Args:
        known: the parts.

    Attributes:
        worse: what follows where this node has become worse connected than another.
        out: effects for the shells.
        to_self: this node's frames to itself: what it asks of its own voter needs no network.
    """

    def __init__(self, known: Known) -> None:
        self.worse: Callable[[int], None] = lambda _now_ms: None
        self.out: list[ev.Effect] = []
        self.to_self: deque[LeaseFrame] = deque()
        self._known = known
        self._lacking = Lacking()
        self._last_holder: dict[str, int] = {}
        said = known.who, known.config
        rest = known.members, known.voter
        self._frames = OwnFrames(*said, known.fresh, *rest)
        self._frames_to: dict[int, OwnFrames] = {}  # numbered apart from those of the site's paths
        if known.witness is not None:
            self._frames_to[WITNESS] = OwnFrames(*said, known.witness.fresh, *rest)

    def member(self, event: mb.Event, now_ms: int) -> None:
        """Give membership an event; what changed is told to the leases."""
        actions = self._known.members.handle(event, now_ms)
        for action in actions:
            if isinstance(action, mb.RedundancyChanged):
                self.out.append(ev.Keep(action.state))
            self.out.append(explained(action, self._known.name_of, self._known.title_of))
            if isinstance(action, mb.RedundancyChanged) and action.state is RedundancyState.FAILED:
                self.worse(now_ms)
        if actions:
            self.tell_views(now_ms)

    def vote(self, event: VoterEvent, now_ms: int) -> None:
        """Give this node's voter an event."""
        for effect in self._known.voter.handle(event, now_ms):
            match effect:
                case Send():
                    self.send(effect, now_ms)
                case Bound():
                    self.lease(effect.name, effect, now_ms)
                case Configured():
                    self._configured(effect, now_ms)
                case Persist() | Explain():
                    self.out.append(effect)
                case _:
                    assert_never(effect)

    def propose(self, event: ProposerEvent | None, now_ms: int) -> None:
        """Give the one who proposes other voters an event, or the time alone."""
        for effect in self._known.electing.propose(event, now_ms):
            match effect:
                case Send():
                    self.send(effect, now_ms)
                case le.Answer():
                    self.out.append(effect)
                case Explain(sentence, evidence):
                    told = {"group": SITE_LEASE, "own": True, **evidence}
                    self.out.append(Explain(sentence, told))
                case _:
                    assert_never(effect)

    def lease(self, name: str, event: le.Event, now_ms: int) -> None:
        """Give a lease an event, once there is one of that name."""
        lease = self._known.leases.get(name)
        if lease is None:
            return
        self._effects(name, lease.handle(event, now_ms), now_ms)
        if lease.holder is not None and lease.holder != self._last_holder.get(name):
            was, self._last_holder[name] = self._last_holder.get(name), lease.holder
            if was is not None and name != SITE_LEASE:
                self.member(mb.Replaced(was), now_ms)

    def beat(self, said: Said, now_ms: int) -> None:
        """Send a beat that says this."""
        self.out.append(ev.Send(self._frames.beat(said, now_ms)))

    def send(self, send: Send, now_ms: int) -> None:
        """Send what a voter or a lease has to say, to this node itself without a network."""
        frame = self._frames_to.get(send.to, self._frames).lease_frame(send, now_ms)
        if send.to == self._known.who.node:
            self.to_self.append(frame)
        else:
            self.out.append(ev.Send(frame))

    def tell_views(self, now_ms: int) -> None:
        """Tell every lease whom this node hears."""
        for name in self._known.leases:
            view = self._known.members.view(self._known.hosts[name], now_ms)
            if self._known.is_there(WITNESS, now_ms):
                view = replace(view, seen=view.seen | {WITNESS})
            self.lease(name, le.ViewChanged(view), now_ms)

    def tell_eligible(self, now_ms: int) -> None:
        """Tell every lease whether this node may stand for it."""
        for name in self._known.leases:
            why = self._known.bar(name)
            ok = not why and self._known.slots.is_mine(name, now_ms)
            self.lease(name, le.Eligible(ok=ok, why=why), now_ms)

    def lacks(self, who: str, sentence: str) -> None:
        """Raise or clear that a proof lacks; see Lacking."""
        self.out += self._lacking.told(who, sentence)

    def _configured(self, configured: Configured, now_ms: int) -> None:
        for node in self._known.electing.adopt(configured):
            if not self._known.members.is_there(node):
                self._known.fresh.forget(node)
        for name in self._known.leases:
            self.lease(name, configured, now_ms)
        self.propose(configured, now_ms)

    def _effects(self, name: str, effects: list[le.Effect], now_ms: int) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self.send(effect, now_ms)
                case Rests() | Won():
                    self.vote(effect, now_ms)
                case le.RoundWon():
                    self.propose(effect, now_ms)
                case le.Arm() | le.Disarm() | le.Start() | le.Stop():
                    self._act(name, effect, now_ms)
                case le.Raise(_, sentence):
                    self.lacks(name, sentence)
                case le.Clear():
                    self.lacks(name, "")
                case le.Answer():
                    self.out.append(effect)
                case Explain(sentence, evidence):
                    told = {"group": name, "own": True, **evidence}  # not a voter's word
                    self.out.append(Explain(sentence, told))
                case _:
                    assert_never(effect)

    def _act(self, name: str, effect: le.Arm | le.Disarm | le.Start | le.Stop, now_ms: int) -> None:
        """Have it done; the built-in lease runs nothing, so it is done at once and unguarded."""
        is_bare = name == SITE_LEASE
        lease = self._known.leases[name]
        match effect:
            case le.Arm(epoch, deadlines):
                if is_bare:
                    self.lease(name, le.Armed(epoch, deadlines is not None), now_ms)
                else:
                    self.out.append(ev.Arm(name, epoch, deadlines))
            case le.Disarm(epoch):
                if is_bare:
                    self.lease(name, le.Disarmed(epoch), now_ms)
                else:
                    self.out.append(ev.Disarm(name, epoch))
            case le.Start(epoch):
                if not is_bare:
                    self.out.append(ev.Start(name, epoch))
            case le.Stop(epoch, why):
                if is_bare:
                    self.lease(name, le.StopConfirmed(epoch), now_ms)
                    return
                margin_ms = self._known.config.timing.margin_ms
                by_ms = None if lease.valid_ms is None else lease.valid_ms - margin_ms // 2
                self.out.append(ev.Stop(name, epoch, why, by_ms))
            case _:
                assert_never(effect)
