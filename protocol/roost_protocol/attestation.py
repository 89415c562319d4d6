"""Who of a site has said, since a voter started, what it holds of a lease: nothing, or an epoch."""

from collections.abc import Iterable

import msgspec

from roost_protocol.ha import Nonce
from roost_protocol.voter_state import VoterState


class Said(msgspec.Struct, frozen=True):
    """One node's answer; ``epoch`` 0: it holds nothing."""

    node: int
    boot: bytes
    epoch: int
    max_epoch: int


class Attestation:
    """What one voter was told; by lease.

    Args:
        nodes: every node of the site: definitions differ, so not the hosts alone; and the voter's
            own, which may run what its agent has forgotten.

    Attributes:
        complete: the leases that all of them attested.
    """

    def __init__(self, nodes: Iterable[int]) -> None:
        self.complete: set[str] = set()
        self._nodes = tuple(nodes)
        self._counter = 0
        self._said: dict[str, dict[int, Said]] = {}  # by lease and node

    def nonce(self, state: VoterState) -> Nonce:
        """Return the nonce of another round of asking."""
        self._counter += 1
        return Nonce(state.voter_id, state.inc, self._counter)

    def attested(self, name: str, said: Said) -> None:
        """Take in what one node said."""
        self._said.setdefault(name, {})[said.node] = said

    def holders(self, name: str) -> list[Said]:
        """Return who said that it holds the lease: one, or some of it is old."""
        return [said for said in self._said.get(name, {}).values() if said.epoch]

    def doubt(self, name: str) -> None:
        """Ask those anew who said that they hold it."""
        for said in self.holders(name):
            del self._said[name][said.node]

    def lacking(self, name: str) -> list[int]:
        """Return who has yet to say it."""
        said = self._said.get(name, {})
        return [node for node in self._nodes if node not in said]

    def max_epoch(self, name: str) -> int:
        """Return the highest epoch that anybody told of."""
        said = self._said.get(name, {}).values()
        return max((max(each.max_epoch, each.epoch) for each in said), default=0)

    def forget(self) -> None:
        """Begin again."""
        self.complete.clear()
        self._said.clear()
