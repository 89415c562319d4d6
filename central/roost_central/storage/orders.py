"""Orders to nodes, kept after their end."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.orders.core import OPEN, OrderRecord, State
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert

PAGE_MAX: Final = 1_000
NAMED_MAX: Final = 500  # in one statement


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders; all conditions that are given must hold.

    Attributes:
        sites: None: of every site.
    """

    node: str | None = None
    states: Collection[State] | None = None
    sites: Collection[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions as SQL."""
        c = tables.node_order.c
        found: list[ColumnElement[bool]] = []
        if self.node is not None:
            found.append(c.node == self.node)
        if self.states is not None:
            found.append(c.state.in_([*self.states]))
        if self.sites is not None:
            found.append(c.site.in_([*self.sites]))
        return found


async def save(connection: AsyncConnection, *records: OrderRecord) -> None:
    """Write orders, new or changed."""
    await upsert(connection, tables.node_order, [row_of(each) for each in records])


async def find(connection: AsyncConnection, order_id: str) -> OrderRecord | None:
    """Return one order."""
    rows = await connection.execute(
        select(tables.node_order).where(tables.node_order.c.id == order_id)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else _record(row)


async def by_ids(connection: AsyncConnection, ids: Collection[str]) -> dict[str, OrderRecord]:
    """Return orders by id; those that are not there are left out."""
    c = tables.node_order.c
    found: dict[str, OrderRecord] = {}
    named = sorted(ids)
    for start in range(0, len(named), NAMED_MAX):
        chosen = select(tables.node_order).where(c.id.in_(named[start : start + NAMED_MAX]))
        found |= {row["id"]: _record(row) for row in (await connection.execute(chosen)).mappings()}
    return found


async def load_open(connection: AsyncConnection, *, limit: int) -> list[OrderRecord]:
    """Return the orders that have not ended, the oldest first."""
    c = tables.node_order.c
    chosen = select(tables.node_order).where(c.state.in_([*OPEN])).order_by(c.placed_ms, c.id)
    return [_record(row) for row in (await connection.execute(chosen.limit(limit))).mappings()]


async def count_open(connection: AsyncConnection, node: str) -> tuple[int, int]:
    """Return how many orders have not ended: of a node, and of all."""
    c = tables.node_order.c
    chosen = select(c.node, func.count()).where(c.state.in_([*OPEN])).group_by(c.node)
    counts: dict[str, int] = {name: count for name, count in await connection.execute(chosen)}  # noqa: C416 - rows are no pairs to mypy
    return counts.get(node, 0), sum(counts.values())


async def last_seq(connection: AsyncConnection, node: str) -> int:
    """Return the greatest number that an order to a node had."""
    c = tables.node_order.c
    found = await connection.execute(select(func.max(c.seq)).where(c.node == node))
    return found.scalar_one() or 0


async def last_sent(
    connection: AsyncConnection, node: str, verbs: Collection[str]
) -> OrderRecord | None:
    """Return the last order of some verbs that a node was sent and did not refuse."""
    c = tables.node_order.c
    done = [State.READY, State.TAKEN, State.DONE]
    chosen = select(tables.node_order).where(
        c.node == node, c.verb.in_([*verbs]), c.state.in_(done), c.sends > 0
    )
    rows = await connection.execute(chosen.order_by(c.placed_ms.desc(), c.id.desc()).limit(1))
    row = rows.mappings().one_or_none()
    return None if row is None else _record(row)


async def page(
    connection: AsyncConnection,
    query: OrderQuery,
    *,
    before: tuple[int, str] | None,
    limit: int,
) -> list[OrderRecord]:
    """Return orders, the newest first, below a place: the time it was placed, and its id."""
    c = tables.node_order.c
    chosen = select(tables.node_order).where(*query.conditions())
    if before is not None:
        at_ms, order_id = before
        chosen = chosen.where((c.placed_ms < at_ms) | ((c.placed_ms == at_ms) & (c.id < order_id)))
    chosen = chosen.order_by(c.placed_ms.desc(), c.id.desc()).limit(min(limit, PAGE_MAX))
    return [_record(row) for row in (await connection.execute(chosen)).mappings()]


async def prune(connection: AsyncConnection, *, before_ms: int) -> int:
    """Remove what ended before a time; return how many went."""
    c = tables.node_order.c
    return (
        await connection.execute(delete(tables.node_order).where(c.ended_ms < before_ms))
    ).rowcount


def _record(row: Any) -> OrderRecord:  # noqa: ANN401 - a mapping of the table's columns
    return OrderRecord(**{**row, "state": State(row["state"])})
