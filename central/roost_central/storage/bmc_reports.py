"""The last report on each board controller, by the node whose machine it controls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.bmc_report import BmcReport
from roost_protocol.codec import Decoder, encode

SPEAKER: Final = "central"  # of boards that the centre itself polls; no node has such an id

_decode: Final = Decoder[BmcReport](BmcReport).decode


@dataclass(frozen=True, slots=True)
class BmcRecord:
    """A report as kept; ``at_ms`` is the speaker's clock, ``received_ms`` the centre's.

    Attributes:
        node: whose machine it controls.
        speaker: the node that reads it, or SPEAKER.
    """

    node: str
    speaker: str
    at_ms: int
    received_ms: int
    report: BmcReport


async def save(connection: AsyncConnection, records: Sequence[BmcRecord]) -> None:
    """Write reports, each in place of the one before; of nodes that are not there nothing."""
    if not records:
        return
    known = tables.node.c.node
    wanted = {record.node: record for record in records}
    found = await connection.execute(select(known).where(known.in_(list(wanted))))
    rows = [
        {
            "node": name,
            "speaker": wanted[name].speaker,
            "at_ms": wanted[name].at_ms,
            "received_ms": wanted[name].received_ms,
            "body": encode(wanted[name].report),
        }
        for name in found.scalars()
    ]
    await upsert(connection, tables.bmc_report, rows)


async def find(connection: AsyncConnection, node: str) -> BmcRecord | None:
    """Return the last report on a node's board controller."""
    table = tables.bmc_report
    row = (await connection.execute(select(table).where(table.c.node == node))).one_or_none()
    if row is None:
        return None
    return BmcRecord(row.node, row.speaker, row.at_ms, row.received_ms, _decode(row.body))
