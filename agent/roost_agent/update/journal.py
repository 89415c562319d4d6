"""The agent's journal of updates: SQLite, WAL, ``synchronous=FULL``.

What the core records is on the disk before anything that follows is done. Rows form a chain: each
has the hash of the one before, and the newest is told as the receipt of where the node is.

Blocking: called from one thread at a time. Nothing in it is secret.
"""

import logging
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from roost_agent.errors import StorageError
from roost_agent.update.baseline import Baseline
from roost_agent.update.events import Record, State

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

NAME: Final = "journal.db"
JOBS_MAX: Final = 32  # ended ones that are remembered; the oldest goes with its rows
HISTORY_MAX: Final = 200  # rows of one answer
BUSY_S: Final = 5.0
HOLD_MS_MAX: Final = 7 * 86_400_000  # a hold that is forgotten ends
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


class Kept(msgspec.Struct, frozen=True):
    """What a job asks of this node, as far as it is known.

    Attributes:
        reboot, drain: of the release's manifest; from the download on.
        was_reached: the node beat as the site let it go on: so it must do so again.
        was_drained: the site's own programs were asked to move what runs here.
        was_locked: somebody had locked the host before, so it stays that.
        before: what ran and was raised as the site let it go on; None: not known.
        expected: types of alarms that the manifest calls no failure.
        had: the release ran here already, so nothing was done.
    """

    reboot: bool = False
    drain: bool = False
    was_reached: bool = False
    was_locked: bool = False
    was_drained: bool = False
    before: Baseline | None = None
    expected: tuple[str, ...] = ()
    had: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """A job that has not ended.

    Attributes:
        offer: the order's body.
        state: of its newest line; None: it was taken up and nothing more.
    """

    job: str
    attempt: int
    offer: bytes
    kept: Kept
    state: State | None


class Line(msgspec.Struct, frozen=True):
    """One row for people.

    Attributes:
        ended: the step that came to its end before it.
        why: it failed.
    """

    at_ms: int
    job: str
    attempt: int
    step: str
    ended: str
    why: str
    receipt: str


