"""Inventory as kept: the sections of now, starred fields for queries, and every change.

A section's body is the zlib stream of the MessagePack of ``[items, missing]``. What a change means
is decided by ``inventory/core.py``; this file only keeps and finds.
"""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Select, bindparam, delete, func, literal, select, tuple_
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
SECTIONS_MAX: Final = 500  # read, or encoded and written, by one statement: some 10 ms of work

_decode_body = msgspec.msgpack.Decoder(tuple[Items, Reasons]).decode
_decode_digests = msgspec.msgpack.Decoder(dict[str, bytes]).decode
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
    return {row["section"]: section_of(row) for row in rows.mappings()}


async def kept(
    connection: AsyncConnection, named: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Any]:
    """Return the rows of sections that are named by node and section; ``section_of`` decodes."""
    found: dict[tuple[str, str], Any] = {}
    for start in range(0, len(named), SECTIONS_MAX):
        rows = await connection.execute(kept_statement(named[start : start + SECTIONS_MAX]))
        for row in rows.mappings():
            found[row["node"], row["section"]] = row
    return found


def kept_statement(named: Sequence[tuple[str, str]]) -> Select[Any]:
    """Return what finds sections by node and section.

    By the pairs alone SQLite reads the whole table: it has no index for a list of rows.
    """
    c = tables.inventory_section.c
    nodes, names = (sorted({pair[place] for pair in named}) for place in (0, 1))
    is_near = c.node.in_(nodes) & c.section.in_(names)
    return select(tables.inventory_section).where(is_near, tuple_(c.node, c.section).in_(named))


async def bodies(
    connection: AsyncConnection, name: str, nodes: Collection[str]
) -> dict[str, tuple[Items, Reasons]]:
    """Return items and missing reasons of one section of some nodes, NODES_MAX at most."""
    table = tables.inventory_section
    rows = await connection.execute(
        select(table.c.node, table.c.body).where(
            table.c.section == name, table.c.node.in_(sorted(nodes))
        )
    )
    return {row.node: _decode_body(zlib.decompress(row.body)) for row in rows}


async def items_of(
    connection: AsyncConnection, nodes: Collection[str], names: Collection[str]
) -> dict[str, dict[str, Items]]:
    """Return the items of the named sections, by node; a node that reported none is left out."""
    c = tables.inventory_section.c
    found: dict[str, dict[str, Items]] = {}
    for some in _some(nodes):
        rows = await connection.execute(
            select(c.node, c.section, c.body).where(c.node.in_(some), c.section.in_(sorted(names)))
        )
        for row in rows:
            items, _ = _decode_body(zlib.decompress(row.body))
            found.setdefault(row.node, {})[row.section] = items
    return found


async def save_sections(
    connection: AsyncConnection, kept: Sequence[tuple[str, Section]], *, received_ms: int
) -> None:
    """Write sections, each with its node, in place of what was there."""
    for start in range(0, len(kept), SECTIONS_MAX):
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
            for node, section in kept[start : start + SECTIONS_MAX]
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
    head, digests, part = tables.node.c, tables.inventory_digests.c, tables.inventory_part.c
    has_parts = select(literal(1)).where(part.node == head.node).exists()
    statement = select(head.node, head.inventory_gen, digests.digests, has_parts).select_from(
        tables.node.outerjoin(tables.inventory_digests)
    )
    for some in _some(nodes):
        rows = await connection.execute(statement.where(head.node.in_(some)))
        for node, gen, body, is_waiting in rows:
            digests_ = {} if body is None else _decode_digests(body)
            found[node] = Held(gen, digests_, bool(is_waiting))
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


async def save_digests(
    connection: AsyncConnection, digests: Mapping[str, Mapping[str, bytes]]
) -> None:
    """Write the digest of every section of nodes, by node and section."""
    rows = [{"node": node, "digests": encode(each)} for node, each in digests.items()]
    await upsert(connection, tables.inventory_digests, rows)


async def save_values(
    connection: AsyncConnection, values: Sequence[tuple[str, StarredValue]]
) -> None:
    """Write indexed values, each with its node, new or changed."""
    rows = [
        {
            **_key(node, value),
            "text": value.text,
            "number": value.number,
            "place": value.place,
        }
        for node, value in values
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


async def delete_index(connection: AsyncConnection, nodes: Collection[str]) -> None:
    """Remove every indexed value of some nodes, NODES_MAX at most."""
    table = tables.inventory_value
    await connection.execute(delete(table).where(table.c.node.in_(sorted(nodes))))


async def reporting(connection: AsyncConnection) -> list[str]:
    """Return the nodes that have reported an inventory, in order of their names."""
    c = tables.node.c
    rows = await connection.execute(
        select(c.node).where(c.inventory_gen.is_not(None)).order_by(c.node)
    )
    return list(rows.scalars())


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
    return [change_of(row) for row in rows.mappings()]


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


def section_of(row: Any) -> Section:  # noqa: ANN401 - a mapping of the table's columns
    """Return a row of sections as a section."""
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


def change_of(row: Any) -> ChangeRecord:  # noqa: ANN401 - a mapping of the table's columns
    """Return a row of changes as a record."""
    old = UNSET if row["old"] is None else _decode_value(row["old"])
    new = UNSET if row["new"] is None else _decode_value(row["new"])
    return ChangeRecord(**{**row, "old": old, "new": new})
