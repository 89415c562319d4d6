"""The agent's journal of updates: which jobs were here, where each is, and how it ended.

What the core records is on the disk before anything that follows is done. Rows form a chain: each
has the hash of the one before, and the newest is told as the receipt of where the node is.

Blocking: called from one thread at a time. Nothing in it is secret.
Leaves to others: the file (journal_file.py), what its rows say (kept.py).
"""

import logging
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from roost_agent.update.events import Record, State
from roost_agent.update.journal_file import JournalFile, Statement
from roost_agent.update.kept import Hold, Kept, Line, Open, Receipt
from roost_agent.update.step import Step

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

log = logging.getLogger(__name__)

JOBS_MAX: Final = 32  # ended ones that are remembered; the oldest goes with its rows
HISTORY_MAX: Final = 200  # rows of one answer


class Journal:
    """The journal in a folder.

    Args:
        folder, connect: see JournalFile.
    """

    def __init__(
        self, folder: Path, connect: "Callable[[Path], sqlite3.Connection] | None" = None
    ) -> None:
        self._file = JournalFile(folder, connect)
        self.open = self._file.open
        self.open_to_read = self._file.open_to_read
        self.close = self._file.close

    def begin(self, job: str, attempt: int, offer: bytes, kept: Kept) -> None:
        """Take a job up, with what is known of it by the offer alone.

        Raises:
            StorageError: it is not on the disk.
        """
        self._file.write([_taken(job, attempt, offer, kept)])

    def keep(self, job: str, attempt: int, kept: Kept) -> None:
        """Write what is known of what a job asks.

        Raises:
            StorageError: it is not on the disk.
        """
        row = (msgspec.json.encode(kept), job, attempt)
        self._file.write([("UPDATE job SET plan = ? WHERE job = ? AND attempt = ?", row)])

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
        line, receipt = self._line(job, attempt, record, at_ms)
        ends = [_ended(job, attempt, outcome), *self._forgetting()] if outcome else []
        self._file.write([line, *ends])
        return receipt

    def have(self, found: Open, record: Record, at_ms: int, outcome: str) -> str:
        """Write a job that has ended as it came, all at once; return the receipt.

        Raises:
            StorageError: it is not on the disk.
        """
        job, attempt = found.job, found.attempt
        line, receipt = self._line(job, attempt, record, at_ms)
        begun = _taken(job, attempt, found.offer, found.kept)
        self._file.write([begun, line, _ended(job, attempt, outcome), *self._forgetting()])
        return receipt

    def recall(self, job: str, attempt: int, at_ms: int) -> Open | None:
        """Write that a job that has ended was offered again, so that it is the last; return it.

        None: the journal has none of that name that has ended as it should.

        Raises:
            StorageError: it is not on the disk.
        """
        found = self._one("WHERE outcome != '' AND (job, attempt) = (?, ?)", job, attempt)
        if found is None or found.state is None or found.state.step is not Step.END:
            return None
        again = Record(found.state, None, "it was offered again")
        self._file.write([self._line(job, attempt, again, at_ms)[0]])
        return found

    def abandon(self, job: str, attempt: int) -> None:
        """Give up a job that another version wrote, or a bad disk: the agent has to go on.

        Raises:
            StorageError: it is not on the disk.
        """
        self._file.write([_ended(job, attempt, "failed")])

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

    def known(self) -> dict[tuple[str, int], str]:
        """Return the jobs that are known, by job and attempt, and how they ended."""
        rows = self._file.read("SELECT job, attempt, outcome FROM job")
        return {(job, attempt): outcome for job, attempt, outcome in rows}

    def lines(self, count: int = HISTORY_MAX) -> list[Line]:
        """Return the newest lines, oldest first."""
        query = "SELECT at_ms, job, attempt, state, ended, why, hash FROM line ORDER BY n DESC"
        found = self._file.read(f"{query} LIMIT ?", min(count, HISTORY_MAX))
        return [
            Line(at, job, attempt, _step(state), ended, why, hashed.hex())
            for at, job, attempt, state, ended, why, hashed in reversed(found)
        ]

    def count(self, job: str, attempt: int) -> int:
        """Return how many lines a job has."""
        query = "SELECT count(*) FROM line WHERE job = ? AND attempt = ?"
        return int(self._file.read(query, job, attempt)[0][0])

    def hold(self) -> Hold | None:
        """Return what a person holds, whether it has ended or not."""
        rows = self._file.read("SELECT until_ms, why FROM hold")
        return Hold(*rows[0]) if rows else None

    def set_hold(self, hold: Hold | None) -> None:
        """Write what a person holds; None: nothing any more.

        Raises:
            StorageError: it is not on the disk.
        """
        insert = "INSERT INTO hold (one, until_ms, why) VALUES (1, ?, ?)"
        rows: list[Statement] = [] if hold is None else [(insert, (hold.until_ms, hold.why))]
        self._file.write([("DELETE FROM hold", ()), *rows])

    def receipt(self) -> Receipt | None:
        """Return the newest receipt; None: there is none."""
        query = "SELECT counter, job, attempt, body, signature FROM receipt"
        rows = self._file.read(f"{query} ORDER BY counter DESC LIMIT 1")
        return Receipt(*rows[0]) if rows else None

    def put_receipt(self, receipt: Receipt) -> None:
        """Keep a receipt, in the place of the one before: the centre has that.

        Raises:
            StorageError: it is not on the disk.
        """
        row = (receipt.counter, receipt.job, receipt.attempt, receipt.body, receipt.signature)
        insert = "INSERT INTO receipt (counter, job, attempt, body, signature)"
        self._file.write([("DELETE FROM receipt", ()), (f"{insert} VALUES (?, ?, ?, ?, ?)", row)])

    def _line(self, job: str, attempt: int, record: Record, at_ms: int) -> tuple[Statement, str]:
        """Return what writes a line, and its hash in hexadecimal digits."""
        state = msgspec.json.encode(record.state)
        ended = "" if record.ended is None else str(record.ended)
        said = (job, attempt, at_ms, ended, record.why, state)
        hashed = sha256(self._newest() + msgspec.json.encode(said)).digest()
        query = (
            "INSERT INTO line (job, attempt, at_ms, ended, why, state, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        return (query, (*said, hashed)), hashed.hex()

    def _newest(self) -> bytes:
        rows = self._file.read("SELECT hash FROM line ORDER BY n DESC LIMIT 1")
        return bytes(rows[0][0]) if rows else b""

    def _forgetting(self) -> list[Statement]:
        """Return what removes the oldest jobs that have ended, with their lines."""
        query = (
            "SELECT job, attempt, max(n) FROM line JOIN job USING (job, attempt)"
            " WHERE outcome != '' GROUP BY job, attempt ORDER BY 3 DESC"
        )
        gone = [(job, attempt) for job, attempt, _ in self._file.read(query)[JOBS_MAX - 1 :]]
        return [
            (f"DELETE FROM {table} WHERE job = ? AND attempt = ?", each)  # noqa: S608 - names
            for each in gone
            for table in ("line", "job")
        ]

    def _one(self, which: str, *given: str | int) -> Open | None:
        rows = self._file.read(f"SELECT job, attempt, offer, plan FROM job {which}", *given)  # noqa: S608 - ours
        if not rows:
            return None
        job, attempt, offer, plan = rows[0]
        query = "SELECT state FROM line WHERE job = ? AND attempt = ? ORDER BY n DESC LIMIT 1"
        lines = self._file.read(query, job, attempt)
        try:
            kept = msgspec.json.decode(plan, type=Kept)
            state = msgspec.json.decode(lines[0][0], type=State) if lines else None
        except msgspec.MsgspecError as err:
            log.error("update: job %s.%d is given up: %s", job, attempt, err)  # noqa: TRY400
            self.abandon(job, attempt)
            return None
        return Open(job, attempt, offer, kept, state)


def _taken(job: str, attempt: int, offer: bytes, kept: Kept) -> Statement:
    row = (job, attempt, offer, msgspec.json.encode(kept))
    return "INSERT INTO job (job, attempt, offer, plan) VALUES (?, ?, ?, ?)", row


def _ended(job: str, attempt: int, outcome: str) -> Statement:
    query = "UPDATE job SET outcome = ? WHERE job = ? AND attempt = ?"
    return query, (outcome, job, attempt)


def _step(state: bytes) -> str:
    try:
        return str(msgspec.json.decode(state, type=State).step)
    except msgspec.MsgspecError:
        return "?"
