"""What membership tells the leases: whom this node hears, and on what evidence."""

from collections.abc import Mapping

import msgspec


class PeerEvidence(msgspec.Struct, frozen=True):
    """How silent a peer is.

    Attributes:
        paths_silent: by how many paths it is not heard; a path without self-echo counts for nobody.
        paths: there are to it.
        silent_ms: since the last proof that it lived, over the best path.
    """

    paths_silent: int
    paths: int
    silent_ms: int


class View(msgspec.Struct, frozen=True):
    """One node's view of its site; nodes by their index.

    Attributes:
        seen: alive or suspected, this node among them.
        lost: silent past T_lost, and confirmed.
        lhm: this node's local health multiplier, 1 to 8.
        rank: how many candidates are better than this node.
        isolated: this node hears nobody, and not itself either.
        evidence: by peer.
    """

    seen: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()
    lhm: int = 1
    rank: int = 0
    isolated: bool = False
    evidence: Mapping[int, PeerEvidence] = msgspec.field(default_factory=dict)
