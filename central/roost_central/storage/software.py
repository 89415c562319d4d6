"""The last report of each node on what it runs, and on the update that it takes part in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import Decoder, encode
from roost_protocol.update import JobReport, SoftwareReport

_software: Final = Decoder[SoftwareReport](SoftwareReport).decode
_updates: Final = Decoder[JobReport](JobReport).decode


@dataclass(frozen=True, slots=True)
class SoftwareRecord:
    """A report as kept; ``at_ms`` is the node's clock, ``received_ms`` the centre's."""

    node: str
    at_ms: int
    received_ms: int
    report: SoftwareReport


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """As SoftwareRecord."""

    node: str
    at_ms: int
    received_ms: int
    report: JobReport


async def save(
    connection: AsyncConnection,
    software: Sequence[SoftwareRecord],
    updates: Sequence[UpdateRecord],
) -> None:
    """Write reports of nodes that are there, each in place of the one before."""
    for table, records in (
        (tables.software_report, software),
        (tables.update_report, updates),
    ):
        rows = [
            {
                "node": record.node,
                "at_ms": record.at_ms,
                "received_ms": record.received_ms,
                "body": encode(record.report),
            }
            for record in records
        ]
        await upsert(connection, table, rows)


async def load_software(connection: AsyncConnection) -> dict[str, SoftwareReport]:
    """Return what nodes run, by node."""
    rows = await connection.execute(select(tables.software_report))
    return {row.node: _software(row.body) for row in rows}


async def load_updates(connection: AsyncConnection) -> dict[str, JobReport]:
    """Return the newest word of nodes on updates, by node."""
    rows = await connection.execute(select(tables.update_report))
    return {row.node: _updates(row.body) for row in rows}
