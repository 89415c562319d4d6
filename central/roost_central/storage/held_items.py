"""What nodes report while a human has to choose about them: kept apart, and bounded.

Bounded for each node, for all, in bytes of each and in time: whoever stole a key must neither fill
the disk nor push out what another node's thief said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import insert_rows

NODE_ROWS_MAX: Final = 1_000  # the oldest of a node go first
ROWS_MAX: Final = 20_000  # of all nodes: 80 MB
BODY_BYTES_MAX: Final = 4_096  # the beginning tells what it was
TEXT_CHARS_MAX: Final = 512
DAYS_MAX: Final = 30  # an operator chose long before
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class NewHeldItem:
    """An item of a node that is shut.

    Attributes:
        at_ms: UTC, by the node's clock.
        boot_id, incarnation: of the agent that spoke: two boxes have two.
        item_seq: its number in its lane.
        text: what it says, for people; empty where it is a document.
        body: as it came.
    """

    node: str
    received_ms: int
    at_ms: int
    boot_id: bytes
    incarnation: int
    lane: str
    item_seq: int
    kind: str
    text: str
    body: bytes


@dataclass(frozen=True, slots=True)
class HeldItem:
    """An item as kept; ``body`` is cut, ``size_bytes`` is what it was."""

    seq: int
    node: str
    received_ms: int
    at_ms: int
    boot_id: bytes
    incarnation: int
    lane: str
    item_seq: int
    kind: str
    text: str
    size_bytes: int
    body: bytes


async def append(connection: AsyncConnection, items: Sequence[NewHeldItem]) -> None:
    """Keep items, and no more than the bounds of each node and of all."""
    if not items:
        return
    rows = [
        {
            "node": item.node,
            "received_ms": item.received_ms,
            "at_ms": item.at_ms,
            "boot_id": item.boot_id,
            "incarnation": item.incarnation,
            "lane": item.lane,
            "item_seq": item.item_seq,
            "kind": item.kind,
            "text": item.text[:TEXT_CHARS_MAX],
            "size_bytes": len(item.body),
            "body": item.body[:BODY_BYTES_MAX],
        }
        for item in items
    ]
    await insert_rows(connection, tables.held_item, rows)
    c = tables.held_item.c
    for node in sorted({item.node for item in items}):
        past = _past(NODE_ROWS_MAX, c.node == node)
        await connection.execute(delete(tables.held_item).where(c.node == node, c.seq <= past))
    # By rows that are left, not by numbers: those that one node has used up are no other's.
    await connection.execute(delete(tables.held_item).where(c.seq <= _past(ROWS_MAX)))


def _past(rows_max: int, *of: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the newest row that is too much."""
    seq = tables.held_item.c.seq
    newest = select(seq).where(*of).order_by(seq.desc())
    return newest.offset(rows_max).limit(1).scalar_subquery()


async def page(
    connection: AsyncConnection, node: str, *, before: int | None = None, limit: int = 100
) -> list[HeldItem]:
    """Return what a node said while it was shut, newest first."""
    c = tables.held_item.c
    statement = select(tables.held_item).where(c.node == node).order_by(c.seq.desc()).limit(limit)
    if before is not None:
        statement = statement.where(c.seq < before)
    rows = await connection.execute(statement)
    return [HeldItem(**row) for row in rows.mappings()]


async def prune(connection: AsyncConnection, *, now_ms: int) -> int:
    """Remove what is older than DAYS_MAX; return how many rows went."""
    old = tables.held_item.c.received_ms < now_ms - DAYS_MAX * _DAY_MS
    return (await connection.execute(delete(tables.held_item).where(old))).rowcount
