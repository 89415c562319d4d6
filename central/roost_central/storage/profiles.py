"""Profiles as they were applied, each text for good."""

from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.profiles.layer import ProfileChange, ProfileRecord
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows, upsert

PAGE_MAX: Final = 1_000


async def load(connection: AsyncConnection) -> list[ProfileRecord]:
    """Return all profiles, by name."""
    c = tables.profile.c
    rows = await connection.execute(select(tables.profile).order_by(c.name))
    return [ProfileRecord(**row) for row in rows.mappings()]


async def revisions(connection: AsyncConnection) -> dict[str, int]:
    """Return the revision of each profile that counts now."""
    c = tables.profile.c
    rows = await connection.execute(select(c.name, c.revision))
    return {row.name: row.revision for row in rows}


async def last_revision(connection: AsyncConnection, name: str) -> int:
    """Return the greatest revision that a profile of this name ever had; 0: there was none."""
    c = tables.profile_change.c
    statement = select(func.coalesce(func.max(c.revision), 0)).where(c.name == name)
    return int((await connection.execute(statement)).scalar_one())


async def source_of(connection: AsyncConnection, name: str, revision: int) -> str | None:
    """Return the text that a profile had; None: it was removed, or there was no such revision."""
    c = tables.profile_change.c
    statement = select(c.source).where(c.name == name, c.revision == revision)
    return (await connection.execute(statement)).scalar_one_or_none()


async def save(connection: AsyncConnection, record: ProfileRecord, reason: str) -> None:
    """Write a profile, and its text beside those before it."""
    await upsert(connection, tables.profile, [row_of(record)])
    change = ProfileChange(
        record.name, record.revision, record.source, record.by, record.at_ms, reason
    )
    await insert_rows(connection, tables.profile_change, [row_of(change)])


async def remove(connection: AsyncConnection, change: ProfileChange) -> None:
    """Remove a profile; that it went stays."""
    await connection.execute(delete(tables.profile).where(tables.profile.c.name == change.name))
    await insert_rows(connection, tables.profile_change, [row_of(change)])


async def history(
    connection: AsyncConnection, name: str, *, limit: int = PAGE_MAX
) -> list[ProfileChange]:
    """Return the texts of a profile, the newest first."""
    table = tables.profile_change
    c = table.c
    columns = [c[name_] for name_ in ProfileChange.__slots__]
    statement = select(*columns).where(c.name == name).order_by(c.seq.desc()).limit(limit)
    rows = await connection.execute(statement)
    return [ProfileChange(**row) for row in rows.mappings()]
