"""Views that people keep: a page of the console, as its address says it, under a name."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """One view; no owner has two of a name."""

    id: str
    owner: str
    name: str
    page: str
    query: str
    made_ms: int


async def of_owner(connection: AsyncConnection, owner: str) -> list[ViewRecord]:
    """Return the views of one person by name."""
    c = tables.saved_view.c
    chosen = select(tables.saved_view).where(c.owner == owner).order_by(c.name)
    return [ViewRecord(**row) for row in (await connection.execute(chosen)).mappings()]


async def find(connection: AsyncConnection, id_: str) -> ViewRecord | None:
    """Return a view, whosoever it is."""
    chosen = select(tables.saved_view).where(tables.saved_view.c.id == id_)
    row = (await connection.execute(chosen)).mappings().one_or_none()
    return ViewRecord(**row) if row else None


async def save(connection: AsyncConnection, view: ViewRecord) -> None:
    """Write a view, new or changed.

    Raises:
        IntegrityError: its owner has another of this name.
    """
    await upsert(connection, tables.saved_view, [row_of(view)])


async def remove(connection: AsyncConnection, id_: str) -> None:
    """Remove a view."""
    await connection.execute(delete(tables.saved_view).where(tables.saved_view.c.id == id_))
