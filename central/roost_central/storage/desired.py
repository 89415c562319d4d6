"""What each node should be, by generation; nodes with the same settings share one document."""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.profiles.desired import DesiredChange, DesiredRecord, Document, body_of
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows, upsert
from roost_protocol.codec import encode
from roost_protocol.profile.field import Path

NAMED_MAX: Final = 500  # in one statement
READ_MAX: Final = 5_000  # rows at a time of many
PAGE_MAX: Final = 1_000

_decode: Final = msgspec.msgpack.Decoder(tuple[dict[str, Any], list[tuple[Path, str]]]).decode


async def heads(
    connection: AsyncConnection, nodes: Collection[str] | None = None
) -> dict[str, DesiredRecord]:
    """Return what nodes should be now, all or the named."""
    table = tables.desired
    found: dict[str, DesiredRecord] = {}
    if nodes is not None:
        for some in _some(sorted(nodes)):
            rows = await connection.execute(select(table).where(table.c.node.in_(some)))
            found |= {row.node: DesiredRecord(*row) for row in rows}
        return found
    after = ""
    while True:  # in parts: others run between them
        statement = select(table).where(table.c.node > after).order_by(table.c.node)
        part = (await connection.execute(statement.limit(READ_MAX))).all()
        found |= {row.node: DesiredRecord(*row) for row in part}
        if len(part) < READ_MAX:
            return found
        after = part[-1].node


async def documents(connection: AsyncConnection, keys: Collection[bytes]) -> dict[bytes, Document]:
    """Return documents by key."""
    table, found = tables.desired_document, {}
    for some in _some(sorted(keys)):
        rows = await connection.execute(select(table).where(table.c.key.in_(some)))
        for row in rows:
            sections, reasons = _decode(zlib.decompress(row.body))
            found[row.key] = Document(row.key, row.digest, sections, dict(reasons))
    return found


async def settings(connection: AsyncConnection, digest: bytes) -> Mapping[str, Any] | None:
    """Return the settings of a digest; documents that differ in reasons alone have the same."""
    table = tables.desired_document
    statement = select(table.c.body).where(table.c.digest == digest).limit(1)
    body = (await connection.execute(statement)).scalar_one_or_none()
    return None if body is None else _decode(zlib.decompress(body))[0]


async def save_documents(connection: AsyncConnection, made: Collection[Document]) -> None:
    """Write documents; those that are there stay as they are."""
    rows = [
        {
            "key": each.key,
            "digest": each.digest,
            "body": zlib.compress(encode(body_of(each.sections, each.reasons)), 6),
        }
        for each in made
    ]
    await upsert(connection, tables.desired_document, rows, keep=("digest", "body"))


async def save(
    connection: AsyncConnection,
    records: Sequence[DesiredRecord],
    changes: Sequence[DesiredChange],
) -> None:
    """Write what nodes should be now, and the generations that are new."""
    await upsert(connection, tables.desired, [row_of(each) for each in records])
    await insert_rows(connection, tables.desired_change, [row_of(each) for each in changes])


async def generations(
    connection: AsyncConnection, node: str, *, before: int | None = None, limit: int = PAGE_MAX
) -> list[DesiredChange]:
    """Return the generations of a node, the newest first, and below ``before``."""
    table = tables.desired_change
    statement = select(table).where(table.c.node == node)
    if before is not None:
        statement = statement.where(table.c.generation < before)
    statement = statement.order_by(table.c.generation.desc()).limit(min(limit, PAGE_MAX))
    return [DesiredChange(**row) for row in (await connection.execute(statement)).mappings()]


async def generation(connection: AsyncConnection, node: str, number: int) -> DesiredChange | None:
    """Return one generation of a node."""
    table = tables.desired_change
    statement = select(table).where(table.c.node == node, table.c.generation == number)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else DesiredChange(**row)


def _some(named: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(named), NAMED_MAX):
        yield named[start : start + NAMED_MAX]
