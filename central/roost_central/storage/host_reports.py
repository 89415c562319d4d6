"""The last report of each node on itself as a host: its processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import Decoder, encode
from roost_protocol.host_report import HostReport

_decode: Final = Decoder[HostReport](HostReport).decode


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A report as kept; ``at_ms`` is the node's clock, ``received_ms`` the centre's."""

    node: str
    at_ms: int
    received_ms: int
    report: HostReport


async def save(connection: AsyncConnection, records: Sequence[HostRecord]) -> None:
    """Write reports of nodes that are there, each in place of the one before."""
    rows = [
        {
            "node": record.node,
            "at_ms": record.at_ms,
            "received_ms": record.received_ms,
            "body": encode(record.report),
        }
        for record in records
    ]
    await upsert(connection, tables.host_report, rows)


async def find(connection: AsyncConnection, node: str) -> HostRecord | None:
    """Return the last report of a node."""
    table = tables.host_report
    row = (await connection.execute(select(table).where(table.c.node == node))).one_or_none()
    if row is None:
        return None
    return HostRecord(row.node, row.at_ms, row.received_ms, _decode(row.body))
