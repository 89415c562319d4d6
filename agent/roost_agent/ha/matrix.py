"""Who hears whom by which paths, as each node tells it; and what a node is worth by that.

Every node computes the same ranks from the same beats, so candidates queue instead of colliding.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from roost_protocol.ha import Beat, LeaseState

NETWORK_MAJORITY: Final = 2  # a network counts that reaches more than one in two voters


class Way(msgspec.Struct, frozen=True):
    """What a path counts for.

    Attributes:
        network: its name.
        weight: of that network.
        brings_back: whether a broker brings our own frames back on it.
    """

    network: str
    weight: int
    brings_back: bool


class Report(msgspec.Struct, frozen=True):
    """What one node last told of itself.

    Attributes:
        seen: peer to the paths by which the node hears it, path n in bit n.
        lhm: its local health multiplier.
        score: of its health.
        defs: digest of its service definitions.
        as_of_ms: it was so at this moment of our clock, or later.
        standing: whether it leaves, or is in maintenance.
        barred: the leases that it may not stand for.
        holds: the leases that it says it holds.
        host: how it says that it stands as a host; 0: it does not.
        uptime_ms: of its machine, then.
        update, lets, backs: of a software update; see Beat.
        locks, anew: of its sender as the coordinator; see Beat.
    """

    seen: Mapping[int, int]
    lhm: int
    score: int
    defs: bytes
    as_of_ms: int
    standing: int = 0
    barred: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    host: int = 0
    uptime_ms: int = 0
    update: int = 0
    lets: int = 0
    backs: int = 0
    locks: int = 0
    anew: int = 0

    @classmethod
    def of(cls, beat: Beat, as_of_ms: int) -> "Report":
        """Return what a beat tells."""
        holds = frozenset(
            name
            for name, belief in beat.leases.items()
            if belief.holder == beat.node
            and belief.state in {LeaseState.HOLDING, LeaseState.STOPPING}
        )
        return cls(
            beat.seen, beat.lhm, beat.score, beat.defs, as_of_ms, beat.standing,
            beat.barred_leases(), holds, beat.host, beat.boot_ms,
            beat.update, beat.lets, beat.backs, beat.locks, beat.anew,
        )  # fmt: skip


Matrix = Mapping[int, Mapping[int, int]]


def voters_seen(node: int, seen: Mapping[int, int], voters: Iterable[int]) -> int:
    """Return how many voters a node hears, itself among them."""
    return sum(voter == node or bool(seen.get(voter, 0)) for voter in voters)


def path_score(
    node: int, seen: Mapping[int, int], voters: Sequence[int], ways: Sequence[Way]
) -> int:
    """Return the weights of the networks by which a node reaches a majority of the voters."""
    best: dict[str, int] = {}
    for number, way in enumerate(ways):
        reached = sum(voter == node or bool(seen.get(voter, 0) >> number & 1) for voter in voters)
        if NETWORK_MAJORITY * reached > len(voters):
            best[way.network] = way.weight
    return sum(best.values())


def cuts(matrix: Matrix) -> list[tuple[int, int, int]]:
    """Return (a, b, c): one of a and b does not hear the other, and c hears both."""
    nodes = sorted(matrix)
    return [
        (a, b, c)
        for place, a in enumerate(nodes)
        for b in nodes[place + 1 :]
        if not (matrix[a].get(b, 0) and matrix[b].get(a, 0))
        for c in nodes
        if c not in (a, b) and matrix[c].get(a, 0) and matrix[c].get(b, 0)
    ]
