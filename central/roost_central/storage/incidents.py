"""Incidents: open ones and those that are over; what is shown comes from the rows' bodies."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.incident_row import CLOSED, OPEN, IncidentRow
from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import encode

DAYS_MAX: Final = 400  # as the transitions they tell of

_decode: Final = msgspec.msgpack.Decoder(IncidentRow).decode


async def save(connection: AsyncConnection, rows: Sequence[IncidentRow]) -> None:
    """Write incidents, new or changed."""
    await upsert(
        connection,
        tables.incident,
        [
            {
                "id": row.id,
                "state": row.state,
                "opened_ms": row.opened_ms,
                "seq": row.seq,
                "body": encode(row),
            }
            for row in rows
        ],
    )


async def load_open(connection: AsyncConnection) -> list[IncidentRow]:
    """Return the open ones in the order of their beginning."""
    c = tables.incident.c
    found = select(c.body).where(c.state == OPEN).order_by(c.opened_ms, c.id)
    return [_decode(body) for body in (await connection.execute(found)).scalars()]


async def find(connection: AsyncConnection, id_: str) -> IncidentRow | None:
    """Return one by its id."""
    c = tables.incident.c
    found = await connection.execute(select(c.body).where(c.id == id_))
    body = found.scalar_one_or_none()
    return None if body is None else _decode(body)


async def page(
    connection: AsyncConnection, state: str | None, *, before: str | None, limit: int
) -> list[IncidentRow]:
    """Return incidents, newest first, below an id (which sorts by time)."""
    c = tables.incident.c
    found = select(c.body).order_by(c.id.desc()).limit(limit)
    if state is not None:
        found = found.where(c.state == state)
    if before is not None:
        found = found.where(c.id < before)
    return [_decode(body) for body in (await connection.execute(found)).scalars()]


async def prune(connection: AsyncConnection, *, now_ms: int, days_max: int = DAYS_MAX) -> int:
    """Remove old ones that are over; return how many."""
    c = tables.incident.c
    old = (c.state == CLOSED) & (c.opened_ms < now_ms - days_max * 86_400_000)
    return (await connection.execute(delete(tables.incident).where(old))).rowcount
