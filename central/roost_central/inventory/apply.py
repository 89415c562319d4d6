"""Writes what nodes say of their inventories, inside the caller's transaction.

Leaves the decisions to ``core.py`` and the commit to the caller: nothing of what this returns may
be shown or receipted before that.
"""

import asyncio
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.inventory.core import Known, Unfit, apply_delta, apply_snapshot
from roost_central.inventory.pending import Pending
from roost_central.storage import inventory
from roost_protocol.codec import Decoder, encode
from roost_protocol.inventory import Delta, InventoryDocument, SnapshotPart

AT_ONCE: Final = 50  # documents applied between two turns of the loop: about 5 ms

_decoder: Final = Decoder[SnapshotPart | Delta](InventoryDocument)
_part_decoder: Final = Decoder[SnapshotPart](SnapshotPart)


@dataclass(frozen=True, slots=True)
class Head:
    """What a node's inventory is from this transaction on."""

    gen: int
    digest: bytes
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one document came to: the new head, why it does not fit, or None: more to come."""

    node: str
    gen: int
    result: Head | Unfit | None


def decode(document: bytes) -> SnapshotPart | Delta:
    """Return the document of an inventory item.

    Raises:
        ProtocolError: as Decoder.decode.
    """
    return _decoder.decode(document)


class Batch:
    """The inventory documents of one transaction: read for together, written together.

    However many nodes speak, and however often each, that is a dozen statements; parts of
    snapshots take a few each.

    Args:
        connection: of a write transaction.
        now_ms: when it was taken in.
    """

    def __init__(self, connection: AsyncConnection, *, now_ms: int) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._said: list[tuple[str, SnapshotPart | Delta]] = []

    def add(self, node: str, document: SnapshotPart | Delta) -> None:
        """Take a document; a later one of the same node is applied to what this one makes."""
        self._said.append((node, document))

    async def flush(self) -> list[Outcome]:
        """Apply what was taken, write what it comes to, and return that in the order it came."""
        said, self._said = self._said, []
        if not said:
            return []
        pending = await self._pending(said)
        outcomes = []
        for number, (node, document) in enumerate(said, start=1):
            result = await self._apply(node, pending[node], document)
            outcomes.append(Outcome(node, document.gen, result))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)  # beats and alarms of others wait for the same loop
        await self._write({node: each for node, each in pending.items() if each.is_changed})
        return outcomes

    async def _pending(self, said: list[tuple[str, SnapshotPart | Delta]]) -> dict[str, Pending]:
        """Return what is kept of the nodes that spoke, as far as their documents ask for it."""
        named: dict[str, set[str] | None] = {}
        for node, document in said:
            before = named.setdefault(node, set())
            if not isinstance(document, Delta):
                named[node] = None
            elif before is not None:
                before.update(document.sections)
        pending = {
            node: Pending(gen=held.gen, digests=held.digests, has_parts=held.has_parts)
            for node, held in (await inventory.held(self._connection, named)).items()
        }
        wanted = {
            node: each.digests.keys() if (names := named[node]) is None else names
            for node, each in pending.items()
        }
        kept = await inventory.kept(
            self._connection,
            [
                (node, name)
                for node, names in wanted.items()
                for name in sorted(names & pending[node].digests.keys())
            ],
        )
        for (node, name), row in kept.items():
            pending[node].kept[name] = row
        return pending

    async def _apply(
        self, node: str, pending: Pending, document: SnapshotPart | Delta
    ) -> Head | Unfit | None:
        if isinstance(document, Delta):
            result = apply_delta(_known(pending, document.sections.keys()), document)
        else:
            parts = await self._parts(node, pending, document)
            if parts is None:
                return None
            result = apply_snapshot(_known(pending, pending.digests.keys()), parts)
        if isinstance(result, Unfit):
            return result
        pending.take(result)
        return Head(result.gen, result.digest, result.as_of_ms)

    async def _parts(
        self, node: str, pending: Pending, part: SnapshotPart
    ) -> list[SnapshotPart] | None:
        """Return all parts of the generation when this is the last to come, None before."""
        connection = self._connection
        if part.parts == 1:
            if pending.has_parts:
                await inventory.delete_parts(connection, node)
                pending.has_parts = False
            return [part]
        if pending.has_parts:
            await inventory.delete_parts(connection, node, other_than=part.gen)
        pending.has_parts = True
        body = zlib.compress(encode(part), 1)
        await inventory.save_part(connection, node, gen=part.gen, part=part.part, body=body)
        bodies = await inventory.parts(connection, node, part.gen)
        if len(bodies) < part.parts:
            return None
        await inventory.delete_parts(connection, node)
        pending.has_parts = False
        return [_part_decoder.decode(zlib.decompress(body)) for body in bodies]

    async def _write(self, changed: Mapping[str, Pending]) -> None:
        connection, now_ms = self._connection, self._now_ms
        gone = [(node, name) for node, each in changed.items() for name in sorted(each.removed)]
        for node, name in gone:
            await inventory.delete_section(connection, node, name)
        put = [(node, section) for node, each in changed.items() for section in each.put.values()]
        await inventory.save_sections(connection, put, received_ms=now_ms)
        stale = [
            (node, value) for node, each in changed.items() for value in each.values_gone.values()
        ]
        await inventory.delete_values(connection, stale)
        values = [(node, value) for node, each in changed.items() for value in each.values.values()]
        await inventory.save_values(connection, values)
        changes = [(node, *change) for node, each in changed.items() for change in each.changes]
        await inventory.append_changes(connection, changes, at_ms=now_ms)
        heads = [
            inventory.HeadRecord(node, each.gen, each.digest, each.as_of_ms)
            for node, each in changed.items()
            if each.gen is not None
        ]
        await inventory.save_heads(connection, heads)
        digests = {node: each.digests for node, each in changed.items()}
        await inventory.save_digests(connection, digests)


def _known(pending: Pending, names: Collection[str]) -> Known:
    """Return what a document is applied to, the named sections decoded."""
    for name in pending.kept.keys() & names:
        pending.sections[name] = inventory.section_of(pending.kept.pop(name))
    return pending.known()
