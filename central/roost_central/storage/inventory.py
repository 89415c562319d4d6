"""Inventory as kept: the sections of now, starred fields for queries, and every change.

A section's body is the zlib stream of the MessagePack of ``[items, missing]``. What a change means
is decided by ``inventory/core.py``; this file only keeps and finds.
"""

import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.inventory.facts import (
    FieldChange,
    Items,
    NodeInventory,
    Reasons,
    Section,
    StarredValue,
)
from roost_central.storage import tables
from roost_central.storage.rows import delete_some
from roost_central.storage.upsert import insert_rows, update_rows, upsert
from roost_protocol.codec import encode
from roost_protocol.inventory import Value

CHANGE_DAYS_MAX: Final = 400
CHANGE_ROWS_MAX: Final = 20_000_000
PAGE_MAX: Final = 10_000  # changes of one answer
NODES_MAX: Final = 500  # named in one statement

_decode_body = msgspec.msgpack.Decoder(tuple[Items, Reasons]).decode
_decode_value = msgspec.msgpack.Decoder(Value).decode


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
class HeadRecord:
    """Generation, digest and age of a node's inventory."""

    node: str
    gen: int
    digest: bytes
    as_of_ms: int


@dataclass(slots=True)
class Held:
    """What is kept of a node: its generation, every section's digest, whether parts wait."""

    gen: int | None = None
    digests: dict[str, bytes] = field(default_factory=dict)
    has_parts: bool = False


async def current(connection: AsyncConnection, node: str) -> NodeInventory | None:
    """Return a node's inventory of now, None where it never reported one."""
    c = tables.node.c
    found = await connection.execute(
        select(c.inventory_gen, c.inventory_digest, c.inventory_as_of_ms).where(c.node == node)
    )
    head = found.one_or_none()
    if head is None or head.inventory_gen is None:
        return None
    return NodeInventory(
        node=node,
        gen=head.inventory_gen,
        digest=head.inventory_digest,
        as_of_ms=head.inventory_as_of_ms,
        sections=await sections(connection, node),
    )


async def sections(
    connection: AsyncConnection, node: str, names: Collection[str] | None = None
) -> dict[str, Section]:
    """Return the sections of a node by name, all or the named."""
    table = tables.inventory_section
    statement = select(table).where(table.c.node == node).order_by(table.c.section)
    if names is not None:
        statement = statement.where(table.c.section.in_(sorted(names)))
    rows = await connection.execute(statement)
    return {row["section"]: _section(row) for row in rows.mappings()}


async def save_sections(
    connection: AsyncConnection, kept: Sequence[tuple[str, Section]], *, received_ms: int
) -> None:
    """Write sections, each with its node, in place of what was there."""
    rows = [
        {
            "node": node,
            "section": section.name,
            "gen": section.gen,
            "digest": section.digest,
            "as_of_ms": section.as_of_ms,
            "cost_ms": section.cost_ms,
            "received_ms": received_ms,
            "body": zlib.compress(encode([section.items, section.missing]), 6),
        }
        for node, section in kept
    ]
    await upsert(connection, tables.inventory_section, rows)


async def delete_section(connection: AsyncConnection, node: str, section: str) -> None:
    """Remove one section and its indexed values."""
    for table, name in ((tables.inventory_section, "section"), (tables.inventory_value, "class")):
        await connection.execute(
            delete(table).where(table.c.node == node, table.c[name] == section)
        )


async def held(connection: AsyncConnection, nodes: Collection[str]) -> dict[str, Held]:
    """Return what is kept of each of these nodes, without the sections themselves."""
    found = {node: Held() for node in nodes}
    heads, sections_, parts_ = tables.node.c, tables.inventory_section.c, tables.inventory_part.c
    for some in _some(nodes):
        rows = await connection.execute(
            select(heads.node, heads.inventory_gen).where(heads.node.in_(some))
        )
        for row in rows:
            found[row.node].gen = row.inventory_gen
        rows = await connection.execute(
            select(sections_.node, sections_.section, sections_.digest).where(
                sections_.node.in_(some)
            )
        )
        for row in rows:
            found[row.node].digests[row.section] = row.digest
        statement = select(parts_.node).where(parts_.node.in_(some)).distinct()
        for node in (await connection.execute(statement)).scalars():
            found[node].has_parts = True
    return found


async def save_heads(connection: AsyncConnection, heads: Sequence[HeadRecord]) -> None:
    """Write generation and digest of the inventory of nodes that are there."""
    rows = [
        {
            "node": head.node,
            "inventory_gen": head.gen,
            "inventory_digest": head.digest,
            "inventory_as_of_ms": head.as_of_ms,
        }
        for head in heads
    ]
    await update_rows(connection, tables.node, rows)


async def save_values(
    connection: AsyncConnection, values: Sequence[tuple[str, StarredValue]]
) -> None:
    """Write indexed values, each with its node, new or changed."""
    rows = [
        {**_key(node, value), "text": value.text, "number": value.number} for node, value in values
    ]
    await upsert(connection, tables.inventory_value, rows)


async def delete_values(
    connection: AsyncConnection, values: Sequence[tuple[str, StarredValue]]
) -> None:
    """Remove indexed values by node, section, item and field."""
    if not values:
        return
    table = tables.inventory_value
    statement = delete(table).where(
        *(column == bindparam(f"key_{column.name}") for column in table.primary_key)
    )
    rows = [
        {f"key_{name}": part for name, part in _key(node, value).items()} for node, value in values
    ]
    await connection.execute(statement, rows)


async def append_changes(
    connection: AsyncConnection, found: Sequence[tuple[str, int, FieldChange]], *, at_ms: int
) -> None:
    """Write changes, each with its node and the generation that brought it."""
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
        for node, gen, change in found
    ]
    await insert_rows(connection, tables.inventory_change, rows)


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
    limit: int,
    rows_max: int = CHANGE_ROWS_MAX,
    days_max: int = CHANGE_DAYS_MAX,
) -> int:
    """Remove at most ``limit`` of the changes past either bound; return how many went."""
    c = tables.inventory_change.c
    newest = (await connection.execute(select(func.max(c.seq)))).scalar_one() or 0
    old = (c.seq <= newest - rows_max) | (c.at_ms < now_ms - days_max * 86_400_000)
    return await delete_some(connection, tables.inventory_change, old, limit)


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


def _some(nodes: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(nodes)
    for start in range(0, len(ordered), NODES_MAX):
        yield ordered[start : start + NODES_MAX]


def _key(node: str, value: StarredValue) -> dict[str, str]:
    return {"node": node, "class": value.section, "item": value.item, "field": value.field}


def _optional(value: Value | UnsetType) -> bytes | None:
    return None if value is UNSET else encode(value)


def _section(row: Any) -> Section:  # noqa: ANN401 - a mapping of the table's columns
    items, missing = _decode_body(zlib.decompress(row["body"]))
    return Section(
        name=row["section"],
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
