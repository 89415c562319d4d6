"""What a simulated node does about the built-in lease ``site``: hold it, change voters, ask afar.

The lease runs nothing, so nothing guards it. The proposer and the Witness are the product's.
"""

from typing import TYPE_CHECKING

import msgspec
from sim.ha.centre import site_file

from roost_agent.ha.freshness import Heard
from roost_agent.ha.lease_events import (
    Arm,
    Armed,
    Disarm,
    Disarmed,
    Eligible,
    GuardState,
    Order,
    RoundWon,
    Start,
    Stop,
    StopConfirmed,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.proposer import Proposer
from roost_agent.ha.proposer_events import Shown, Wanted
from roost_agent.ha.proposer_events import Tick as ProposerTick
from roost_agent.ha.start import Who
from roost_agent.ha.witness import Witness
from roost_protocol.configuration import SITE_LEASE, WITNESS
from roost_protocol.ha import LeaseFrame
from roost_protocol.voter_events import Configured, Rests, Send, Showed, Won

if TYPE_CHECKING:
    from sim.ha.node import Node

    from roost_agent.ha.lease import Lease


class Coordinator:
    """See the module; without a lease until this start of the agent is on disk."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.world = node.world
        self.lease: Lease | None = None
        self.proposer: Proposer | None = None
        self.afar: Witness | None = None

    def agent_start(self) -> None:
        """Begin with nothing known."""
        self.lease = self.proposer = self.afar = None
        self._showed: dict[int, tuple] = {}

    def look_for_witness(self) -> None:
        """Begin with the witness, if the site has one, once this start is counted."""
        node, world = self.node, self.world
        if world.plan.wan is not None:
            who = Who("lab", node.index, node.boot, node.voter.state.inc)
            self.afar = Witness(who, site_file(world), world.watchdogs, node.local())
            self._absent: dict[int, int] = {}

    def agent_end(self) -> None:
        """End."""
        self.lease = self.proposer = None

    def create(self) -> None:
        """Begin with what this start of the agent has on disk."""
        node, plan = self.node, self.world.plan
        self.lease = node.new_lease(SITE_LEASE, node.voter.electorate.local, 0, 0)
        self.proposer = Proposer(
            node.index, node.boot, electorate=node.voter.electorate, timing=plan.timing,
            watchdog_ms=plan.watchdog_ms,
            hosts={name: self.world.hosts_of(name) for name in node.groups},
            nonce=self.lease.nonce, epochs=node.voter.epochs,
        )  # fmt: skip

    def begin(self, configured: Configured) -> None:
        """Stand for it."""
        self.handle(configured)
        self.handle(Eligible(True))
        self.handle(GuardState())

    def handle(self, event: object) -> None:
        """Let the lease see to something, and do what it says."""
        if self.lease is None:
            return
        for effect in self.lease.handle(event, self.node.local()):
            kind = type(effect)
            if kind is Send:
                self.node.radio.send(effect)
            elif kind is Rests or kind is Won:
                self.node.vote(effect)
            elif kind is RoundWon:
                self.propose(effect)
            elif kind is Start:
                self.world.checkers.holds_site(self.node, effect.epoch)
            else:
                self._unguarded(effect)
            if self.lease is None:
                return

    def _unguarded(self, effect: object) -> None:
        """Do at once what a guard and services would have to."""
        if type(effect) is Arm:
            self.handle(Armed(effect.epoch, effect.deadlines is not None))
        elif type(effect) is Disarm:
            self.handle(Disarmed(effect.epoch))
        elif type(effect) is Stop:
            self.handle(StopConfirmed(effect.epoch))

    def order(self) -> None:
        """Give it back, if it is held here."""
        if self.lease is not None and self.lease.phase == Phase.HOLDING:
            self.node.take(self.node.life, self.handle, Order("asked to"))

    # -- other voters --------------------------------------------------------------------------

    def propose(self, event: object = None) -> None:
        """Let the one who proposes changes see to something, after what is true now."""
        if self.proposer is None:
            return
        epoch = self.lease.epoch if self.lease.phase == Phase.HOLDING else 0
        now = self.node.local()
        effects = self.proposer.handle(ProposerTick(epoch, self.lease.view.seen), now)
        if event is not None:
            effects += self.proposer.handle(event, now)
        for effect in effects:
            if type(effect) is Send:
                self.node.radio.send(effect)
            if self.proposer is None:
                return

    def shown(self, sender: int, life: tuple | None) -> None:
        """Take in under which configuration, and in which life, a peer is."""
        if life is None:
            return
        boot, inc, cfgver = life
        if self.node.voter.is_news(sender, cfgver):
            self.node.vote(Showed(sender, cfgver))
        if self._showed.get(sender) != (life, self.proposer):
            self._showed[sender] = (life, self.proposer)
            self.propose(Shown(sender, boot, inc, cfgver))

    def want(self, node: int) -> bool:
        """Ask for another voter, or one less; True where it was taken."""
        if self.proposer is None or not self.node.is_able or not self.proposer._epoch:
            return False
        is_added = node not in self.node.voter.electorate.voters
        (answer,) = self.proposer.handle(Wanted(node, is_added=is_added), self.node.local())
        self.propose()
        return answer.ok

    # -- the witness at the centre -------------------------------------------------------------

    def sees_witness(self, now: int) -> bool:
        """Whether the witness is there, as far as this node knows."""
        return self.afar is not None and self.afar.is_there(now)

    def look_afar(self, now: int) -> None:
        """Ask the witness whether it is there, and have it vote or not; as the core does."""
        if self.afar is None or self.lease is None:
            return
        for question in self.afar.probe(self.node.voter.state.voter_id, now):
            self.node.radio.send(question)
        nodes, seen = range(self.world.plan.nodes), self.lease.view.seen
        self._absent = {n: self._absent.get(n, now) for n in nodes if n not in seen}
        if self.lease.phase != Phase.HOLDING or self.proposer.is_changing:
            return
        wanted = self.afar.wanted(self.node.voter.electorate, self._absent, now)
        if wanted is not None:
            self.propose(wanted)

    def send_afar(self, frame: LeaseFrame, send: Send, now: int) -> None:
        """Have a frame on its way to the witness."""
        if self.afar is None:
            return
        fresh = self.afar.fresh
        frame = msgspec.structs.replace(
            frame, seq=fresh.sent(now), boot_ms=now, echo=fresh.echoes(now),
            enlistment=send.enlistment,
        )  # fmt: skip
        centre = self.world.centre
        centre.carry(self.node.index, centre.take, f"n{self.node.index}", frame)

    def hear_afar(self, frame: LeaseFrame) -> None:
        """Have a frame of the witness on its way."""
        if self.node.voter is not None:
            self.node.take(self.node.life, self._afar_in, frame)

    def _afar_in(self, frame: LeaseFrame) -> None:
        now = self.node.local()
        if not isinstance(self.afar.fresh.heard(0, frame, now, is_beat=False), Heard):
            return
        self.shown(WITNESS, (frame.boot, frame.inc, frame.cfgver))
        if self.node.voter is not None and not self.afar.heard(frame, now):
            self.node.radio.obey(frame, self.afar.fresh.request_age_ms(frame, now))
