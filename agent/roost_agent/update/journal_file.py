"""The SQLite file of the journal of updates: WAL, ``synchronous=FULL``, one transaction a write.

What was written is on the disk when the call returns, and a write that fails leaves nothing of
itself. SQLite's errors are told as ours, with the path.
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from roost_agent.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

NAME: Final = "journal.db"
BUSY_S: Final = 5.0
FULL: Final = 2  # of PRAGMA synchronous
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS job (
    job TEXT NOT NULL, attempt INTEGER NOT NULL, offer BLOB NOT NULL, plan BLOB NOT NULL,
    outcome TEXT NOT NULL DEFAULT '', PRIMARY KEY (job, attempt)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS line (
    n INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, attempt INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, ended TEXT NOT NULL, why TEXT NOT NULL, state BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS hold (
    one INTEGER PRIMARY KEY CHECK (one = 1), until_ms INTEGER NOT NULL, why TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS receipt (
    counter INTEGER PRIMARY KEY, job TEXT NOT NULL, attempt INTEGER NOT NULL,
    body BLOB NOT NULL, signature BLOB NOT NULL
);
"""
Statement: TypeAlias = tuple[str, tuple[object, ...]]  # SQL, and what stands for its marks


class JournalFile:
    """The file in a folder.

    Args:
        folder: the agent's; made where it is absent.
        connect: opens the file; a proof passes a disk that can lose power.
    """

    def __init__(
        self, folder: Path, connect: "Callable[[Path], sqlite3.Connection] | None" = None
    ) -> None:
        self._path = folder / NAME
        self._connect = _connected if connect is None else connect
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open it; a kill in the middle of a write left the row before.

        Raises:
            StorageError: it cannot be, or does not bring to the disk what it is told to.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            db = self._connect(self._path)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            if db.execute("PRAGMA synchronous").fetchone() != (FULL,):
                raise StorageError(f"{self._path}: not synchronous: nothing is installed")
            db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as err:
            raise StorageError(f"{self._path}: {err}") from err
        self._db = db

    def open_to_read(self) -> None:
        """Open it beside the agent that writes to it.

        Raises:
            StorageError: there is none, or it cannot be read.
        """
        from urllib.parse import quote  # noqa: PLC0415 - 0.5 MiB, not for who keeps it

        try:
            path = f"file:{quote(str(self._path))}?mode=ro"
            self._db = sqlite3.connect(path, uri=True, timeout=BUSY_S)
            self._db.execute("SELECT 1 FROM job")
        except sqlite3.Error as err:
            raise StorageError(f"{self._path}: {err}") from err

    def close(self) -> None:
        """Close it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @property
    def db(self) -> sqlite3.Connection:
        """The connection.

        Raises:
            StorageError: it is not open.
        """
        if self._db is None:
            raise StorageError(f"{self._path}: not open")
        return self._db

    def read(self, query: str, *given: object) -> list[Any]:
        """Return the rows that a query finds.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return self.db.execute(query, given).fetchall()
        except sqlite3.Error as err:
            raise StorageError(f"{self._path}: {err}") from err

    def write(self, statements: list[Statement]) -> None:
        """Write in one transaction, on the disk when it returns.

        Raises:
            StorageError: nothing of it was written.
        """
        db = self.db
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                for query, given in statements:
                    db.execute(query, given)
                db.execute("COMMIT")
            except sqlite3.Error:
                db.rollback()
                raise
        except sqlite3.Error as err:
            raise StorageError(f"{self._path}: {err}") from err


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
