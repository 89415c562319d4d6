"""Sites as the operator registered them or ingest met them: labels, place, revision."""

from dataclasses import dataclass

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """One site; ``revision`` is +1 at each change of labels or place."""

    site: str
    shard: int
    labels: dict[str, str]
    lat: float | None
    lon: float | None
    revision: int
    created_ms: int


async def load_all(connection: AsyncConnection) -> list[SiteRecord]:
    """Return every site in the order of creation."""
    rows = await connection.execute(
        select(tables.site).order_by(tables.site.c.created_ms, tables.site.c.site)
    )
    return [SiteRecord(**row) for row in rows.mappings()]


async def save(connection: AsyncConnection, sites: list[SiteRecord]) -> None:
    """Write sites, new or changed; the time of creation stays."""
    await upsert(connection, tables.site, [row_of(site) for site in sites], keep={"created_ms"})


async def delete(connection: AsyncConnection, site: str) -> bool:
    """Remove a site with its nodes, their inventory and their marks; events stay."""
    done = await connection.execute(sql_delete(tables.site).where(tables.site.c.site == site))
    return done.rowcount > 0
