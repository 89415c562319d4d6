"""Staged changes with their nodes; kept after their end."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.staged.core import StagedChange, StagedNode, State
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows, upsert

PAGE_MAX: Final = 200
NAMED_MAX: Final = 500  # in one statement


async def save(connection: AsyncConnection, change: StagedChange) -> None:
    """Write where a change stands."""
    row = row_of(change)
    kept = {**row, "profiles": dict(change.profiles), "sizes": list(change.sizes)}
    await upsert(connection, tables.staged_change, [kept])


async def add_nodes(connection: AsyncConnection, change: str, nodes: Sequence[StagedNode]) -> None:
    """Write the nodes of a new change."""
    rows = [{"change": change, **row_of(each)} for each in nodes]
    await insert_rows(connection, tables.staged_node, rows)


async def load(connection: AsyncConnection, states: Collection[State]) -> list[StagedChange]:
    """Return the changes in some states, the oldest first."""
    c = tables.staged_change.c
    chosen = select(tables.staged_change).where(c.state.in_([*states]))
    rows = await connection.execute(chosen.order_by(c.made_ms, c.id))
    return [_change(row) for row in rows.mappings()]


async def find(connection: AsyncConnection, change: str) -> StagedChange | None:
    """Return one change."""
    chosen = select(tables.staged_change).where(tables.staged_change.c.id == change)
    row = (await connection.execute(chosen)).mappings().one_or_none()
    return None if row is None else _change(row)


async def newest(connection: AsyncConnection, limit: int = PAGE_MAX) -> list[StagedChange]:
    """Return changes, the newest first."""
    c = tables.staged_change.c
    chosen = select(tables.staged_change).order_by(c.made_ms.desc(), c.id).limit(limit)
    return [_change(row) for row in (await connection.execute(chosen)).mappings()]


async def of_nodes(connection: AsyncConnection, named: Collection[str]) -> set[str]:
    """Return the changes that nodes are or were in."""
    c, found = tables.staged_node.c, set[str]()
    ordered = sorted(named)
    for start in range(0, len(ordered), NAMED_MAX):
        some = ordered[start : start + NAMED_MAX]
        found |= {*(await connection.scalars(select(c.change).distinct().where(c.node.in_(some))))}
    return found


async def nodes(connection: AsyncConnection, change: str) -> list[StagedNode]:
    """Return the nodes of a change."""
    c = tables.staged_node.c
    columns = (c.node, c.stage, c.former_generation, c.former_document)
    rows = await connection.execute(select(*columns).where(c.change == change).order_by(c.node))
    return [StagedNode(*row) for row in rows]


def _change(row: Any) -> StagedChange:  # noqa: ANN401 - a mapping of the table's columns
    return StagedChange(**{**row, "state": State(row["state"])})
