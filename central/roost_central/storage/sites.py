"""Sites as the operator registered them or ingest met them: labels, place, whether managed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import update_rows, upsert

NAMES_MAX: Final = 500  # of one statement


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """One site; ``revision`` is +1 at each change of labels or place.

    Whether it is managed is written by ``manage`` alone, and only read here.
    """

    site: str
    shard: int
    labels: dict[str, str]
    lat: float | None
    lon: float | None
    revision: int
    created_ms: int
    managed: bool = field(default=True, kw_only=True)
    managed_why: str = field(default="", kw_only=True)
    managed_since_ms: int | None = field(default=None, kw_only=True)


_MANAGED = frozenset({"managed", "managed_why", "managed_since_ms"})


async def load_all(connection: AsyncConnection) -> list[SiteRecord]:
    """Return every site in the order of creation."""
    rows = await connection.execute(
        select(tables.site).order_by(tables.site.c.created_ms, tables.site.c.site)
    )
    return [SiteRecord(**row) for row in rows.mappings()]


async def save(connection: AsyncConnection, sites: list[SiteRecord]) -> None:
    """Write sites, new or changed; the time of creation and whether they are managed stay."""
    rows = [
        {name: value for name, value in row_of(site).items() if name not in _MANAGED}
        for site in sites
    ]
    await upsert(connection, tables.site, rows, keep={"created_ms"})


async def manage(
    connection: AsyncConnection, sites: Iterable[str], *, managed: bool, why: str, since_ms: int
) -> None:
    """Write whether sites are managed, since when and why."""
    said = {"managed": managed, "managed_why": why, "managed_since_ms": since_ms}
    await update_rows(connection, tables.site, [{"site": site, **said} for site in sites])


async def revise(connection: AsyncConnection, sites: Collection[str]) -> None:
    """Count one more change of sites."""
    table = tables.site
    for some in _some(sorted(sites)):
        change = update(table).where(table.c.site.in_(some))
        await connection.execute(change.values(revision=table.c.revision + 1))


def _some(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), NAMES_MAX):
        yield names[start : start + NAMES_MAX]


async def delete(connection: AsyncConnection, site: str) -> bool:
    """Remove a site with its nodes, their inventory and their marks; events stay."""
    done = await connection.execute(sql_delete(tables.site).where(tables.site.c.site == site))
    return done.rowcount > 0
