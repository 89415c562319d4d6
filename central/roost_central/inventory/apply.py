"""Writes what a node says of its inventory, inside the caller's transaction.

Leaves the decisions to ``core.py`` and the commit to the caller: nothing of what this returns may
be shown or receipted before that.
"""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.inventory.core import Applied, Known, Unfit, apply_delta, apply_snapshot
from roost_central.storage import inventory
from roost_central.storage.inventory import Held
from roost_protocol.codec import Decoder, encode
from roost_protocol.inventory import Delta, InventoryDocument, SnapshotPart

_decoder: Final = Decoder[SnapshotPart | Delta](InventoryDocument)
_part_decoder: Final = Decoder[SnapshotPart](SnapshotPart)


@dataclass(frozen=True, slots=True)
class Head:
    """What a node's inventory is from this transaction on."""

    gen: int
    digest: bytes
    as_of_ms: int


def decode(document: bytes) -> SnapshotPart | Delta:
    """Return the document of an inventory item.

    Raises:
        ProtocolError: as Decoder.decode.
    """
    return _decoder.decode(document)


class Batch:
    """The inventory documents of one transaction: read together, written together.

    A document of a node that has one in hand is applied to what that one made: it is written first.
    Where each node says one thing, as after a centre's restore, that never happens, and a
    transaction of any size is a dozen statements.

    Args:
        connection: of a write transaction.
        nodes: those whose documents will come; others may.
        now_ms: when it was taken in.
    """

    def __init__(
        self, connection: AsyncConnection, nodes: Collection[str] = (), *, now_ms: int
    ) -> None:
        self._connection = connection
        self._expected = set(nodes)
        self._now_ms = now_ms
        self._held: dict[str, Held] = {}
        self._in_hand: dict[str, Applied] = {}

    async def apply(self, node: str, document: SnapshotPart | Delta) -> Head | Unfit | None:
        """Apply one document; return the new head, why it does not fit, or None: more to come."""
        if node in self._in_hand:
            await self.flush()
        if isinstance(document, Delta):
            result = apply_delta(await self._known(node, set(document.sections)), document)
        else:
            parts = await self._parts(node, document)
            if parts is None:
                return None
            result = apply_snapshot(await self._known(node, None), parts)
        if isinstance(result, Unfit):
            return result
        self._in_hand[node] = result
        return Head(result.gen, result.digest, result.as_of_ms)

    async def flush(self) -> None:
        """Write what is in hand."""
        results, self._in_hand = self._in_hand, {}
        connection, now_ms = self._connection, self._now_ms
        for node, each in results.items():
            del self._held[node]
            for name in each.removed:
                await inventory.delete_section(connection, node, name)
        await inventory.save_sections(
            connection,
            [(node, section) for node, each in results.items() for section in each.put],
            received_ms=now_ms,
        )
        gone = [(node, value) for node, each in results.items() for value in each.values_gone]
        await inventory.delete_values(connection, gone)
        kept = [(node, value) for node, each in results.items() for value in each.values]
        await inventory.save_values(connection, kept)
        changes = [
            (node, each.gen, change) for node, each in results.items() for change in each.changes
        ]
        await inventory.append_changes(connection, changes, at_ms=now_ms)
        await inventory.save_heads(
            connection,
            [
                inventory.HeadRecord(node, each.gen, each.digest, each.as_of_ms)
                for node, each in results.items()
            ],
        )

    async def _hold(self, node: str) -> Held:
        """Return what is kept of a node; read for all who are expected at once."""
        if node not in self._held:
            absent = (self._expected | {node}) - self._held.keys()
            self._held |= await inventory.held(self._connection, absent)
        return self._held[node]

    async def _known(self, node: str, names: set[str] | None) -> Known:
        held = await self._hold(node)
        wanted = held.digests.keys() if names is None else names & held.digests.keys()
        sections = await inventory.sections(self._connection, node, names) if wanted else {}
        return Known(held.gen, held.digests, sections)

    async def _parts(self, node: str, part: SnapshotPart) -> list[SnapshotPart] | None:
        """Return all parts of the generation when this is the last to come, None before."""
        connection, held = self._connection, await self._hold(node)
        if part.parts == 1:
            if held.has_parts:
                await inventory.delete_parts(connection, node)
            return [part]
        held.has_parts = True
        await inventory.delete_parts(connection, node, other_than=part.gen)
        body = zlib.compress(encode(part), 1)
        await inventory.save_part(connection, node, gen=part.gen, part=part.part, body=body)
        bodies = await inventory.parts(connection, node, part.gen)
        if len(bodies) < part.parts:
            return None
        await inventory.delete_parts(connection, node)
        return [_part_decoder.decode(zlib.decompress(body)) for body in bodies]
