"""Records to rows: shallow, for a batch holds thousands and ``dataclasses.asdict`` copies deep."""

from typing import Any

from sqlalchemy import Column, func, select
from sqlalchemy.ext.asyncio import AsyncConnection


def row_of(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any slotted dataclass of this package
    """Return a record's fields by name, as an insert takes them."""
    return {name: getattr(record, name) for name in record.__slots__}


async def number_span(connection: AsyncConnection, number: Column[int]) -> int:
    """Return how many numbers there are from the least to the greatest of a rising column.

    Both ends come from its index; to count millions of rows would take seconds.
    """
    ends = select(func.coalesce(func.max(number) - func.min(number) + 1, 0))
    return int((await connection.execute(ends)).scalar_one())
