"""Many rows in few statements: insert, or update what is there.

The one place that knows how dialects spell it. To SQLite rows go as one statement with many
VALUES, not as an ``executemany``: sqlite3 gives up the interpreter's lock at each row, and in a
busy process each row then waits a switch interval (5 ms) to get it back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Dialect, LargeBinary, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from roost_central.storage import tables

VALUES_MAX: Final = 32_000  # of one statement: SQLite takes 32,766 parameters

STATEMENTS_MAX: Final = 128  # texts kept: two dozen tables, each written with a few sets of columns

Row = Mapping[str, Any]
Columns = tuple[str, ...]
Insert = postgresql.Insert | sqlite.Insert


async def upsert(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], *, keep: Collection[str] = ()
) -> None:
    """Insert rows by primary key; where the key is there, set the other columns the rows have.

    Args:
        connection: of a write transaction.
        table: its primary key is the conflict target; of rows with the same key the last counts.
        rows: all with the same columns.
        keep: columns that a row that is there keeps as they are.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    distinct = {tuple(row[key] for key in keys): row for row in rows}
    changes = tuple(name for name in rows[0] if name not in {*keys, *keep})
    await _write(connection, table, list(distinct.values()), changes)


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, all with the same columns, in their order."""
    if rows:
        await _write(connection, table, rows, None)


async def update_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Set columns of rows that are there, by primary key; all rows have the same columns."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    names = [name for name in rows[0] if name not in keys]
    if connection.dialect.name != "sqlite":
        statement = (
            update(table)
            .where(*(table.c[key] == bindparam(f"key_{key}") for key in keys))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        await connection.execute(
            statement,
            [
                {f"key_{key}": row[key] for key in keys}
                | {f"new_{name}": row[name] for name in names}
                for row in rows
            ],
        )
        return
    quote = connection.dialect.identifier_preparer.quote
    place = {name: f"given.column{number}" for number, name in enumerate([*keys, *names], start=1)}
    sets = ", ".join(f"{quote(name)} = {place[name]}" for name in names)
    where = " AND ".join(f"{quote(table.name)}.{quote(key)} = {place[key]}" for key in keys)
    group = f"({', '.join('?' * len(place))})"
    for chunk in _chunks(rows):
        given = f"(VALUES {', '.join([group] * len(chunk))}) AS given"
        await connection.exec_driver_sql(
            f"UPDATE {quote(table.name)} SET {sets} FROM {given} WHERE {where}",  # noqa: S608 - names
            _flat(connection, table, chunk, list(place)),
        )


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield the rows in parts that fit a statement: each is a hop to the database's thread."""
    most = VALUES_MAX // len(rows[0])
    for start in range(0, len(rows), most):
        yield rows[start : start + most]


def _flat(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], names: Sequence[str]
) -> tuple[Any, ...]:
    """Return the values of rows one after the other, as the driver takes them."""
    width = len(names)
    flat = [row[name] for row in rows for name in names]
    for place, process in _processors(connection.dialect, table, tuple(names)):
        flat[place::width] = map(process, flat[place::width])
    return tuple(flat)


@lru_cache(STATEMENTS_MAX)
def _processors(dialect: Dialect, table: Table, names: Columns) -> tuple[tuple[int, Any], ...]:
    """Return by place what makes of a column's values what the driver takes, where it must."""
    found = ((place, _processor(dialect, table.c[name].type)) for place, name in enumerate(names))
    return tuple((place, process) for place, process in found if process is not None)


def _processor(dialect: Dialect, kind: TypeEngine[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's
    """Return what SQLAlchemy does to each value, without its detours where they cost the most."""
    if isinstance(kind, tables.PlainText):
        return _plain
    if isinstance(kind, LargeBinary) and dialect.name == "sqlite":
        return None  # it would make a memoryview of bytes, which sqlite3 takes as they are
    return kind.bind_processor(dialect)


def _plain(value: str | None) -> str | None:
    return value if value is None or "\0" not in value else tables.without_nul(value)


async def _write(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], changes: Columns | None
) -> None:
    """Insert rows; ``changes`` are set where the key is there, None: it is not to be there."""
    if connection.dialect.name != "sqlite":
        statement = _on_conflict(postgresql.insert(table), table, changes)
        await connection.execute(statement, [dict(row) for row in rows])
        return
    text, group, columns = _one_row(table, tuple(rows[0]), changes)
    for chunk in _chunks(rows):
        many = text.replace(group, ", ".join([group] * len(chunk)), 1)
        await connection.exec_driver_sql(many, _flat(connection, table, chunk, columns))


@lru_cache(STATEMENTS_MAX)
def _one_row(table: Table, names: Columns, changes: Columns | None) -> tuple[str, str, Columns]:
    """Return SQLite's statement for one row, its group of parameters, and their columns.

    Compiling it costs more than running it does for the few rows of most transactions.
    """
    statement = _on_conflict(sqlite.insert(table), table, changes)
    text = str(statement.compile(dialect=sqlite.dialect(), column_keys=list(names)))
    group = f"({', '.join('?' * len(names))})"
    if group not in text:
        raise AssertionError(f"not one row of values: {text}")
    return text, group, tuple(column.name for column in table.c if column.name in names)


def _on_conflict(statement: Insert, table: Table, changes: Columns | None) -> Insert:
    if changes is None:
        return statement
    keys = [column.name for column in table.primary_key]
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=keys)
    excluded = statement.excluded
    values = {name: excluded[name] for name in changes}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)
