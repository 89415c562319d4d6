"""The changes that are not at their end, at hand: whom they hold back, and who is in them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from roost_central.staged.core import OPEN, StagedChange, StagedNode
from roost_central.storage import staged
from roost_central.storage.engine import Database


@dataclass(slots=True)
class OpenChange:
    """A change with its nodes."""

    change: StagedChange
    nodes: Mapping[str, StagedNode]


class OpenChanges:
    """All that are open; a node is in one of them at the most."""

    def __init__(self) -> None:
        self._open: dict[str, OpenChange] = {}
        self._of_node: dict[str, str] = {}

    async def load(self, database: Database) -> None:
        """Read what is stored, before anything is told to nodes.

        Raises:
            StorageError: it cannot be read.
        """
        async with database.read() as connection:
            for change in await staged.load(connection, OPEN):
                self.add(change, await staged.nodes(connection, change.id))

    def add(self, change: StagedChange, nodes: Iterable[StagedNode]) -> None:
        """Take in a change that is stored."""
        by_name = {each.node: each for each in nodes}
        self._open[change.id] = OpenChange(change, by_name)
        self._of_node |= dict.fromkeys(by_name, change.id)

    def put(self, change: StagedChange) -> Collection[str]:
        """Take in where a change stands now; return the nodes that it held, and does no more."""
        known = self._open[change.id]
        before = {node for node in known.nodes if self.change_of(node)}
        known.change = change
        if change.state not in OPEN:
            del self._open[change.id]
            for node in known.nodes:
                del self._of_node[node]
        return [node for node in before if not self.change_of(node)]

    def all(self) -> list[OpenChange]:
        """Return the open changes."""
        return list(self._open.values())

    def find(self, change: str) -> OpenChange | None:
        """Return an open change."""
        return self._open.get(change)

    def in_the_way(
        self, nodes: Iterable[str], profiles: Collection[str], but: str
    ) -> tuple[str, int]:
        """Return the change that another one would cross, and on how many nodes; empty: none.

        Args:
            nodes: that would change.
            profiles: whose texts would.
            but: a change that may be crossed: it is being undone.
        """
        crossed = Counter(self._of_node[node] for node in nodes if node in self._of_node)
        for each in self._open.values():
            if not each.change.profiles.keys().isdisjoint(profiles):
                crossed[each.change.id] += 0
        crossed.pop(but, None)
        return crossed.most_common(1)[0] if crossed else ("", 0)

    # -- for the delivery ------------------------------------------------------------------

    def change_of(self, node: str) -> str:
        """Return the change that holds a node back; empty: none."""
        id_ = self._of_node.get(node)
        if id_ is None:
            return ""
        known = self._open[id_]
        return "" if known.change.has_had(known.nodes[node].stage) else id_

    def former(self, node: str) -> tuple[int, bytes]:
        """Return the generation and the document that a node of a change had before it."""
        entry = self._open[self._of_node[node]].nodes[node]
        return entry.former_generation, entry.former_document

    def documents(self) -> set[bytes]:
        """Return the documents that nodes keep meanwhile."""
        return {
            each.former_document
            for known in self._open.values()
            for each in known.nodes.values()
            if each.former_document
        }
