"""What each node should be now, at hand: the heads of storage, and who is held back."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, Protocol

from roost_central.delivery.core import Target
from roost_central.profiles.desired import DesiredRecord, Document
from roost_central.storage import desired
from roost_central.storage.engine import Database

READ_ALL: Final = 2_000  # past so many nodes all heads are read: that is fewer statements


class Held(Protocol):
    """Nodes that a rollout of profiles holds back."""

    def change_of(self, node: str) -> str:
        """Return the rollout that a node waits in; empty: in none."""

    def former(self, node: str) -> Target:
        """Return what a node keeps that is held back; generation 0: it had no settings."""


class _Nobody:
    def change_of(self, _node: str) -> str:
        return ""

    def former(self, _node: str) -> Target:
        raise AssertionError("nobody is held back")


NOBODY_WAITS: Final[Held] = _Nobody()


class WantedNow:
    """Reads heads; keeps of each document its digest and whose settings it has.

    Attributes:
        heads: what nodes should be, by node.
    """

    def __init__(self, database: Database) -> None:
        self.heads: dict[str, DesiredRecord] = {}
        self._database = database
        self._documents: dict[bytes, tuple[bytes, tuple[str, ...]]] = {}

    async def read(self, nodes: Collection[str] | None) -> Collection[str]:
        """Read the heads of nodes, None: of all; return the nodes that have one.

        Raises:
            StorageError: it cannot be read now.
        """
        is_all = nodes is None or len(nodes) > READ_ALL
        async with self._database.read() as connection:
            heads = await desired.heads(connection, None if is_all else nodes)
            keys = {head.document for head in heads.values() if head.document}
            await self._know(await desired.documents(connection, keys - self._documents.keys()))
        self.heads |= heads
        return heads.keys() if nodes is None else nodes

    def target(self, node: str, held: Held) -> Target | None:
        """Return the document that a node should have now; None: none."""
        head = self.heads.get(node)
        if held.change_of(node):
            former = held.former(node)
            present = 0 if head is None else head.generation
            return former if former.generation else replace(former, generation=present or 1)
        if head is None or not head.generation:
            return None
        known = self._documents.get(head.document)
        return None if known is None else Target(head.generation, known[0])

    def profiles(self, node: str) -> tuple[str, ...]:
        """Return whose settings a node should have."""
        head = self.heads.get(node)
        known = None if head is None else self._documents.get(head.document)
        return () if known is None else known[1]

    async def _know(self, documents: Mapping[bytes, Document]) -> None:
        for key, document in documents.items():
            names = tuple(sorted({*document.reasons.values()}))
            self._documents[key] = (document.digest, names)
