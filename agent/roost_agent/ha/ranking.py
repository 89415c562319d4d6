"""Which host of a group is the better one: all nodes compute the same from the same beats.

Rank = (voters seen, path score, health, like definitions, host priority, low index), design: ha,
section 4.
"""

from collections.abc import Mapping, Sequence

from roost_agent.ha.freshness import Freshness
from roost_agent.ha.health import SCORE_MAX
from roost_agent.ha.matrix import Way, path_score, voters_seen
from roost_agent.ha.member import THERE, Member
from roost_agent.ha.redundancy import Standing


class Ranking:
    """Ranks as one node computes them.

    Args:
        freshness: of the same node.
        members: as noted; only read here.
        voters: indices.
        ways: what each path counts for.
        defs: digest of this node's service definitions.
    """

    def __init__(
        self,
        freshness: Freshness,
        members: Mapping[int, Member],
        *,
        voters: Sequence[int],
        ways: Sequence[Way],
        defs: bytes,
    ) -> None:
        self.me = freshness.me
        self.score = SCORE_MAX
        self.defs = defs
        self._fresh = freshness
        self._members = members
        self.voters = voters
        self._ways = ways

    def is_there(self, node: int) -> bool:
        """Whether a node is there beyond suspicion; this one always is."""
        return node == self.me or self._members[node].state in THERE

    def rank(self, hosts: Sequence[int], now_ms: int) -> int:
        """Return how many of a group's hosts would be better than this node, in order of hosts."""
        present = {node for node in hosts if self.is_there(node)}
        ordered = sorted(present, key=lambda node: self._worth(node, hosts, now_ms), reverse=True)
        return ordered.index(self.me) if self.me in present else len(ordered)

    def is_as_good(self, node: int, now_ms: int) -> bool:
        """Whether a peer is no worse than this node, the order of hosts aside."""
        return self._quality(node, now_ms) >= self._quality(self.me, now_ms)

    def standing(self, node: int, now_ms: int) -> Standing:
        """Return how well a node is connected."""
        seen = self._seen_by(node, now_ms)
        return (
            voters_seen(node, seen, self.voters),
            path_score(node, seen, self.voters, self._ways),
        )

    def strangers(self) -> list[int]:
        """Return the peers whose service definitions differ from ours."""
        return [
            node
            for node, member in self._members.items()
            if member.report is not None and member.report.defs != self.defs
        ]

    def _seen_by(self, node: int, now_ms: int) -> Mapping[int, int]:
        if node == self.me:
            return self._fresh.seen(now_ms)
        report = self._members[node].report
        return {} if report is None else report.seen

    def _worth(self, node: int, hosts: Sequence[int], now_ms: int) -> tuple[int, ...]:
        """Return what ranks a node, the greater the better."""
        return (*self._quality(node, now_ms), -hosts.index(node), -node)

    def _quality(self, node: int, now_ms: int) -> tuple[int, ...]:
        report = None if node == self.me else self._members[node].report
        score = self.score if node == self.me else 0 if report is None else report.score
        defs = self.defs if report is None else report.defs
        alike = sum(defs == each for each in self._all_defs())
        return (*self.standing(node, now_ms), score, alike)

    def _all_defs(self) -> list[bytes]:
        told = [each.report.defs for each in self._members.values() if each.report is not None]
        return [self.defs, *told]
