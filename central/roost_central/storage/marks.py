"""High-water marks: up to which sequence number a stream of a node is applied."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert

STREAMS_MAX: Final = 8  # of one lane of one node: an agent that lost its state begins a new one
NODES_MAX: Final = 500  # names in one query: SQLite and PostgreSQL bound a statement's parameters


@dataclass(frozen=True, slots=True)
class Mark:
    """One stream's mark; items up to ``seq`` took effect and are on disk."""

    node: str
    stream: bytes
    lane: str
    seq: int
    at_ms: int


async def load(connection: AsyncConnection, nodes: Collection[str]) -> list[Mark]:
    """Return the marks of all streams of some nodes."""
    names = sorted(nodes)
    marks: list[Mark] = []
    for start in range(0, len(names), NODES_MAX):
        chosen = tables.mark.c.node.in_(names[start : start + NODES_MAX])
        rows = await connection.execute(select(tables.mark).where(chosen))
        marks.extend(Mark(**row) for row in rows.mappings())
    return marks


async def save(connection: AsyncConnection, marks: list[Mark]) -> None:
    """Write marks, new or moved."""
    await upsert(connection, tables.mark, [row_of(mark) for mark in marks])


async def forget_old(connection: AsyncConnection, node: str, lane: str) -> None:
    """Remove all but the STREAMS_MAX last used streams of a lane of a node."""
    mark = tables.mark
    of_lane = (mark.c.node == node, mark.c.lane == lane)
    kept = (
        select(mark.c.stream)
        .where(*of_lane)
        .order_by(mark.c.at_ms.desc(), mark.c.stream)
        .limit(STREAMS_MAX)
    )
    await connection.execute(delete(mark).where(*of_lane, mark.c.stream.not_in(kept)))
