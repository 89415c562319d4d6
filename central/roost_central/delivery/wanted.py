"""What each node should be now, at hand: the heads of storage, and who is held back."""

from collections.abc import Collection, Mapping
from typing import Final, Protocol

from roost_central.delivery.core import Target
from roost_central.profiles.desired import DesiredRecord, Document
from roost_central.storage import desired
from roost_central.storage.engine import Database

READ_ALL: Final = 2_000  # past so many nodes all heads are read: that is fewer statements


class Held(Protocol):
    """Nodes that a staged change holds back."""

    def change_of(self, node: str) -> str:
        """Return the change that a node waits in; empty: in none."""

    def former(self, node: str) -> tuple[int, bytes]:
        """Return the generation and the document that a node of a change keeps; 0: none."""

    def documents(self) -> Collection[bytes]:
        """Return the documents that nodes keep meanwhile."""


class _Nobody:
    def change_of(self, _node: str) -> str:
        return ""

    def former(self, _node: str) -> tuple[int, bytes]:
        return 0, b""

    def documents(self) -> Collection[bytes]:
        return ()


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

    async def know(self, keys: Collection[bytes]) -> None:
        """Read documents that no head names any more, and somebody keeps.

        Raises:
            StorageError: it cannot be read now.
        """
        missing = {*keys} - self._documents.keys()
        if missing:
            async with self._database.read() as connection:
                await self._know(await desired.documents(connection, missing))

    def target(self, node: str, held: Held) -> Target | None:
        """Return the document that a node should have now; None: none."""
        if held.change_of(node):
            generation, key = held.former(node)
        else:
            head = self.heads.get(node)
            generation, key = (0, b"") if head is None else (head.generation, head.document)
        known = self._documents.get(key)
        return Target(generation, known[0]) if generation and known is not None else None

    def profiles(self, node: str) -> tuple[str, ...]:
        """Return whose settings a node should have."""
        head = self.heads.get(node)
        known = None if head is None else self._documents.get(head.document)
        return () if known is None else known[1]

    async def _know(self, documents: Mapping[bytes, Document]) -> None:
        for key, document in documents.items():
            names = tuple(sorted({*document.reasons.values()}))
            self._documents[key] = (document.digest, names)
