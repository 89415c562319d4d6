"""What a simulated node says and hears: frames, beats, and freshness by echo as one number a peer.

Membership is a model of its own: a peer whose last echo is older than eight beats is lost.
"""

from typing import TYPE_CHECKING

from roost_agent.ha.lease_events import Believed, Proof, Received, ViewChanged
from roost_agent.ha.proposer_events import Answered
from roost_agent.ha.view import View
from roost_protocol.configuration import SITE_LEASE, WITNESS
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.voter_events import Request, Send

if TYPE_CHECKING:
    from sim.ha.node import Node

VOTES = frozenset({Kind.PREVOTE, Kind.ACQUIRE, Kind.RENEW, Kind.FENCE_CONFIRM})
ANSWERS = frozenset({Kind.GRANT, Kind.REFUSE, Kind.YIELD, Kind.CFG_ACCEPT})
CHANGES = frozenset({Kind.CFG_PROPOSE, Kind.CFG_COMMIT})
LOST_BEATS = 8
KEPT, PRUNED = 1_024, 256  # frames of our own whose time is remembered


class Radio:
    """See the module."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.world = node.world

    def agent_start(self) -> None:
        """Begin with nothing heard."""
        self._seq = 0
        self._sent: dict[int, int] = {}
        self._heard: dict[int, tuple[int, int, int]] = {}  # peer -> inc, seq, when
        self._believed: dict[tuple[int, str], tuple] = {}  # what a peer's last beat said of a lease
        self._alive: dict[int, int] = {}  # peer -> local ms of my frame that it echoed
        self._since = self.node.local()

    # -- what it says --------------------------------------------------------------------------

    def send(self, send: Send) -> None:
        """Send a lease frame, to this node itself without a network."""
        node = self.node
        state = node.voter.state
        frame = LeaseFrame(
            site="lab", node=node.index, boot=node.boot, inc=state.inc, path=0, seq=0, boot_ms=0,
            period_ms=0, lhm=1, cfgver=node.voter.electorate.cfgver, echo={}, to=send.to,
            kind=send.kind, name=send.name, epoch=send.epoch, nonce=send.nonce, owner=send.owner,
            owner_boot=send.owner_boot, max_epoch=send.max_epoch, remaining_ms=send.remaining_ms,
            watchdog_ms=send.watchdog_ms, reason=send.reason, successor=send.successor,
            cfg=send.cfg, accepted=send.accepted, epochs=send.epochs,
        )  # fmt: skip
        self._tell_checkers(frame)
        if send.to == node.index:
            self.obey(frame, 0)
            return
        now = node.local()
        if send.to == WITNESS:
            node.coordinator.send_afar(frame, send, now)
            return
        echo = self._header(now)
        self.world.transmit(
            node.index, send.to, "frame", (state.inc, self._seq, echo.get(send.to), frame)
        )

    def beat(self, now: int) -> None:
        """Tell every peer what this node believes of each lease."""
        node = self.node
        echo = self._header(now)
        beliefs = {name: group.lease.belief(now) for name, group in node.groups.items()}
        inc = node.voter.state.inc
        life = None
        if node.site is not None:
            life = (node.boot, inc, node.voter.electorate.cfgver)
            beliefs[SITE_LEASE] = node.site.belief(now)
        for peer in range(self.world.plan.nodes):
            if peer != node.index:
                message = (inc, self._seq, echo.get(peer), (beliefs, life))
                self.world.transmit(node.index, peer, "beaten", message)

    def _header(self, now: int) -> dict:
        self._seq += 1
        self._sent[self._seq] = now
        if self._seq % PRUNED == 0:
            for old in range(self._seq - KEPT, self._seq - KEPT + PRUNED):
                self._sent.pop(old, None)
        return {peer: (inc, seq, now - at) for peer, (inc, seq, at) in self._heard.items()}

    # -- what it hears -------------------------------------------------------------------------

    def frame(self, sender: int, inc: int, seq: int, echo: tuple | None, frame: LeaseFrame) -> None:
        """Take in a lease frame of a peer."""
        node = self.node
        now = node.local()
        self._hear(sender, inc, seq, echo, now)
        if self.world.has_site:
            node.coordinator.shown(sender, (frame.boot, frame.inc, frame.cfgver))
            if node.voter is None:
                return
        age = None
        if echo is not None and echo[0] == node.voter.state.inc and echo[1] in self._sent:
            age = now - (self._sent[echo[1]] + echo[2])
        self.obey(frame, age)

    def obey(self, frame: LeaseFrame, age: int | None) -> None:
        """Hand a frame to the voter, to the lease that it names, or to who proposes changes."""
        node, kind = self.node, frame.kind
        if kind not in ANSWERS:
            self._answering = frame
            node.vote(Request(frame, age))
            self._answering = None
        if kind is Kind.CFG_ACCEPT:
            node.coordinator.propose(Answered(frame))
        elif kind not in VOTES and kind not in CHANGES and node.has_begun:
            node.of(frame.name)(Received(frame, age))

    _answering: LeaseFrame | None = None

    def beaten(self, sender: int, inc: int, seq: int, echo: tuple | None, said: tuple) -> bool:
        """Take in a beat; True where no lease has anything to learn from it."""
        node = self.node
        beliefs, life = said
        is_new = self._hear(sender, inc, seq, echo, node.local())
        if node.coordinator is not None:
            node.coordinator.shown(sender, life)
        if node.voter is None or not is_new or not node.has_begun:
            return True
        is_quiet = True
        for name in (SITE_LEASE, *node.groups):
            lease, belief = node.lease_of(name), beliefs.get(name)
            if lease is None or belief is None:
                continue
            told = (belief.epoch, belief.holder, belief.state, lease)
            if self._believed.get((sender, name)) == told:
                continue
            self._believed[sender, name] = told
            node.of(name)(Believed(sender, belief))
            is_quiet &= name == SITE_LEASE  # whose next tick comes with the next beat
            if not node.has_begun:
                break
        return is_quiet

    def _hear(self, sender: int, inc: int, seq: int, echo: tuple | None, now: int) -> bool:
        last = self._heard.get(sender)
        is_new = last is None or (inc, seq) > last[:2]
        if is_new:
            self._heard[sender] = (inc, seq, now)
        if echo is not None and echo[0] == self.node.voter.state.inc and echo[1] in self._sent:
            at = self._sent[echo[1]]
            if at > self._alive.get(sender, -1):
                self._alive[sender] = at
                self.world.checkers.alive(self.node.index, sender, self.node.true(at))
        return is_new

    # -- whom it sees --------------------------------------------------------------------------

    def look(self, now: int) -> None:
        """Reckon whom this node sees."""
        node = self.node
        timing = self.world.plan.timing
        seen, lost = {node.index}, set()
        for peer in range(self.world.plan.nodes):
            if peer != node.index:
                age = now - max(self._alive.get(peer, -1), self._since)
                if age > LOST_BEATS * timing.beat_ms:
                    lost.add(peer)
                elif peer in self._alive:
                    seen.add(peer)
        rank = sum(peer < node.index for peer in seen)
        if node.coordinator is not None and node.coordinator.sees_witness(now):
            seen.add(WITNESS)
        view = View(frozenset(seen), frozenset(lost), rank=rank)
        for name in (*node.groups, SITE_LEASE):
            lease = node.lease_of(name)
            if lease is not None and view != lease.view:
                node.of(name)(ViewChanged(view))
        if node.has_begun:
            for peer in sorted(lost):
                self._read_power(peer)

    def _read_power(self, peer: int) -> None:
        node, other = self.node, self.world.nodes[peer]
        is_blind = not self.world.plan.has_bmc or self.world.plan.starts_alone
        if is_blind or other.is_on or not node.has_begun:
            return
        for name in self.world.watchdogs:
            promise = node.voter.promise(name, node.local())
            boot = promise.boot if promise and promise.owner == peer else other.boot
            self.world.checkers.proven.add((peer, boot))
            self.world.checkers.met["a proof of death"] += 1
            node.of(name)(Proof(peer, boot, "its power is off"))

    # -- what the checkers are told ------------------------------------------------------------

    def _tell_checkers(self, frame: LeaseFrame) -> None:
        checkers, kind = self.world.checkers.of.get(frame.name), frame.kind
        if checkers is None:
            return
        if kind is Kind.GRANT:
            if frame.owner == frame.to and not frame.reason:
                self._told_grant(frame)
        elif kind is Kind.RELEASE and frame.to != self.node.index:
            checkers.released(frame.epoch)
        elif kind is Kind.ATTEST and frame.owner is not None:
            checkers.attested(frame.to, self.node.index, frame.epoch)

    def _told_grant(self, frame: LeaseFrame) -> None:
        """Tell the grants of requests from the receipts of releases, which look the same."""
        asked = self._answering
        if asked is not None and asked.kind in VOTES and asked.kind is not Kind.FENCE_CONFIRM:
            is_prevote = asked.kind is Kind.PREVOTE
            checkers = self.world.checkers.of[frame.name]
            checkers.granted(self.node.index, frame.epoch, is_prevote=is_prevote)
