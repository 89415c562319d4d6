"""What must hold of a site at every moment, on true time. Shares no code with the product.

The names are those of docs/ha.md. Where a checker looks into a node it reads promises and epochs,
and reckons with them itself.
"""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.ha.node import Node
    from sim.ha.world import World

    from roost_protocol.electorate import Electorate


class Checkers:
    """See the module."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.violations: list[str] = []
        self.met: Counter[str] = Counter()
        self.running: dict[int, int] = {}  # node -> epoch, at the resource
        self.activations: list[tuple[int, int, int]] = []  # true time, node, epoch
        self._owners: dict[int, int] = {}  # epoch -> owner
        self._granted: dict[int, int] = {}  # voter -> highest epoch it ever granted
        self._attested: dict[int, set[int]] = {}  # voter -> who attested since its start
        self._released: set[int] = set()
        self._proven: set[tuple[int, bytes]] = set()
        self._moved_at = 0
        self._configurations: dict[int, tuple] = {}  # cfgver -> who, and how
        self._under: dict[int, int] = {}  # node -> cfgver
        self._until: dict[int, int] = {}  # epoch -> the last end of its right, true ms
        self._endless: set[int] = set()  # epochs that the guard has without an end
        self._any_sticky = world.plan.sticky

    def violate(self, text: str) -> None:
        """Write down a violation; one run needs no more than a few."""
        if len(self.violations) < 5:
            self.violations.append(f"{self._world.now} ms: {text}")

    # -- the resource --------------------------------------------------------------------------

    def runs(self, node: int, epoch: int, *, is_new: bool) -> None:
        """Take in that a node's service acts from now on (I1, I2, I3, I12)."""
        others = {other: e for other, e in self.running.items() if other != node}
        if others:
            self.violate(f"I1: node {node} (epoch {epoch}) runs beside {others}")
        self.running[node] = epoch
        self._moved_at = self._world.now
        if self._owners.setdefault(epoch, node) != node:
            self.violate(f"I2: epoch {epoch} of node {self._owners[epoch]} is run by {node}")
        if not is_new:
            return
        if self.activations:
            _, was, before = self.activations[-1]
            if epoch < before and not self._any_sticky:
                self.violate(f"I3: epoch {epoch} follows {before}")
            if was != node:
                self.met["another node took over"] += 1
                self._moved(was, before, node)
        self.activations.append((self._world.now, node, epoch))

    def _moved(self, was: int, epoch: int, node: int) -> None:
        """See that the right of before had ended, whatever the network did to frames (I10, I12)."""
        is_over = self._until.get(epoch, 0) <= self._world.now or epoch in self._released
        is_proven = (was, self._world.boot_of_epoch.get(epoch)) in self._proven
        if not is_over and is_proven:
            self.met["a right moved by proof before its end"] += 1
        elif not is_over:
            self.violate(f"I10: node {node} follows {was}, whose right ends {self._until[epoch]}")
        if epoch in self._endless and epoch not in self._released:
            boot = self._world.boot_of_epoch.get(epoch, b"")
            # A host that votes no more keeps no record: what it asks after a boot is its word.
            is_word = self._world.has_site and self._world.nodes[was].boot != boot
            if (was, boot) not in self._proven and not is_word:
                self.violate(f"I12: node {node} follows {was} without its word and without proof")
            self.met["a sticky right moved by proof"] += 1

    def rests(self, node: int) -> None:
        """Take in that a node's service acts no more."""
        if self.running.pop(node, None) is not None:
            self._moved_at = self._world.now

    # -- what was said -------------------------------------------------------------------------

    def released(self, epoch: int) -> None:
        """Take in that an owner gave an epoch back."""
        self._released.add(epoch)
        if epoch in self.running.values():
            self.violate(f"I4: epoch {epoch} is given back while it runs")

    def proven(self, node: int, boot: bytes) -> None:
        """Take in a proof, which must be true."""
        self._proven.add((node, boot))

    def started(self, voter: int) -> None:
        """Take in that a voter's agent started: it has nobody's word any more."""
        self._attested[voter] = set()

    def attested(self, voter: int, node: int, epoch: int) -> None:
        """Take in that a node tells a voter what it holds, which must be true (I7)."""
        self._attested.setdefault(voter, set()).add(node)
        if self.running.get(node, epoch) != epoch:
            self.violate(f"I7: node {node} attests {epoch}, runs epoch {self.running[node]}")

    def granted(self, voter: int, epoch: int, *, is_prevote: bool) -> None:
        """Take in a grant (I6, I7)."""
        node = self._world.voter(voter)
        others = set(range(self._world.plan.nodes))
        if node.is_in_boot_wait() and not others <= self._attested.get(voter, set()):
            self.violate(f"I7: node {voter} grants {epoch} in its boot wait")
        if not is_prevote:
            self._granted[voter] = max(self._granted.get(voter, 0), epoch)

    def recovered(self, voter: int, max_epoch: int) -> None:
        """Compare what a voter's disk knows with what it granted (I6)."""
        if max_epoch < self._granted.get(voter, 0):
            self.violate(f"I6: node {voter} knows {max_epoch}, granted {self._granted[voter]}")

    def forgot(self, voter: int) -> None:
        """Take in that a voter's disk is gone, or an older one."""
        self._granted.pop(voter, None)

    # -- rights --------------------------------------------------------------------------------

    def alive(self, node: int, peer: int, as_of: int) -> None:
        """See that a peer was up when a node takes it to have been (I9); true time."""
        up = self._world.nodes[peer].up_until
        if as_of > up:
            self.violate(f"I9: node {node} takes {peer} for alive at {as_of}, it was until {up}")

    def adopted(self, node: int, electorate: "Electorate") -> None:
        """Take in under which configuration a node is from now on (I8)."""
        told = (electorate.voters, electorate.sticky)
        if self._under.get(node, 0) < electorate.cfgver:
            self._under[node], self._moved_at = electorate.cfgver, self._world.now
        known = self._configurations.setdefault(electorate.cfgver, told)
        self._any_sticky |= electorate.sticky
        if known != told:
            self.violate(f"I8: node {node} adopts {told} as {electorate.cfgver}, which is {known}")
        place = electorate.cfgver - self._world.electorate.cfgver
        if place:
            self.met["a change was adopted"] += 1
            before = self._configurations.get(electorate.cfgver - 1)
            if before is not None and before[1] != told[1]:
                self.met["into sticky" if told[1] else "out of sticky"] += 1

    def armed(self, epoch: int, *, is_endless: bool) -> None:
        """Take in what a guard was given."""
        if is_endless:
            self._endless.add(epoch)
        else:
            self._endless.discard(epoch)

    def holds_site(self, node: "Node", epoch: int) -> None:
        """See that nobody else holds the built-in lease still (I1)."""
        for other in self._world.nodes:
            lease = other.site
            if other is node or lease is None or lease.phase != "holding" or not other.is_on:
                continue
            if lease.valid_ms is None or other.true(lease.valid_ms) > self._world.now:
                self.violate(f"I1: {node.index} and {other.index} hold site ({epoch})")

    def rights(self) -> None:
        """See that whoever runs is covered by the promises of enough voters (I4)."""
        for node, epoch in self.running.items():
            if not self._is_covered(node, self._world.now) and not self._may_rest_on_proof():
                self.violate(f"I4: node {node} runs epoch {epoch} beyond the promises to it")

    def validity(self, node: int, epoch: int, until: int) -> None:
        """See that a validity ends within the promises of enough voters (I5); true time."""
        self._until[epoch] = until
        if not self._is_covered(node, until) and not self._may_rest_on_proof():
            self.violate(f"I5: node {node} is valid until {until}, beyond the promises to it")

    def _may_rest_on_proof(self) -> bool:
        """Whether a proof may stand in for a vote: in a pair alone, elsewhere it only ends one."""
        return self._any_sticky and bool(self._proven)

    def _is_covered(self, node: int, until: int) -> bool:
        """Whether enough voters are bound, of its configuration or of the one before it."""
        world = self._world
        cfgver = self._under.get(node, world.electorate.cfgver)
        for one in (cfgver, cfgver - 1):
            if one not in self._configurations:
                continue
            voters, is_sticky = self._configurations[one]
            covered = sum(self._covers(world.voter(v), node, until) for v in voters)
            if covered >= (len(voters) if is_sticky else len(voters) // 2 + 1):
                return True
        return False

    def _covers(self, voter: "object", owner: int, until: int) -> bool:
        """Whether a voter can grant nobody else before ``until``, as far as it knows now."""
        node = voter
        if node.voter is None or not node.voter.has_begun:  # type: ignore[attr-defined]
            return True
        if node.wait_until > until:  # type: ignore[attr-defined]
            return True
        promise = node.voter._memory.promises.get("main")  # type: ignore[attr-defined]
        if promise is None or promise.owner != owner:
            return False
        return promise.until_ms is None or node.true(promise.until_ms) >= until  # type: ignore[attr-defined]

    def is_settled(self, for_ms: int) -> bool:
        """Whether one runs, and nothing moved for so long."""
        return len(self.running) == 1 and self._world.now - self._moved_at > for_ms

    def final(self) -> None:
        """See that a healed site has exactly one that runs (I14)."""
        far = {n.voter.electorate.cfgver for n in self._world.nodes if n.voter is not None}
        if len(far) > 1:
            self.violate(f"I8: after the healing the nodes are under {sorted(far)}")
        if len(self.running) != 1:
            phases = {n.index: n.lease.phase if n.lease else "down" for n in self._world.nodes}
            self.violate(f"I14: {len(self.running)} run after the healing; {phases}")
