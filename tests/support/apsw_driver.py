"""SQLite on a file system of our own, in the shapes that the products expect.

A connection of the standard library cannot use an APSW file system, so here is APSW's connection
with sqlite3's methods, and that one with aiosqlite's. The latter runs on the loop, without a
thread: the same seed gives the same order of everything.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiosqlite
import apsw

Row = tuple[Any, ...]


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as err:
        raise sqlite3.IntegrityError(str(err)) from err
    except Exception as err:  # whatever the file system raised
        told = sqlite3.OperationalError(f"{type(err).__name__}: {err}")
        told.sqlite_errorcode = getattr(err, "result", sqlite3.SQLITE_IOERR)
        raise told from err


class Cursor:
    """The part of sqlite3.Cursor that is used. Rows are read at once."""

    arraysize = 1

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._rows: list[Row] = []
        self.description: Sequence[Row] | None = None
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Cursor":
        with _as_sqlite3():
            before = self._db.total_changes()
            cursor = self._db.cursor()
            cursor.exec_trace = self._describe
            cursor.execute(sql, tuple(parameters))
            self._rows = cursor.fetchall()
            self.rowcount = self._db.total_changes() - before
            self.lastrowid = self._db.last_insert_rowid()
        return self

    def _describe(self, cursor: apsw.Cursor, _sql: str, _bindings: object) -> bool:
        """Take the columns while there are some to ask for: before the first row."""
        self.description = [(name, *[None] * 6) for name, *_ in cursor.get_description()] or None
        return True

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> "Cursor":
        before = self._db.total_changes()
        for row in rows:
            self.execute(sql, row)
        self.rowcount = self._db.total_changes() - before
        return self

    def fetchone(self) -> Row | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())

    def close(self) -> None:
        self._rows = []


class Connection:
    """The part of sqlite3.Connection that is used; transactions are the caller's."""

    isolation_level = None

    def __init__(self, file: Path | str, vfs: str) -> None:
        with _as_sqlite3():
            self._db = apsw.Connection(str(file), vfs=vfs)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def cursor(self) -> Cursor:
        return Cursor(self._db)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self.cursor().execute(sql, parameters)

    def executescript(self, script: str) -> Cursor:
        return self.execute(script)

    def commit(self) -> None:
        if self._db.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._db.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, arguments: int, function: Any, **_options: Any) -> None:
        self._db.create_scalar_function(name, function, arguments)

    def close(self) -> None:
        with suppress(Exception):  # SQLite's own close tells nobody what failed in it either
            self._db.close(True)


class _Inline:
    """aiosqlite's queue to its thread; here the work is done at once."""

    def put_nowait(self, work: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = work
        try:
            result = function()
        except Exception as err:  # noqa: BLE001 - handed to whoever awaits
            if future is not None:
                future.set_exception(err)
        else:
            if future is not None:
                future.set_result(result)


class InlineConnection(aiosqlite.Connection):
    """aiosqlite without its thread."""

    def __init__(self, connector: Callable[[], Any]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._tx = _Inline()

    def __await__(self):
        return self._connect().__await__()
