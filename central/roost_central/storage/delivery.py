"""The last order by which each node was told what it should be; kept as orders are."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.delivery.core import Attempt, Outcome
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert

NAMED_MAX: Final = 500  # in one statement


async def load(
    connection: AsyncConnection, nodes: Collection[str] | None = None
) -> dict[str, Attempt]:
    """Return attempts by node: all, or those of at most NAMED_MAX nodes."""
    chosen = select(tables.delivery)
    if nodes is not None:
        chosen = chosen.where(tables.delivery.c.node.in_([*nodes]))
    rows = (await connection.execute(chosen)).mappings()
    return {row["node"]: Attempt(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows}


async def save(connection: AsyncConnection, attempts: Sequence[Attempt]) -> None:
    """Write attempts, each in place of the one before."""
    await upsert(connection, tables.delivery, [row_of(each) for each in attempts])
