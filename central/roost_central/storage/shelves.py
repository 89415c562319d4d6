"""What operators put aside: shelves and suppressions. Queries are kept as text."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class ShelfRecord:
    """A shelf; ``query`` is empty where it is of ``key_ids``."""

    id: str
    made_by: str
    reason: str
    made_ms: int
    until_ms: int
    query: str
    key_ids: list[str]


@dataclass(frozen=True, slots=True)
class SuppressionRecord:
    """A type switched off; ``until_ms`` None: until somebody ends it."""

    id: str
    type: str
    made_by: str
    reason: str
    made_ms: int
    until_ms: int | None
    query: str


async def load_shelves(connection: AsyncConnection) -> list[ShelfRecord]:
    """Return every shelf in the order of creation."""
    table = tables.shelf
    rows = await connection.execute(select(table).order_by(table.c.made_ms, table.c.id))
    return [ShelfRecord(**row) for row in rows.mappings()]


async def load_suppressions(connection: AsyncConnection) -> list[SuppressionRecord]:
    """Return every suppression in the order of creation."""
    table = tables.suppression
    rows = await connection.execute(select(table).order_by(table.c.made_ms, table.c.id))
    return [SuppressionRecord(**row) for row in rows.mappings()]


async def save_shelf(connection: AsyncConnection, shelf: ShelfRecord) -> None:
    """Write a shelf, new or changed."""
    await upsert(connection, tables.shelf, [row_of(shelf)])


async def save_suppression(connection: AsyncConnection, one: SuppressionRecord) -> None:
    """Write a suppression."""
    await upsert(connection, tables.suppression, [row_of(one)])


async def remove_shelves(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Remove shelves."""
    if ids:
        await connection.execute(delete(tables.shelf).where(tables.shelf.c.id.in_(ids)))


async def remove_suppressions(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Remove suppressions."""
    if ids:
        c = tables.suppression.c
        await connection.execute(delete(tables.suppression).where(c.id.in_(ids)))
