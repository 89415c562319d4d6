"""The nodes that rollouts of profiles hold back: what they keep until their site's turn comes.

What counts is in storage: who was what before, and the jobs. A rollout that was aborted holds back
those that it did not reach until another change of its profiles stands in its place.

Invariant: a node is held back by one rollout at most.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from roost_central.delivery.core import Target
from roost_central.rollout.having import Having, having
from roost_central.rollout.job import Job
from roost_central.storage.rollout_changes import FormerNode
from roost_protocol.topics import split_node_id

SaysNew = Callable[[str, FormerNode], bool]  # whether a node says what it should be now


@dataclass(slots=True)
class _Rollout:
    profiles: frozenset[str]
    nodes: dict[str, FormerNode]
    by_site: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class Holding:
    """Who is held back, for the delivery, and by what.

    Attributes:
        says_new: tells whether a node says the new settings already.
    """

    def __init__(self) -> None:
        self.says_new: SaysNew = lambda _node, _former: False
        self._rollouts: dict[str, _Rollout] = {}
        self._of_node: dict[str, str] = {}
        self._held: set[str] = set()
        self._ended: set[str] = set()

    def add(self, rollout: str, profiles: Iterable[str], nodes: Iterable[FormerNode]) -> None:
        """Hold back all nodes of a rollout that begins."""
        made = _Rollout(frozenset(profiles), {each.node: each for each in nodes})
        for node in made.nodes:
            made.by_site[split_node_id(node)[0]].append(node)
        self._rollouts[rollout] = made
        self._of_node |= dict.fromkeys(made.nodes, rollout)
        self._held |= made.nodes.keys()

    def follow(self, rollout: str, jobs: Iterable[Job]) -> list[str]:
        """Take in where jobs stand; return the nodes that are to have something else now."""
        known = self._rollouts.get(rollout)
        if known is None:
            return []
        changed = []
        for job in jobs:
            has = having(job)
            for node in known.by_site.get(job.site, ()):
                is_new = has is Having.NEW or (
                    has is Having.FROZEN and self.says_new(node, known.nodes[node])
                )
                if is_new == (node in self._held):
                    changed.append(node)
                    (self._held.discard if is_new else self._held.add)(node)
        return changed

    def end(self, rollout: str) -> None:
        """Take in that a rollout is at its end, and goes on holding back whom it did not reach."""
        if rollout in self._rollouts:
            self._ended.add(rollout)

    def drop(self, rollout: str) -> list[str]:
        """Hold nobody back by a rollout any more; return the nodes that it held."""
        known = self._rollouts.pop(rollout, None)
        self._ended.discard(rollout)
        if known is None:
            return []
        let = [node for node in known.nodes if node in self._held]
        self._held.difference_update(known.nodes)
        for node in known.nodes:
            del self._of_node[node]
        return let

    def forget(self, site: str) -> dict[str, list[str]]:
        """Hold nobody of a site back any more; return its nodes by rollout."""
        found = {id_: known.by_site.pop(site, []) for id_, known in self._rollouts.items()}
        for id_, nodes in found.items():
            for node in nodes:
                del self._rollouts[id_].nodes[node], self._of_node[node]
                self._held.discard(node)
        return {id_: nodes for id_, nodes in found.items() if nodes}

    def has(self, rollout: str) -> bool:
        """Say whether a rollout has begun, and may hold somebody back."""
        return rollout in self._rollouts

    def rollouts(self) -> list[str]:
        """Return the rollouts that may hold somebody back."""
        return list(self._rollouts)

    def held_by(self, rollout: str) -> list[FormerNode]:
        """Return the nodes that a rollout holds back now."""
        known = self._rollouts.get(rollout)
        return [] if known is None else [
            each for node, each in known.nodes.items() if node in self._held
        ]  # fmt: skip

    def superseded(self, profiles: Collection[str]) -> list[str]:
        """Return the aborted rollouts in whose place a change of these profiles stands."""
        return [id_ for id_ in self._ended if self._rollouts[id_].profiles <= {*profiles}]

    def in_the_way(
        self, nodes: Iterable[str], profiles: Collection[str], but: Collection[str]
    ) -> tuple[str, int]:
        """Return the rollout that a change would cross, and on how many nodes; empty: none.

        Args:
            nodes: that would change.
            profiles: whose texts would.
            but: rollouts that may be crossed: they are undone, or stood in the place of.
        """
        crossed = Counter(
            self._of_node[node]
            for node in nodes
            if node in self._held
            or (node in self._of_node and self._of_node[node] not in self._ended)
        )
        for id_, known in self._rollouts.items():
            if id_ not in self._ended and not known.profiles.isdisjoint(profiles):
                crossed[id_] += 0
        for id_ in but:
            crossed.pop(id_, None)
        return crossed.most_common(1)[0] if crossed else ("", 0)

    # -- for the delivery ------------------------------------------------------------------

    def change_of(self, node: str) -> str:
        """Return the rollout that holds a node back; empty: none."""
        return self._of_node[node] if node in self._held else ""

    def former(self, node: str) -> Target:
        """Return what a node that is held back keeps."""
        found = self._rollouts[self._of_node[node]].nodes[node]
        return Target(found.former_generation, found.former_digest)

    def former_of(self, node: str) -> FormerNode | None:
        """Return what a node of a rollout had before it; None: it is in none."""
        id_ = self._of_node.get(node)
        return None if id_ is None else self._rollouts[id_].nodes[node]
