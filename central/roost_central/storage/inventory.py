"""Inventory as kept: the sections of now, starred fields for queries, and every change.

A section's body is the zlib stream of the MessagePack of ``[items, missing]``. What a change means
is decided by ``inventory/core.py``; this file only keeps and finds.
"""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import encode
from roost_protocol.inventory import Value

CHANGE_DAYS_MAX: Final = 400
CHANGE_ROWS_MAX: Final = 20_000_000
PAGE_MAX: Final = 10_000  # changes of one answer
_ROWS_A_STATEMENT: Final = 2_000

Items = dict[str, dict[str, Value]]
Reasons = dict[str, str]

_decode_body = msgspec.msgpack.Decoder(tuple[Items, Reasons]).decode
_decode_value = msgspec.msgpack.Decoder(Value).decode


@dataclass(frozen=True, slots=True)
class SectionRecord:
    """One class of one node as last reported; ``as_of_ms`` is the node's clock at the probe."""

    section: str
    gen: int
    digest: bytes
    as_of_ms: int
    cost_ms: int
    received_ms: int
    items: Items
    missing: Reasons


@dataclass(frozen=True, slots=True)
class InventoryRecord:
    """A node's whole inventory of now."""

    node: str
    gen: int
    digest: bytes
    as_of_ms: int
    sections: dict[str, SectionRecord]


@dataclass(frozen=True, slots=True)
class NewChange:
    """One field of one item before and after; UNSET where it was not there.

    Field ``""`` is true for an item without fields; field ``"?"`` holds the reason why the value
    that ``item`` names (``"id.field"``) is missing.
    """

    section: str
    item: str
    field: str
    old: Value | UnsetType
    new: Value | UnsetType


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change as kept; ``at_ms`` is the centre's clock when it was taken in."""

    seq: int
    node: str
    at_ms: int
    gen: int
    section: str
    item: str
    field: str
    old: Value | UnsetType
    new: Value | UnsetType


@dataclass(frozen=True, slots=True)
class StarredValue:
    """One indexed field of one item: a number for numbers and booleans, else a text."""

    class_: str
    item: str
    field: str
    text: str | None
    number: float | None


async def current(connection: AsyncConnection, node: str) -> InventoryRecord | None:
    """Return a node's inventory of now, None where it never reported one."""
    c = tables.node.c
    found = await connection.execute(
        select(c.inventory_gen, c.inventory_digest, c.inventory_as_of_ms).where(c.node == node)
    )
    head = found.one_or_none()
    if head is None or head.inventory_gen is None:
        return None
    return InventoryRecord(
        node=node,
        gen=head.inventory_gen,
        digest=head.inventory_digest,
        as_of_ms=head.inventory_as_of_ms,
        sections=await sections(connection, node),
    )


async def sections(
    connection: AsyncConnection, node: str, names: Collection[str] | None = None
) -> dict[str, SectionRecord]:
    """Return the sections of a node by name, all or the named."""
    table = tables.inventory_section
    statement = select(table).where(table.c.node == node).order_by(table.c.section)
    if names is not None:
        statement = statement.where(table.c.section.in_(sorted(names)))
    rows = await connection.execute(statement)
    return {row["section"]: _section(row) for row in rows.mappings()}


async def save_section(connection: AsyncConnection, node: str, section: SectionRecord) -> None:
    """Write one section in place of what was there."""
    row = {
        "node": node,
        "section": section.section,
        "gen": section.gen,
        "digest": section.digest,
        "as_of_ms": section.as_of_ms,
        "cost_ms": section.cost_ms,
        "received_ms": section.received_ms,
        "body": zlib.compress(encode([section.items, section.missing]), 6),
    }
    await upsert(connection, tables.inventory_section, [row])


async def delete_section(connection: AsyncConnection, node: str, section: str) -> None:
    """Remove one section and its starred fields."""
    table = tables.inventory_section
    await connection.execute(delete(table).where(table.c.node == node, table.c.section == section))
    await save_values(connection, node, section, [])


async def save_head(
    connection: AsyncConnection, node: str, *, gen: int, digest: bytes, as_of_ms: int
) -> None:
    """Write the generation and digest of a node's inventory."""
    values = {"inventory_gen": gen, "inventory_digest": digest, "inventory_as_of_ms": as_of_ms}
    await connection.execute(update(tables.node).where(tables.node.c.node == node).values(**values))


