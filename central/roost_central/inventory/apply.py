"""Writes what a node says of its inventory, inside the caller's transaction.

Leaves the decisions to ``core.py`` and the commit to the caller: nothing of what this returns may
be shown or receipted before that.
"""

import zlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.inventory.core import Applied, Known, Unfit, apply_delta, apply_snapshot
from roost_central.storage import inventory
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


async def apply(
    connection: AsyncConnection, node: str, document: SnapshotPart | Delta, *, now_ms: int
) -> Head | Unfit | None:
    """Apply one document; return the new head, why it does not fit, or None: more parts to come."""
    if isinstance(document, Delta):
        known = await _known(connection, node, set(document.sections))
        result = apply_delta(known, document)
    else:
        parts = await _parts(connection, node, document)
        if parts is None:
            return None
        known = await _known(connection, node, None)
        result = apply_snapshot(known, parts)
    if isinstance(result, Unfit):
        return result
    await _write(connection, node, result, now_ms)
    return Head(result.gen, result.digest, result.as_of_ms)


async def _known(connection: AsyncConnection, node: str, names: set[str] | None) -> Known:
    return Known(
        gen=await inventory.generation(connection, node),
        digests=await inventory.digests(connection, node),
        sections=await inventory.sections(connection, node, names),
    )


async def _parts(
    connection: AsyncConnection, node: str, part: SnapshotPart
) -> list[SnapshotPart] | None:
    """Return all parts of the generation when this is the last to come, None before."""
    if part.parts == 1:
        await inventory.delete_parts(connection, node)
        return [part]
    await inventory.delete_parts(connection, node, other_than=part.gen)
    body = zlib.compress(encode(part), 1)
    await inventory.save_part(connection, node, gen=part.gen, part=part.part, body=body)
    bodies = await inventory.parts(connection, node, part.gen)
    if len(bodies) < part.parts:
        return None
    await inventory.delete_parts(connection, node)
    return [_part_decoder.decode(zlib.decompress(body)) for body in bodies]


async def _write(connection: AsyncConnection, node: str, result: Applied, now_ms: int) -> None:
    for name in result.removed:
        await inventory.delete_section(connection, node, name)
    await inventory.save_sections(connection, node, result.put, received_ms=now_ms)
    await inventory.delete_values(connection, node, result.values_gone)
    await inventory.save_values(connection, node, result.values)
    await inventory.append_changes(connection, node, result.changes, gen=result.gen, at_ms=now_ms)
    await inventory.save_head(
        connection, node, gen=result.gen, digest=result.digest, as_of_ms=result.as_of_ms
    )
