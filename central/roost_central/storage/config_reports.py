"""Which settings of nodes are not as they were told, by their last word (last_reports.CONFIG)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.last_reports import CONFIG, LastReport
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows
from roost_protocol.config_report import ConfigReport

PAGE_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class DriftRecord:
    """A setting that is not what its node was told; ``wanted`` and ``found`` are JSON, cut."""

    node: str
    setting: str
    site: str
    wanted: str
    found: str
    at_ms: int


async def save(connection: AsyncConnection, record: LastReport[ConfigReport]) -> None:
    """Write a report of a node that is there in place of the one before, and its drift."""
    await CONFIG.save(connection, [record])
    await connection.execute(delete(tables.drift).where(tables.drift.c.node == record.node))
    site = record.node.partition(".")[0]
    rows = [
        row_of(DriftRecord(record.node, each.setting, site, each.wanted, each.found, record.at_ms))
        for each in {each.setting: each for each in record.report.drift}.values()
    ]
    await insert_rows(connection, tables.drift, rows)


async def drift(
    connection: AsyncConnection,
    *,
    node: str = "",
    sites: Collection[str] | None = None,
    after: tuple[str, str] | None = None,
    limit: int = PAGE_MAX,
) -> Sequence[DriftRecord]:
    """Return settings that differ, by node and setting, past a place.

    Args:
        connection: of any transaction.
        node: of it alone; empty: of all.
        sites: of these alone; None: of all.
        after: node and setting.
        limit: how many at the most.
    """
    c = tables.drift.c
    chosen = select(tables.drift).order_by(c.node, c.setting).limit(min(limit, PAGE_MAX))
    if node:
        chosen = chosen.where(c.node == node)
    if sites is not None:
        chosen = chosen.where(c.site.in_([*sites]))
    if after is not None:
        chosen = chosen.where((c.node > after[0]) | ((c.node == after[0]) & (c.setting > after[1])))
    return [DriftRecord(**row) for row in (await connection.execute(chosen)).mappings()]