class Hold(msgspec.Struct, frozen=True):
    """A person on this node lets nothing go in; UTC."""

    until_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the node has signed of a job that ended (install_receipt.py)."""

    counter: int
    job: str
    attempt: int
    body: bytes
    signature: bytes


class Journal:
    """The journal in a folder.

    Args:
        folder: the agent's; made where it is absent.
        connect: opens the file.
    """

    def __init__(
        self, folder: Path, connect: "Callable[[Path], sqlite3.Connection] | None" = None
    ) -> None:
        self._folder = folder
        self._connect = _connected if connect is None else connect
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open it; a kill in the middle of a write left the row before.

        Raises:
            StorageError: it cannot be, or does not bring to the disk what it is told to.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            db = self._connect(self._folder / NAME)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            if db.execute("PRAGMA synchronous").fetchone() != (FULL,):
                raise StorageError(f"{self._folder / NAME}: not synchronous: nothing is installed")
            db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as err:
            raise StorageError(f"{self._folder / NAME}: {err}") from err
        self._db = db

    def open_to_read(self) -> None:
        """Open it beside the agent that writes to it.

        Raises:
            StorageError: there is none, or it cannot be read.
        """
        from urllib.parse import quote  # noqa: PLC0415 - 0.5 MiB, not for who keeps it

        try:
            path = f"file:{quote(str(self._folder / NAME))}?mode=ro"
            self._db = sqlite3.connect(path, uri=True, timeout=BUSY_S)
            self._db.execute("SELECT 1 FROM job")
        except sqlite3.Error as err:
            raise StorageError(f"{self._folder / NAME}: {err}") from err

    def close(self) -> None:
        """Close it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def begin(self, job: str, attempt: int, offer: bytes) -> None:
        """Take a job up.

        Raises:
            StorageError: it is not on the disk.
        """
        row = (job, attempt, offer, msgspec.json.encode(Kept()))
        self._write([("INSERT INTO job (job, attempt, offer, plan) VALUES (?, ?, ?, ?)", row)])

    def keep(self, job: str, attempt: int, kept: Kept) -> None:
        """Write what is known of what a job asks.

        Raises:
            StorageError: it is not on the disk.
        """
        row = (msgspec.json.encode(kept), job, attempt)
        self._write([("UPDATE job SET plan = ? WHERE job = ? AND attempt = ?", row)])

    def record(self, job: str, attempt: int, record: Record, at_ms: int, outcome: str) -> str:
        """Write where a job is; return the receipt, the hash of the new line.

        Args:
            job: of the site.
            attempt: of it.
            record: of the core.
            at_ms: UTC.
            outcome: how it ended; empty: it has not.

        Raises:
            StorageError: it is not on the disk.
        """
        rows, receipt = self._line(job, attempt, record, at_ms)
        if outcome:
            rows.append(
                (
                    "UPDATE job SET outcome = ? WHERE job = ? AND attempt = ?",
                    (outcome, job, attempt),
                )
            )
            rows += self._forgetting()
        self._write(rows)
        return receipt

    def have(self, found: "Open", record: Record, at_ms: int, outcome: str) -> str:
        """Write a job that has ended as it came, all at once; return the receipt.

        Raises:
            StorageError: it is not on the disk.
        """
        columns = "job, attempt, offer, plan, outcome"
        plan = msgspec.json.encode(found.kept)
        row = (found.job, found.attempt, found.offer, plan, outcome)
        lines, receipt = self._line(found.job, found.attempt, record, at_ms)
        begin: tuple[str, tuple[object, ...]] = (
            f"INSERT INTO job ({columns}) VALUES (?, ?, ?, ?, ?)", row  # noqa: S608 - names
        )  # fmt: skip
        self._write([begin, *lines, *self._forgetting()])
        return receipt

    def _line(
        self, job: str, attempt: int, record: Record, at_ms: int
    ) -> "tuple[list[tuple[str, tuple[object, ...]]], str]":
        """Return what writes a line, and its hash."""
        state = msgspec.json.encode(record.state)
        ended = "" if record.ended is None else str(record.ended)
        said = (job, attempt, at_ms, ended, record.why, state)
        hashed = sha256(self._newest() + msgspec.json.encode(said)).digest()
        columns = "job, attempt, at_ms, ended, why, state, hash"
        rows: list[tuple[str, tuple[object, ...]]] = [
            (f"INSERT INTO line ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", (*said, hashed))  # noqa: S608 - names
        ]
        return rows, hashed.hex()

    def opened(self) -> Open | None:
        """Return the job that has not ended.

        Raises:
            StorageError: it cannot be read.
        """
        return self._one("WHERE outcome = ''")

    def last(self) -> Open | None:
        """Return the job that ended last: others of the site may still be at it.

        Raises:
            StorageError: it cannot be read.
        """
        newest = "SELECT job, attempt FROM line ORDER BY n DESC LIMIT 1"
        return self._one(f"WHERE (job, attempt) = ({newest})")

    def _one(self, which: str) -> Open | None:
        rows = self._read(f"SELECT job, attempt, offer, plan FROM job {which}")  # noqa: S608 - ours
        if not rows:
            return None
        job, attempt, offer, plan = rows[0]
        query = "SELECT state FROM line WHERE job = ? AND attempt = ? ORDER BY n DESC LIMIT 1"
        lines = self._read(query, job, attempt)
        try:
            kept = msgspec.json.decode(plan, type=Kept)
            state = msgspec.json.decode(lines[0][0], type=State) if lines else None
        except msgspec.MsgspecError as err:
            log.error("update: job %s.%d is given up: %s", job, attempt, err)  # noqa: TRY400
            self.abandon(job, attempt)
            return None
        return Open(job, attempt, offer, kept, state)

    def abandon(self, job: str, attempt: int) -> None:
        """Give up a job that another version wrote, or a bad disk: the agent has to go on.

        Raises:
            StorageError: it is not on the disk.
        """
        query = "UPDATE job SET outcome = 'failed' WHERE job = ? AND attempt = ?"
        self._write([(query, (job, attempt))])

    def known(self) -> dict[tuple[str, int], str]:
        """Return the jobs that are known, by job and attempt, and how they ended."""
        rows = self._read("SELECT job, attempt, outcome FROM job")
        return {(job, attempt): outcome for job, attempt, outcome in rows}

    def lines(self, count: int = HISTORY_MAX) -> list[Line]:
        """Return the newest lines, oldest first."""
        query = "SELECT at_ms, job, attempt, state, ended, why, hash FROM line ORDER BY n DESC"
        found = self._read(f"{query} LIMIT ?", min(count, HISTORY_MAX))
        return [
            Line(at, job, attempt, _step(state), ended, why, hashed.hex())
            for at, job, attempt, state, ended, why, hashed in reversed(found)
        ]

    def count(self, job: str, attempt: int) -> int:
        """Return how many lines a job has."""
        query = "SELECT count(*) FROM line WHERE job = ? AND attempt = ?"
        return int(self._read(query, job, attempt)[0][0])

    def hold(self) -> Hold | None:
        """Return what a person holds, whether it has ended or not."""
        rows = self._read("SELECT until_ms, why FROM hold")
        return Hold(*rows[0]) if rows else None

    def set_hold(self, hold: Hold | None) -> None:
        """Write what a person holds; None: nothing any more.

        Raises:
            StorageError: it is not on the disk.
        """
        rows: list[tuple[str, tuple[object, ...]]] = [("DELETE FROM hold", ())]
        if hold is not None:
            row = (hold.until_ms, hold.why)
            rows.append(("INSERT INTO hold (one, until_ms, why) VALUES (1, ?, ?)", row))
        self._write(rows)

    def receipt(self) -> Receipt | None:
        """Return the newest receipt; None: there is none."""
        query = "SELECT counter, job, attempt, body, signature FROM receipt"
        rows = self._read(f"{query} ORDER BY counter DESC LIMIT 1")
        return Receipt(*rows[0]) if rows else None

    def put_receipt(self, receipt: Receipt) -> None:
        """Keep a receipt, in the place of the one before: the centre has that.

        Raises:
            StorageError: it is not on the disk.
        """
        row = (receipt.counter, receipt.job, receipt.attempt, receipt.body, receipt.signature)
        insert = "INSERT INTO receipt (counter, job, attempt, body, signature)"
        rows: list[tuple[str, tuple[object, ...]]] = [
            ("DELETE FROM receipt", ()),
            (f"{insert} VALUES (?, ?, ?, ?, ?)", row),
        ]
        self._write(rows)

    def _newest(self) -> bytes:
        rows = self._read("SELECT hash FROM line ORDER BY n DESC LIMIT 1")
        return bytes(rows[0][0]) if rows else b""

    def _forgetting(self) -> list[tuple[str, tuple[object, ...]]]:
        """Return what removes the oldest jobs that have ended, with their lines."""
        query = (
            "SELECT job, attempt, max(n) FROM line JOIN job USING (job, attempt)"
            " WHERE outcome != '' GROUP BY job, attempt ORDER BY 3 DESC"
        )
        gone = [(job, attempt) for job, attempt, _ in self._read(query)[JOBS_MAX - 1 :]]
        return [
            (f"DELETE FROM {table} WHERE job = ? AND attempt = ?", each)  # noqa: S608 - names
            for each in gone
            for table in ("line", "job")
        ]

    def _read(self, query: str, *given: object) -> list[Any]:
        try:
            return self._connection.execute(query, given).fetchall()
        except sqlite3.Error as err:
            raise StorageError(f"{self._folder / NAME}: {err}") from err

    def _write(self, rows: list[tuple[str, tuple[object, ...]]]) -> None:
        """Write rows in one transaction, on the disk when it returns."""
        db = self._connection
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                for query, given in rows:
                    db.execute(query, given)
                db.execute("COMMIT")
            except sqlite3.Error:
                db.rollback()
                raise
        except sqlite3.Error as err:
            raise StorageError(f"{self._folder / NAME}: {err}") from err

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise StorageError(f"{self._folder / NAME}: not open")
        return self._db


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _step(state: bytes) -> str:
    try:
        return str(msgspec.json.decode(state, type=State).step)
    except msgspec.MsgspecError:
        return "?"
