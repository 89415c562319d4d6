"""The database: opens it, proves its durability settings, gives out transactions.

Invariants: at most one write transaction at a time in this process (SQLite has one writer, and
waiting here beats its busy loop); a write transaction that returns is on disk. On SQLite that means
WAL and ``synchronous=FULL``, which are set on each connection and read back: NORMAL loses
acknowledged rows on a power cut (reliability.md section 1).
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, ExceptionContext, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from roost_central.errors import StorageError, StorageRefusedError, StorageUnavailableError
from roost_central.ports import Clock
from roost_central.storage import sqlite_driver
from roost_central.storage.migrate import upgrade

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_MS: Final = 5_000  # another process (a backup) may hold the file that long
READERS_MAX: Final = 4  # connections beside the writer: each costs a thread on SQLite
# Pages of one connection, as far as it touches them. A transaction of inventories dirties some
# 10 MiB of index; in SQLite's own 2 MiB its pages go to the log and are read back several times.
CACHE_KIB: Final = 32 * 1024
WRITE_SLOW_MS: Final = 1_000  # said in the log: the disk is the bottleneck then
PRIVATE: Final = 0o600
OTHERS: Final = 0o077  # the part of a mode that is not the owner's
_FAILURES: Final = (DBAPIError, PoolTimeoutError, OSError)  # asyncpg cannot connect: an OSError
_REFUSALS: Final = ("22", "23")  # SQLSTATE classes: data exception, integrity constraint violation
_MEMORY: Final = ":memory:"
_PRAGMAS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "cache_size": -CACHE_KIB,
}

AsyncCreator = Callable[..., Awaitable[Any]]


class Database:
    """An open database of the present schema."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._writing = engine.execution_options(roost_write=True)
        self._clock = clock
        self._writer = asyncio.Lock()

    @classmethod
    async def open(
        cls, url: str, *, clock: Clock, async_creator: AsyncCreator | None = None
    ) -> "Database":
        """Open a database, prove its settings and bring its schema up to date.

        Args:
            url: ``sqlite+aiosqlite:///FILE`` or ``postgresql+asyncpg://...``.
            clock: measures transactions.
            async_creator: makes the driver's connections, for a simulator without threads.

        Raises:
            StorageError: ``url``, ``pragma`` or ``schema``.
            StorageUnavailableError: the file or the server cannot be opened.
        """
        database = cls(_engine(url, async_creator), clock)
        try:
            async with database.write() as connection:
                await _check_durability(connection)
                await connection.run_sync(upgrade)
        except BaseException:
            await database.close()
            raise
        return database

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give the only write transaction; committed, durably, when the context ends well.

        Raises:
            StorageUnavailableError: the environment failed; whether it was committed is not known.
            StorageRefusedError: a value was refused; nothing was committed.
        """
        async with self._writer:
            started_ms = self._clock.mono_ms()
            try:
                async with self._writing.begin() as connection:
                    yield connection
            except _FAILURES as err:
                raise _translate(err) from err
            spent_ms = self._clock.mono_ms() - started_ms
            if spent_ms > WRITE_SLOW_MS:
                logger.warning("a write transaction took %d ms", spent_ms)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a read transaction: one snapshot, rolled back at the end.

        Raises:
            StorageUnavailableError: the environment failed.
        """
        try:
            async with self._engine.connect() as connection:
                yield connection
        except _FAILURES as err:
            raise _translate(err) from err

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def _engine(url: str, async_creator: AsyncCreator | None) -> AsyncEngine:
    try:
        parsed = make_url(url)
    except ArgumentError as err:
        raise StorageError("url", field="database", bound="a SQLAlchemy URL") from err
    drivers = {"sqlite+aiosqlite", "postgresql+asyncpg"}
    if parsed.drivername not in drivers:
        raise StorageError(
            "url", field="database", got=parsed.drivername, bound=" or ".join(sorted(drivers))
        )
    options: dict[str, Any] = {"hide_parameters": True}
    if parsed.drivername == "sqlite+aiosqlite":
        async_creator = async_creator or sqlite_driver.creator(parsed)
    if async_creator is not None:
        options["async_creator"] = async_creator
    if parsed.database in {None, "", _MEMORY} and parsed.drivername == "sqlite+aiosqlite":
        options["poolclass"] = StaticPool  # one memory, one connection
    else:
        _prepare_file(parsed)
        options["pool_size"] = READERS_MAX + 1
        options["max_overflow"] = 0
    try:
        engine = create_async_engine(parsed, **options)
    except ModuleNotFoundError as err:
        raise StorageError(
            "driver", field="database", got=err.name, bound="an installed one: roost[postgres]"
        ) from err
    if parsed.drivername == "sqlite+aiosqlite":
        event.listen(engine.sync_engine, "connect", _on_sqlite_connect)
        event.listen(engine.sync_engine, "begin", _on_sqlite_begin)
        event.listen(engine.sync_engine, "handle_error", _on_sqlite_error)
    return engine


def _prepare_file(url: URL) -> None:
    """Refuse a file in no folder before the driver starts a thread only to say so; let no other in.

    In the database are hashes of passwords and of tokens. Its journals are made with its mode.
    """
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise StorageUnavailableError("database", got=url.database, bound="an existing folder")
    try:
        path.touch(mode=PRIVATE)
        for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            if each.exists() and each.stat().st_mode & OTHERS:
                each.chmod(PRIVATE)
    except OSError as err:
        raise StorageUnavailableError("database", got=str(err), bound="a file of its own") from err


def _on_sqlite_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI
    """Set the pragmas and take transactions out of the driver's hands (it begins them late)."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for name, value in _PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def _on_sqlite_begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's sync Connection
    """Take the write lock at the start: a reader that turns writer could only fail."""
    write = connection.get_execution_options().get("roost_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _on_sqlite_error(context: ExceptionContext) -> None:
    """Let go a connection that opened for reading only, as SQLite does where the disk refuses."""
    code = getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF
    context.is_disconnect = context.is_disconnect or code == sqlite3.SQLITE_READONLY


async def _check_durability(connection: AsyncConnection) -> None:
    """Read back what was set: a build or a file system may refuse silently."""
    if connection.dialect.name == "sqlite":
        in_memory = connection.engine.url.database in {None, "", _MEMORY}
        for name, expected in _PRAGMAS.items():
            got = (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            if got != expected and not (in_memory and name == "journal_mode"):
                raise StorageError("pragma", field=name, bound=expected, got=got)
        return
    for name in ("fsync", "synchronous_commit"):
        got = (await connection.execute(text(f"SHOW {name}"))).scalar_one()
        if got != "on":
            raise StorageError("pragma", field=name, bound="on", got=got)


def _translate(err: DBAPIError | PoolTimeoutError | OSError) -> StorageError:
    """Tell what is wrong with a value, for which storage is not to blame, from all else.

    The difference matters: what was refused ends as a dead letter, all else is tried again.
    """
    if not isinstance(err, DBAPIError):
        return StorageUnavailableError("database", got=err)
    sqlstate = getattr(err.orig, "sqlstate", None)  # of PostgreSQL, whose other errors say less
    if sqlstate is not None:
        is_refusal = sqlstate.startswith(_REFUSALS)
    else:
        is_refusal = isinstance(err, IntegrityError | DataError | ProgrammingError)
    kind = StorageRefusedError if is_refusal else StorageUnavailableError
    return kind("database", got=err.orig)
