"""The last day of each node in steps of ten minutes, of the few series that it tells by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import Decoder, encode
from roost_protocol.samples import Samples

_decode: Final = Decoder[Samples](Samples).decode


@dataclass(frozen=True, slots=True)
class DayRecord:
    """A day as kept; ``received_ms``: when the centre heard the last word of it."""

    node: str
    received_ms: int
    samples: Samples


async def load(connection: AsyncConnection, nodes: Iterable[str]) -> dict[str, Samples]:
    """Return the days of nodes that have one."""
    table = tables.node_samples
    rows = await connection.execute(
        select(table.c.node, table.c.body).where(table.c.node.in_(list(nodes)))
    )
    return {row.node: _decode(row.body) for row in rows}


async def save(
    connection: AsyncConnection, days: Mapping[str, Samples], *, received_ms: int
) -> None:
    """Write days of nodes that are there, each in place of the one before."""
    rows = [
        {"node": node, "received_ms": received_ms, "body": encode(samples)}
        for node, samples in days.items()
    ]
    await upsert(connection, tables.node_samples, rows)


async def find(connection: AsyncConnection, node: str) -> DayRecord | None:
    """Return the last day of a node."""
    table = tables.node_samples
    row = (await connection.execute(select(table).where(table.c.node == node))).one_or_none()
    if row is None:
        return None
    return DayRecord(row.node, row.received_ms, _decode(row.body))
