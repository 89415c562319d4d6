"""Board controllers as they were set, and what each node was told of them."""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.boards.core import BoardRecord, Given
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert
from roost_protocol.boards import BoardAccess, SensorSettings
from roost_protocol.codec import encode

_access = msgspec.msgpack.Decoder(BoardAccess | None).decode
_sensors = msgspec.msgpack.Decoder(SensorSettings | None).decode


async def save(connection: AsyncConnection, record: BoardRecord) -> None:
    """Write a controller in place of the one before.

    Raises:
        AssertionError: its password would be written in the clear.
    """
    assert record.access is None or not record.access.password, "closed, or not at all"  # noqa: S101
    row = row_of(record) | {"access": encode(record.access), "sensors": encode(record.sensors)}
    await upsert(connection, tables.bmc_setting, [row])


async def find(connection: AsyncConnection, node: str) -> BoardRecord | None:
    """Return one."""
    table = tables.bmc_setting
    rows = await connection.execute(select(table).where(table.c.node == node))
    row = rows.one_or_none()
    return None if row is None else _record(row)


async def load(
    connection: AsyncConnection, nodes: Collection[str] | None = None
) -> list[BoardRecord]:
    """Return all, or those of the nodes of one site."""
    chosen = select(tables.bmc_setting)
    if nodes is not None:
        chosen = chosen.where(tables.bmc_setting.c.node.in_([*nodes]))
    return [_record(row) for row in await connection.execute(chosen)]


async def load_polled(connection: AsyncConnection) -> list[BoardRecord]:
    """Return those that the centre polls, by node."""
    table = tables.bmc_setting
    chosen = select(table).where(table.c.reached_by == "centre").order_by(table.c.node)
    return [_record(row) for row in await connection.execute(chosen)]


async def count_polled(connection: AsyncConnection, other_than: str) -> int:
    """Return how many boards the centre polls, one left out."""
    table = tables.bmc_setting
    chosen = select(func.count()).where(table.c.reached_by == "centre", table.c.node != other_than)
    return int((await connection.execute(chosen)).scalar_one())


async def load_learned(connection: AsyncConnection) -> dict[str, bytes]:
    """Return what was learned of the boards that the centre polls, as JSON by node."""
    table = tables.bmc_learned
    return {row.node: row.learned for row in await connection.execute(select(table))}


async def save_learned(connection: AsyncConnection, learned: Mapping[str, bytes]) -> None:
    """Keep what was learned; of nodes that are not there nothing."""
    known = tables.node.c.node
    found = await connection.execute(select(known).where(known.in_(list(learned))))
    rows = [{"node": node, "learned": learned[node]} for node in found.scalars()]
    await upsert(connection, tables.bmc_learned, rows)


async def forget_learned(connection: AsyncConnection, nodes: Collection[str]) -> None:
    """Forget what was learned of some boards."""
    table = tables.bmc_learned
    await connection.execute(delete(table).where(table.c.node.in_([*nodes])))


async def remove(connection: AsyncConnection, node: str) -> None:
    """Forget one."""
    await connection.execute(delete(tables.bmc_setting).where(tables.bmc_setting.c.node == node))


async def load_given(
    connection: AsyncConnection, nodes: Collection[str] | None = None
) -> dict[str, Given]:
    """Return what nodes were told last: all, or those of one site."""
    chosen = select(tables.bmc_given)
    if nodes is not None:
        chosen = chosen.where(tables.bmc_given.c.node.in_([*nodes]))
    return {row.node: Given(*row) for row in await connection.execute(chosen)}


async def save_given(connection: AsyncConnection, given: Given) -> None:
    """Write what a node is told."""
    await upsert(connection, tables.bmc_given, [row_of(given)])


async def body(connection: AsyncConnection, digest: str) -> bytes:
    """Return what an order brings along; empty: something else is told by now."""
    table = tables.bmc_given
    rows = await connection.execute(select(table.c.body).where(table.c.digest == digest))
    found: bytes | None = rows.scalars().first()
    return found or b""


def _record(row) -> BoardRecord:  # type: ignore[no-untyped-def] # noqa: ANN001 - a row of the table
    return BoardRecord(
        row.node,
        _access(row.access),
        row.secret,
        _sensors(row.sensors),
        row.changed_ms,
        row.by,
        row.reached_by,
    )
