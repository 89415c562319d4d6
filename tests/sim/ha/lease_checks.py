"""What must hold of one lease and what runs under it, at every moment, on true time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.ha.checkers import Checkers
    from sim.ha.world import World

NODES_MAX = 32  # an epoch is of the node that it leaves over


class LeaseChecks:
    """See the module.

    Attributes:
        running: node to epoch, at the resource.
        activations: true time, node, epoch.
    """

    def __init__(self, world: "World", site: "Checkers", name: str) -> None:
        self._world = world
        self._site = site
        self._name = name
        self.running: dict[int, int] = {}
        self.activations: list[tuple[int, int, int]] = []
        self._boot_of: dict[int, bytes] = {}  # epoch -> the boot that ran it
        self._owners: dict[int, int] = {}  # epoch -> owner
        self._granted: dict[int, int] = {}  # voter -> highest epoch it ever granted
        self._attested: dict[int, set[int]] = {}  # voter -> who attested since its start
        self._released: set[int] = set()
        self._moved_at = 0
        self._until: dict[int, int] = {}  # epoch -> the last end of its right, true ms
        self._endless: set[int] = set()  # epochs that the guard has without an end

    def _violate(self, text: str) -> None:
        of = "" if self._name == "main" else f" [{self._name}]"
        self._site.violate(f"{text}{of}")

    # -- the resource --------------------------------------------------------------------------

    def runs(self, node: int, epoch: int, *, is_new: bool) -> None:
        """Take in that a node's service acts from now on (I1, I2, I3, I12)."""
        others = {other: e for other, e in self.running.items() if other != node}
        if others:
            self._violate(f"I1: node {node} (epoch {epoch}) runs beside {others}")
        self.running[node] = epoch
        self._moved_at = self._world.now
        if self._owners.setdefault(epoch, node) != node:
            self._violate(f"I2: epoch {epoch} of node {self._owners[epoch]} is run by {node}")
        if not is_new:
            return
        self._boot_of[epoch] = self._world.nodes[node].boot
        if self.activations:
            _, was, before = self.activations[-1]
            if epoch < before and not self._site.any_sticky:
                self._violate(f"I3: epoch {epoch} follows {before}")
            if was != node:
                self._site.met["another node took over"] += 1
                self._moved(was, before, node)
            elif not any(other.is_on for other in self._world.nodes if other.index != node):
                self._site.met["it started alone"] += 1
        self.activations.append((self._world.now, node, epoch))

    def _moved(self, was: int, epoch: int, node: int) -> None:
        """See that the right of before had ended, whatever the network did to frames (I10, I12)."""
        boot = self._boot_of.get(epoch)
        is_over = self._until.get(epoch, 0) <= self._world.now or self._is_given_back(was, epoch)
        is_proven = (was, boot) in self._site.proven
        if not is_over and is_proven:
            self._site.met["a right moved by proof before its end"] += 1
        elif not is_over:
            self._violate(f"I10: node {node} follows {was}, whose right ends {self._until[epoch]}")
        if epoch in self._endless and epoch not in self._released:
            # A host that votes no more keeps no record: what it asks after a boot is its word.
            is_word = self._world.has_site and self._world.nodes[was].boot != boot
            if not is_proven and not is_word:
                self._violate(f"I12: node {node} follows {was} without its word and without proof")
            self._site.met["a sticky right moved by proof"] += 1

    def _is_given_back(self, owner: int, epoch: int) -> bool:
        """Whether an owner gave an epoch back, or a later one of its own: of another boot, then."""
        return any(each >= epoch and each % NODES_MAX == owner for each in self._released)

    def rests(self, node: int) -> None:
        """Take in that a node's service acts no more."""
        if self.running.pop(node, None) is not None:
            self._moved_at = self._world.now

    # -- what was said -------------------------------------------------------------------------

    def released(self, epoch: int) -> None:
        """Take in that an owner gave an epoch back."""
        self._released.add(epoch)
        if epoch in self.running.values():
            self._violate(f"I4: epoch {epoch} is given back while it runs")

    def started(self, voter: int) -> None:
        """Take in that a voter's agent started: it has nobody's word any more."""
        self._attested[voter] = set()

    def attested(self, voter: int, node: int, epoch: int) -> None:
        """Take in that a node tells a voter what it holds, which must be true (I7)."""
        self._attested.setdefault(voter, set()).add(node)
        if self.running.get(node, epoch) != epoch:
            self._violate(f"I7: node {node} attests {epoch}, runs epoch {self.running[node]}")

    def granted(self, voter: int, epoch: int, *, is_prevote: bool) -> None:
        """Take in a grant (I6, I7)."""
        node = self._world.voter(voter)
        others = set(range(self._world.plan.nodes))
        if node.is_in_boot_wait() and not others <= self._attested.get(voter, set()):
            self._violate(f"I7: node {voter} grants {epoch} in its boot wait")
        if not is_prevote:
            self._granted[voter] = max(self._granted.get(voter, 0), epoch)

    def recovered(self, voter: int, max_epoch: int) -> None:
        """Compare what a voter's disk knows with what it granted (I6)."""
        if max_epoch < self._granted.get(voter, 0):
            self._violate(f"I6: node {voter} knows {max_epoch}, granted {self._granted[voter]}")

    def forgot(self, voter: int) -> None:
        """Take in that a voter's disk is gone, or an older one."""
        self._granted.pop(voter, None)

    # -- rights --------------------------------------------------------------------------------

    def armed(self, epoch: int, *, is_endless: bool) -> None:
        """Take in what a guard was given."""
        if is_endless:
            self._endless.add(epoch)
        else:
            self._endless.discard(epoch)

    def rights(self) -> None:
        """See that whoever runs is covered by the promises of enough voters (I4)."""
        for node, epoch in self.running.items():
            if not self._is_covered(node, self._world.now) and not self._may_rest_on_proof():
                self._violate(f"I4: node {node} runs epoch {epoch} beyond the promises to it")

    def validity(self, node: int, epoch: int, until: int) -> None:
        """See that a validity ends within the promises of enough voters (I5); true time."""
        self._until[epoch] = until
        if not self._is_covered(node, until) and not self._may_rest_on_proof():
            self._violate(f"I5: node {node} is valid until {until}, beyond the promises to it")

    def _may_rest_on_proof(self) -> bool:
        """Whether a proof may stand in for a vote: in a pair alone, elsewhere it only ends one."""
        return self._site.any_sticky and bool(self._site.proven)

    def _is_covered(self, node: int, until: int) -> bool:
        """Whether enough voters are bound, of its configuration or of the one before it."""
        world = self._world
        cfgver = self._site.under(node)
        for one in (cfgver, cfgver - 1):
            if one not in self._site.configurations:
                continue
            voters, is_sticky = self._site.configurations[one]
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
        promise = node.voter._memory.promises.get(self._name)  # type: ignore[attr-defined]
        if promise is None or promise.owner != owner:
            return False
        return promise.until_ms is None or node.true(promise.until_ms) >= until  # type: ignore[attr-defined]

    def is_settled(self, for_ms: int) -> bool:
        """Whether one runs, and nothing moved for so long."""
        return len(self.running) == 1 and self._world.now - self._moved_at > for_ms

    def final(self) -> None:
        """See that exactly one runs (I14)."""
        if len(self.running) != 1:
            leases = {n.index: n.lease_of(self._name) for n in self._world.nodes}
            phases = {index: lease.phase if lease else "down" for index, lease in leases.items()}
            self._violate(f"I14: {len(self.running)} run after the healing; {phases}")
