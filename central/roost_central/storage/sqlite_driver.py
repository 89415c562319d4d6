"""aiosqlite with one visit to its thread for each statement instead of four.

aiosqlite asks its thread for a cursor, then to execute, to fetch and to close. Each visit wakes the
event loop, and on a busy loop waits for the interpreter's lock twice; a write transaction holds the
only write lock meanwhile. Here a statement is executed, read to its end and closed in one visit.

Invariant: what a visit began is never assumed to be undone. Where somebody was cancelled in one,
the next rollback visits the thread behind it, whatever the connection looks like from here.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Self

import aiosqlite
from sqlalchemy import URL

STATEMENTS_KEPT: Final = 256  # prepared, for each connection; the product has about 150
_CHUNK_ROWS: Final = 64  # aiosqlite's own default; nothing here reads in chunks


class Cursor:
    """What SQLAlchemy asks of a driver's cursor; its rows are here when ``execute`` returns."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement and read all its rows."""
        await self._connection.visit(self._executed, "execute", sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Execute a statement for each of many rows."""
        await self._connection.visit(self._executed, "executemany", sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Do nothing: it was closed when it had been read."""

    def _executed(self, raw: sqlite3.Connection, how: str, sql: str, parameters: Any) -> None:  # noqa: ANN401 - DBAPI
        """Run in the connection's thread."""
        cursor = raw.cursor()
        try:
            getattr(cursor, how)(sql, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """aiosqlite's connection and thread, with cursors of our own."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, _CHUNK_ROWS)
        self._thread.daemon = (
            True  # as the dialect does: a connection left open ends no process late
        )
        self._is_cut = False

    def cursor(self) -> Cursor:  # type: ignore[override]  # at once, without a visit
        """Return a cursor; it costs nothing until it executes."""
        return Cursor(self)

    async def visit(self, do: Callable[..., None], *args: object) -> None:
        """Do something with the raw connection, in its thread."""
        await self._execute(do, self._conn, *args)

    async def rollback(self) -> None:
        """Roll back, where there is something to roll back."""
        if self._is_cut or self.in_transaction:
            await super().rollback()
            self._is_cut = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - aiosqlite's
        try:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # aiosqlite's
        except asyncio.CancelledError:
            self._is_cut = True  # it is done nevertheless, and nobody sees when
            raise


def creator(url: URL) -> Callable[[], Awaitable[Connection]]:
    """Return what opens connections to a database file."""
    args, options = url.get_dialect()().create_connect_args(url)
    options.setdefault("cached_statements", STATEMENTS_KEPT)

    async def opened() -> Connection:
        connection = Connection(lambda: sqlite3.connect(*args, **options))  # type: ignore[call-overload]  # by SQLAlchemy
        _opened = await connection  # itself
        return connection

    return opened