async def save_values(
    connection: AsyncConnection, node: str, class_: str, values: Sequence[StarredValue]
) -> None:
    """Write the starred fields of one class in place of what was there."""
    table = tables.inventory_value
    await connection.execute(delete(table).where(table.c.node == node, table.c["class"] == class_))
    rows = [
        {
            "node": node,
            "class": value.class_,
            "item": value.item,
            "field": value.field,
            "text": value.text,
            "number": value.number,
        }
        for value in values
    ]
    await _insert(connection, table, rows)


async def append_changes(
    connection: AsyncConnection, node: str, found: Sequence[NewChange], *, gen: int, at_ms: int
) -> None:
    """Write the changes of one generation."""
    rows = [
        {
            "node": node,
            "at_ms": at_ms,
            "gen": gen,
            "section": change.section,
            "item": change.item,
            "field": change.field,
            "old": _optional(change.old),
            "new": _optional(change.new),
        }
        for change in found
    ]
    await _insert(connection, tables.inventory_change, rows)


async def changes(
    connection: AsyncConnection,
    node: str,
    *,
    since_ms: int = 0,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> list[ChangeRecord]:
    """Return a node's changes after a time, newest first, and below ``before`` by number."""
    table = tables.inventory_change
    statement = select(table).where(table.c.node == node, table.c.at_ms > since_ms)
    if before is not None:
        statement = statement.where(table.c.seq < before)
    rows = await connection.execute(
        statement.order_by(table.c.seq.desc()).limit(min(limit, PAGE_MAX))
    )
    return [_change(row) for row in rows.mappings()]


async def prune_changes(
    connection: AsyncConnection,
    *,
    now_ms: int,
    rows_max: int = CHANGE_ROWS_MAX,
    days_max: int = CHANGE_DAYS_MAX,
) -> int:
    """Remove changes past either bound, the oldest first; return how many went."""
    c = tables.inventory_change.c
    newest = (await connection.execute(select(func.max(c.seq)))).scalar_one() or 0
    old = (c.seq <= newest - rows_max) | (c.at_ms < now_ms - days_max * 86_400_000)
    return (await connection.execute(delete(tables.inventory_change).where(old))).rowcount


async def save_part(
    connection: AsyncConnection, node: str, *, gen: int, part: int, body: bytes
) -> None:
    """Keep one part of a snapshot until the others are there."""
    row = {"node": node, "gen": gen, "part": part, "body": body}
    await upsert(connection, tables.inventory_part, [row])


async def parts(connection: AsyncConnection, node: str, gen: int) -> list[bytes]:
    """Return the parts kept of one generation, in their order."""
    c = tables.inventory_part.c
    rows = await connection.execute(
        select(c.body).where(c.node == node, c.gen == gen).order_by(c.part)
    )
    return list(rows.scalars())


async def delete_parts(
    connection: AsyncConnection, node: str, *, other_than: int | None = None
) -> None:
    """Remove the parts of a node, of every generation but one."""
    c = tables.inventory_part.c
    statement = delete(tables.inventory_part).where(c.node == node)
    if other_than is not None:
        statement = statement.where(c.gen != other_than)
    await connection.execute(statement)


async def _insert(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    statement = insert(table)
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        await connection.execute(statement, rows[start : start + _ROWS_A_STATEMENT])


def _optional(value: Value | UnsetType) -> bytes | None:
    return None if value is UNSET else encode(value)


def _section(row: Any) -> SectionRecord:  # noqa: ANN401 - a mapping of the table's columns
    items, missing = _decode_body(zlib.decompress(row["body"]))
    return SectionRecord(
        section=row["section"],
        gen=row["gen"],
        digest=row["digest"],
        as_of_ms=row["as_of_ms"],
        cost_ms=row["cost_ms"],
        received_ms=row["received_ms"],
        items=items,
        missing=missing,
    )


def _change(row: Any) -> ChangeRecord:  # noqa: ANN401 - a mapping of the table's columns
    old = UNSET if row["old"] is None else _decode_value(row["old"])
    new = UNSET if row["new"] is None else _decode_value(row["new"])
    return ChangeRecord(**{**row, "old": old, "new": new})
