"""The outbox's SQLite file: how it is opened, what it rests on, and its errors in our words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from roost_agent.errors import StorageDamagedError, StorageError

CACHE_KIB: Final = 256
WAL_PAGES_MAX: Final = 1_024  # 4 MiB: then the transaction that passes it writes the log back
WAL_BYTES_MAX: Final = 1 << 20  # of the file, once it was written back
PAGE_BYTES: Final = 4_096
PAGES_SPARE: Final = 3_072  # notes, alarms, indexes and the free list, above what the rows need

_SCHEMA: Final = """
CREATE TABLE lane (
  name TEXT PRIMARY KEY, stream BLOB NOT NULL, last INTEGER NOT NULL, mark INTEGER NOT NULL,
  epoch BLOB, dropped INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE item (
  id INTEGER PRIMARY KEY, lane TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL, run_ms INTEGER NOT NULL, size INTEGER NOT NULL, keep INTEGER NOT NULL,
  compressed INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX item_by_seq ON item (lane, seq);
CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE run (ms INTEGER NOT NULL);
INSERT INTO run VALUES (0);
"""
_ALARMS: Final = """
CREATE TABLE alarm (key TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
_STEPS: Final = {0: _SCHEMA + _ALARMS, 1: _ALARMS}  # from a version to the newest
_VERSION: Final = 2
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def told() -> Iterator[None]:
    """Tell SQLite's errors as ours, by what can be done."""
    try:
        yield
    except sqlite3.Error as err:
        code = getattr(err, "sqlite_errorcode", 0) & 0xFF
        kind = StorageDamagedError if code in _DAMAGE else StorageError
        raise kind(str(err)) from err


def connect(file: Path) -> sqlite3.Connection:
    """Return a plain connection for this thread; transactions are ours to begin and end."""
    return sqlite3.connect(file, isolation_level=None, timeout=1)


Connect = Callable[[Path], sqlite3.Connection]


def open_database(file: Path, *, bytes_max: int, connect: Connect = connect) -> sqlite3.Connection:
    """Return a connection for this thread, checked; the file is made when it is not there.

    Args:
        file: the database.
        bytes_max: what its rows may take.
        connect: opens it; a proof passes a disk that can lose power.

    Raises:
        StorageError: another journal or synchronous mode than asked for, or a newer version.
        sqlite3.Error: the file cannot be opened or read; see ``told``.
    """
    db = connect(file)
    try:
        pages = bytes_max * 5 // 4 // PAGE_BYTES + PAGES_SPARE
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{CACHE_KIB}",
            f"wal_autocheckpoint = {WAL_PAGES_MAX}",
            f"journal_size_limit = {WAL_BYTES_MAX}",
            f"max_page_count = {pages}",
            "temp_store = MEMORY",
        ):
            db.execute(f"PRAGMA {pragma}")
        _check(db)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version in _STEPS:
            db.executescript(f"BEGIN; {_STEPS[version]} COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection) -> None:
    """Read back what durability rests on, and whose file this is."""
    synchronous, journal, version = (
        db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "journal_mode", "user_version")
    )
    full = 2
    if synchronous != full or journal != "wal":
        raise StorageError(f"synchronous is {synchronous}, journal {journal}: want {full}, wal")
    if version > _VERSION:
        raise StorageError(f"the outbox is of version {version}, this agent knows {_VERSION}")
