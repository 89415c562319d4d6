"""What must hold of a site at every moment, on true time. Shares no code with the product.

The names are those of docs/ha.md. What is of one lease is in lease_checks.py. Where a checker looks
into a node it reads promises and epochs, and reckons with them itself.
"""

from collections import Counter
from typing import TYPE_CHECKING

from sim.ha.lease_checks import LeaseChecks

if TYPE_CHECKING:
    from sim.ha.node import Node
    from sim.ha.world import World

    from roost_protocol.electorate import Electorate

TOLD_MAX = 5  # violations of a run


class Checkers:
    """See the module.

    Attributes:
        met: how often a run came to a place.
        of: the checkers of each lease that runs something.
        configurations: cfgver to who votes, and how.
        proven: nodes and their boots of which a proof was told.
        any_sticky: whether a pair voted at any time.
        moved_at: when anything that counts for the end changed last, true ms.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.violations: list[str] = []
        self.met: Counter[str] = Counter()
        self.configurations: dict[int, tuple] = {}
        self.proven: set[tuple[int, bytes]] = set()
        self.any_sticky = world.plan.sticky
        self.moved_at = 0
        self._under: dict[int, int] = {}  # node -> cfgver
        self.of = {name: LeaseChecks(world, self, name) for name in world.plan.groups}

    @property
    def running(self) -> dict[int, int]:
        """Who runs the group ``main``, and its epoch."""
        return self.of["main"].running

    @property
    def activations(self) -> list[tuple[int, int, int]]:
        """Of the group ``main``: true time, node, epoch."""
        return self.of["main"].activations

    def violate(self, text: str) -> None:
        """Write down a violation; one run needs no more than a few."""
        if len(self.violations) < TOLD_MAX:
            self.violations.append(f"{self._world.now} ms: {text}")

    def started(self, voter: int) -> None:
        """Take in that a voter's agent started: it has nobody's word any more."""
        for each in self.of.values():
            each.started(voter)

    def forgot(self, voter: int) -> None:
        """Take in that a voter's disk is gone, or an older one."""
        for each in self.of.values():
            each.forgot(voter)

    def alive(self, node: int, peer: int, as_of: int) -> None:
        """See that a peer was up when a node takes it to have been (I9); true time."""
        up = self._world.nodes[peer].up_until
        if as_of > up:
            self.violate(f"I9: node {node} takes {peer} for alive at {as_of}, it was until {up}")

    def adopted(self, node: int, electorate: "Electorate") -> None:
        """Take in under which configuration a node is from now on (I8)."""
        told = (electorate.voters, electorate.sticky)
        if self._under.get(node, 0) < electorate.cfgver:
            self._under[node], self.moved_at = electorate.cfgver, self._world.now
        known = self.configurations.setdefault(electorate.cfgver, told)
        self.any_sticky |= electorate.sticky
        if known != told:
            self.violate(f"I8: node {node} adopts {told} as {electorate.cfgver}, which is {known}")
        if electorate.cfgver != self._world.electorate.cfgver:
            self.met["a change was adopted"] += 1
            before = self.configurations.get(electorate.cfgver - 1)
            if before is not None and before[1] != told[1]:
                self.met["into sticky" if told[1] else "out of sticky"] += 1

    def under(self, node: int) -> int:
        """Return the configuration under which a node is."""
        return self._under.get(node, self._world.electorate.cfgver)

    def holds_site(self, node: "Node", epoch: int) -> None:
        """See that nobody else holds the built-in lease still (I1)."""
        self.met["site was held"] += 1
        mains = [each.index for each in self._world.nodes if each.index in self.running]
        if mains and mains != [node.index]:
            self.met["site was held apart from main"] += 1
        for other in self._world.nodes:
            lease = other.site
            if other is node or lease is None or lease.phase != "holding" or not other.is_on:
                continue
            if lease.valid_ms is None or other.true(lease.valid_ms) > self._world.now:
                self.violate(f"I1: {node.index} and {other.index} hold site ({epoch})")

    def rights(self) -> None:
        """See that whoever runs is covered by the promises of enough voters (I4)."""
        for each in self.of.values():
            each.rights()

    def is_settled(self, for_ms: int) -> bool:
        """Whether one runs of each group, and nothing moved for so long."""
        if self._world.now - self.moved_at <= for_ms:
            return False
        return all(each.is_settled(for_ms) for each in self.of.values())

    def final(self) -> None:
        """See that a healed site is under one configuration, and runs each group once (I8, I14)."""
        far = {n.voter.electorate.cfgver for n in self._world.nodes if n.voter is not None}
        if len(far) > 1:
            self.violate(f"I8: after the healing the nodes are under {sorted(far)}")
        for each in self.of.values():
            each.final()
