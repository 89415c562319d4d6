"""Which boots of other nodes are proven to have ended, for one lease, and what lacks a proof."""

from collections.abc import Iterable
from typing import Final

from roost_agent.ha.lease_events import Clear, Effect, Raise
from roost_protocol.electorate import Electorate

NO_PROOF: Final = "no-proof"


class Proofs:
    """See the module.

    Attributes:
        known: node to the boot that ended.
        are_taken: whether one ends a right; else only the owner's word does.
    """

    def __init__(self, name: str) -> None:
        self.known: dict[int, bytes] = {}
        self.are_taken = True
        self._name = name
        self._is_told = False

    def seen(self, nodes: Iterable[int]) -> None:
        """Forget those that are heard: another boot of theirs runs."""
        for node in nodes:
            self.known.pop(node, None)

    def tell_lack(
        self, electorate: Electorate, lost: frozenset[int], *, wanted: bool, out: list[Effect]
    ) -> None:
        """Raise or clear that a pair's right cannot move: nothing proves that the peer is off."""
        missing = [
            voter
            for voter in electorate.voters
            if electorate.sticky and voter in lost and voter not in self.known
        ]
        is_stuck = bool(missing) and wanted
        if is_stuck and not self._is_told:
            why = f"nothing proves that node {missing[0]} is off"
            if not self.are_taken:
                why = f"node {missing[0]} is lost, and only the last holder's own word moves it"
            out.append(Raise(NO_PROOF, f"{self._name} is not taken over: {why}"))
        elif self._is_told and not is_stuck:
            out.append(Clear(NO_PROOF))
        self._is_told = is_stuck
