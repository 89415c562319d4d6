"""Records to rows: shallow, for a batch holds thousands and ``dataclasses.asdict`` copies deep."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection


def row_of(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any slotted dataclass of this package
    """Return a record's fields by name, as an insert takes them."""
    return {name: getattr(record, name) for name in record.__slots__}


async def delete_some(
    connection: AsyncConnection, table: Table, old: ColumnElement[bool], limit: int
) -> int:
    """Remove at most ``limit`` of the rows that match, in any order; return how many went."""
    some = select(table.c.seq).where(old).limit(limit)
    return (await connection.execute(delete(table).where(table.c.seq.in_(some)))).rowcount


async def number_span(connection: AsyncConnection, number: Column[int]) -> int:
    """Return how many numbers there are from the least to the greatest of a rising column.

    Both ends come from its index; to count millions of rows would take seconds.
    """
    ends = select(func.coalesce(func.max(number) - func.min(number) + 1, 0))
    return int((await connection.execute(ends)).scalar_one())
