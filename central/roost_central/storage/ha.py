"""The last report of each node on its site's local HA."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import Decoder, encode
from roost_protocol.ha_report import HaReport

_decode: Final = Decoder[HaReport](HaReport).decode


@dataclass(frozen=True, slots=True)
class HaRecord:
    """A report as kept; ``at_ms`` is the node's clock, ``received_ms`` the centre's."""

    node: str
    at_ms: int
    received_ms: int
    report: HaReport


async def save(connection: AsyncConnection, records: Sequence[HaRecord]) -> None:
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
    await upsert(connection, tables.ha_report, rows)


async def load_all(connection: AsyncConnection) -> list[HaRecord]:
    """Return every node's report."""
    rows = await connection.execute(select(tables.ha_report))
    return [HaRecord(row.node, row.at_ms, row.received_ms, _decode(row.body)) for row in rows]
