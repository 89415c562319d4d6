"""The one statement that dialects spell differently: insert, or update what is there."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

ROWS_MAX: Final = 2_000  # rows of one executemany: past it SQLite gains nothing, memory does grow


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Collection[str] = (),
) -> None:
    """Insert rows by primary key; where the key is there, set the other columns the rows have.

    Args:
        connection: of a write transaction.
        table: its primary key is the conflict target.
        rows: all with the same keys.
        keep: columns that a row that is there keeps as they are.
    """
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in rows[0] if name not in {*keys, *keep}}
    written = (
        statement.on_conflict_do_update(index_elements=keys, set_=changes)
        if changes
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    for start in range(0, len(rows), ROWS_MAX):
        await connection.execute(written, list(rows[start : start + ROWS_MAX]))
