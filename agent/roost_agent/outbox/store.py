"""The outbox on disk: SQLite, WAL, ``synchronous=FULL``.

Synchronous and for one thread alone (spool.py owns it). Rows up to a lane's mark are the ring: kept
for a central that is restored from a backup, bounded in bytes and age. Rows after it wait.

Invariants:
- each method is one transaction: it is on disk when it returns, or nothing happened;
- a row that waits leaves by the drop policy only, and a gap row stays where it was;
- a row with ``keep`` (an unreceipted critical) is never dropped: where nothing else is left to
  drop, the new rows become the gap;
- ages count running time, not the wall clock: a clock that jumps ten years drops nothing.

Why FULL, and why it is read back: design, reliability section 1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.config import OutboxConfig
from roost_agent.outbox.core import Position
from roost_agent.outbox.database import Connect, connect, open_database, told
from roost_agent.outbox.gaps import gap, without_holes
from roost_protocol.envelope import Item, ItemKind, Lane
from roost_protocol.limits import CHUNK_BYTES_MAX, REPORT_BYTES_AIM, REPORT_ITEMS_MAX

ROW_BYTES: Final = 64  # a row's share of pages and index, besides its body
BODY_BYTES_MAX: Final = CHUNK_BYTES_MAX + 4 * 1024  # an incompressible part, and its zlib header
DROP_ROWS: Final = 256  # read at a time when room is needed
SWEEP_ROWS: Final = 4_096  # of one sweep: keeps its transaction short
LOG_COMMITS_MAX: Final = 32  # about 200 pages of the log, where alarms come one by one

FULL: Final = "full"
AGE: Final = "age"
_EVER: Final = 1 << 62


class Entry(msgspec.Struct, frozen=True):
    """Something to say: a row without its number.

    Attributes:
        keep: never dropped before central has it.
    """

    lane: Lane
    kind: ItemKind
    at_ms: int
    body: bytes
    compressed: bool = False
    keep: bool = False


class LaneCounts(msgspec.Struct, frozen=True):
    """One lane as beats and ``status`` tell it."""

    stream: bytes
    last: int
    mark: int
    epoch: bytes | None
    waiting_items: int = 0
    waiting_bytes: int = 0
    ring_bytes: int = 0
    dropped: int = 0

    @property
    def position(self) -> Position:
        """What delivery needs of it."""
        return Position(self.stream, self.last, self.mark, self.epoch)


class Store:
    """One open outbox.

    Args:
        file: the database; made when it is not there.
        limits: what it may hold.
        new_stream: gives the random name of a new stream, 16 bytes.
        now_ms: the boot clock.
        connect: opens the file; a proof passes a disk that can lose power.
    """

    def __init__(
        self,
        file: Path,
        limits: OutboxConfig,
        *,
        new_stream: Callable[[], bytes],
        now_ms: int,
        connect: Connect = connect,
    ) -> None:
        self._limits = limits
        self._new_stream = new_stream
        self._log_commits = 0  # since the log was written back
        with told():
            bytes_max = limits.bytes_max + limits.ring_bytes_max
            self._db = open_database(file, bytes_max=bytes_max, connect=connect)
            try:
                (ms,) = self._db.execute("SELECT ms FROM run").fetchone()
                self._run_offset_ms = int(ms) - now_ms
                self.lanes: dict[Lane, LaneCounts] = {}
                with self._transaction():
                    # Where the disk refused just now SQLite opens read-only, and says so only here.
                    self._db.execute("UPDATE run SET ms = ms")
                    for lane in Lane:
                        self.lanes[lane] = self._read_lane(lane)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file."""
        with told():
            self._db.close()

    def write(
        self,
        entries: Iterable[Entry],
        notes: Mapping[str, bytes],
        marks: Mapping[Lane, tuple[int, bytes]],
        *,
        now_ms: int,
        alarms: Mapping[str, bytes | None] | None = None,
    ) -> int:
        """Append entries, replace notes and alarms, move marks, all in one transaction.

        Args:
            entries: what is to be said.
            notes: by name.
            marks: what central has, by lane.
            now_ms: the boot clock.
            alarms: rows of the alarm table by key; None removes one.

        Returns:
            how many items were dropped for it.
        """
        dropped = 0
        with self._transaction():
            for lane, (seq, epoch) in marks.items():
                self._set_mark(lane, seq, epoch)
            for entry in entries:
                dropped += self._append(entry, self._run_offset_ms + now_ms)
            for name, value in notes.items():
                self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))
            self._put_alarms(alarms or {})
            self._db.execute("UPDATE run SET ms = ?", (self._run_offset_ms + now_ms,))
        return dropped

    def fetch(self, lane: Lane, prev: int) -> tuple[Item, ...]:
        """Return the items that follow ``prev``, as many as fit one report."""
        with told():
            rows = self._db.execute(
                "SELECT seq, kind, at_ms, body, compressed FROM item WHERE lane = ? AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (lane, prev, REPORT_ITEMS_MAX // 2),  # each may bring a gap along
            )
            return tuple(without_holes(prev, self.lanes[lane].last, _one_report(rows)))

    @property
    def log_is_long(self) -> bool:
        """Whether the log should be written back at the next rest."""
        return self._log_commits >= LOG_COMMITS_MAX

    def write_back(self) -> None:
        """Write the log back into the file, as far as no reader holds it: promises nothing new.

        What was committed is on disk already, in the log. Left to SQLite it is done inside the
        transaction that makes the log too long, and whoever waits for that one waits for it too.
        So does who comes next, for the log begins again with a header that is synced by itself: a
        transaction that changes nothing takes that upon it.
        """
        self._log_commits = 0
        with told():
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        with self._transaction():
            self._db.execute("UPDATE run SET ms = ms")

    def note(self, name: str) -> bytes | None:
        """Return what was kept under ``name``."""
        with told():
            row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def alarms(self) -> list[bytes]:
        """Return the rows of the alarm table."""
        with told():
            return [bytes(row) for (row,) in self._db.execute("SELECT row FROM alarm ORDER BY key")]

    def _put_alarms(self, alarms: Mapping[str, bytes | None]) -> None:
        for key, row in alarms.items():
            if row is None:
                self._db.execute("DELETE FROM alarm WHERE key = ?", (key,))
            else:
                self._db.execute("INSERT OR REPLACE INTO alarm VALUES (?, ?)", (key, row))

    def restart(self, lane: Lane, after: int) -> LaneCounts:
        """Begin a new stream with the rows that follow ``after``, numbered from 1."""
        with self._transaction():
            was = self.lanes[lane]
            self._db.execute("DELETE FROM item WHERE lane = ? AND seq <= ?", (lane, after))
            self._db.execute("UPDATE item SET seq = ? - seq WHERE lane = ?", (after, lane))
            self._db.execute("UPDATE item SET seq = -seq WHERE lane = ?", (lane,))
            fresh = LaneCounts(self._new_stream(), was.last - after, 0, None, dropped=was.dropped)
            self._save(lane, fresh)
            self.lanes[lane] = self._counted(lane, fresh)
        return self.lanes[lane]

    def sweep(self, now_ms: int) -> int:
        """Let go what is too old, and what is too much in the ring; return what was dropped."""
        run_ms = self._run_offset_ms + now_ms
        dropped = 0
        with self._transaction():
            for lane in Lane:
                dropped += self._drop_old(lane, run_ms - self._limits.age_max_ms)
                self._trim_ring(lane, run_ms - self._limits.ring_age_max_ms)
            self._db.execute("UPDATE run SET ms = ?", (run_ms,))
        return dropped

    def _read_lane(self, lane: Lane) -> LaneCounts:
        row = self._db.execute(
            "SELECT stream, last, mark, epoch, dropped FROM lane WHERE name = ?", (lane,)
        ).fetchone()
        if row is None:
            counts = LaneCounts(self._new_stream(), 0, 0, None)
            self._save(lane, counts)
            return counts
        stream, last, mark, epoch, dropped = row
        return self._counted(lane, LaneCounts(stream, last, mark, epoch, dropped=dropped))

    def _counted(self, lane: Lane, counts: LaneCounts) -> LaneCounts:
        items, size = self._sum(lane, counts.mark, counts.last)
        _, ring = self._sum(lane, 0, counts.mark)
        return replace(counts, waiting_items=items, waiting_bytes=size, ring_bytes=ring)

    def _sum(self, lane: Lane, after: int, last: int) -> tuple[int, int]:
        count, size = self._db.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM item"
            " WHERE lane = ? AND seq > ? AND seq <= ?",
            (lane, after, last),
        ).fetchone()
        return int(count), int(size)

    def _save(self, lane: Lane, counts: LaneCounts) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO lane VALUES (?, ?, ?, ?, ?, ?)",
            (lane, counts.stream, counts.last, counts.mark, counts.epoch, counts.dropped),
        )
        self.lanes[lane] = counts

    def _set_mark(self, lane: Lane, seq: int, epoch: bytes) -> None:
        counts = self.lanes[lane]
        low, high = sorted((counts.mark, min(seq, counts.last)))
        items, size = self._sum(lane, low, high)
        sign = 1 if seq > counts.mark else -1
        self._save(
            lane,
            replace(
                counts,
                mark=min(seq, counts.last),
                epoch=epoch,
                waiting_items=counts.waiting_items - sign * items,
                waiting_bytes=counts.waiting_bytes - sign * size,
                ring_bytes=counts.ring_bytes + sign * size,
            ),
        )

    def _append(self, entry: Entry, run_ms: int) -> int:
        assert_fits((entry,))
        size = len(entry.body) + ROW_BYTES
        dropped = self._make_room(size)
        has_room = self._waiting_bytes() + size <= self._limits.bytes_max
        counts = self.lanes[entry.lane]
        seq = counts.last + 1
        self._save(entry.lane, replace(counts, last=seq))
        if has_room:
            item = Item(seq, entry.kind, entry.at_ms, entry.body, entry.compressed)
            self._insert(entry.lane, item, run_ms, keep=entry.keep)
            return dropped
        self._put_gap(entry.lane, seq, FULL, entry.at_ms, run_ms)
        self._count_dropped(entry.lane, 1)
        return dropped + 1

    def _waiting_bytes(self) -> int:
        return sum(counts.waiting_bytes for counts in self.lanes.values())

    def _insert(self, lane: Lane, item: Item, run_ms: int, *, keep: bool) -> None:
        size = len(item.body) + ROW_BYTES
        self._db.execute(
            "INSERT INTO item (lane, seq, kind, at_ms, run_ms, size, keep, compressed, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                lane,
                item.seq,
                item.kind,
                item.at_ms,
                run_ms,
                size,
                keep,
                item.compressed,
                item.body,
            ),
        )
        self._waits(lane, 1, size)

    def _waits(self, lane: Lane, items: int, size: int) -> None:
        counts = self.lanes[lane]
        self.lanes[lane] = replace(
            counts,
            waiting_items=counts.waiting_items + items,
            waiting_bytes=counts.waiting_bytes + size,
        )

    def _make_room(self, size: int) -> int:
        """Drop bulk first, then alarms that are not critical, oldest first."""
        dropped = 0
        for lane in (Lane.BULK, Lane.ALARM):
            while self._waiting_bytes() + size > self._limits.bytes_max:
                count = self._drop(lane, FULL, before_run_ms=_EVER, enough=size)
                if not count:
                    break
                dropped += count
        return dropped

    def _drop_old(self, lane: Lane, before_run_ms: int) -> int:
        total = 0
        while count := self._drop(lane, AGE, before_run_ms=before_run_ms):
            total += count
            if total >= SWEEP_ROWS:
                break
        return total

    def _drop(self, lane: Lane, why: str, *, before_run_ms: int, enough: int | None = None) -> int:
        """Replace waiting rows by gaps, oldest first; stop once there is room for ``enough``."""
        rows = self._db.execute(
            "SELECT seq, at_ms, run_ms, size FROM item WHERE lane = ? AND seq > ? AND keep = 0"
            " AND kind <> 'gap' AND run_ms < ? ORDER BY seq LIMIT ?",
            (lane, self.lanes[lane].mark, before_run_ms, DROP_ROWS),
        ).fetchall()
        dropped = 0
        for seq, at_ms, run_ms, size in rows:
            if enough is not None and self._waiting_bytes() + enough <= self._limits.bytes_max:
                break
            self._delete(lane, seq, size)
            self._put_gap(lane, seq, why, at_ms, run_ms)
            dropped += 1
        self._count_dropped(lane, dropped)
        return dropped

    def _put_gap(self, lane: Lane, seq: int, why: str, at_ms: int, run_ms: int) -> None:
        """Mark a hole; a gap right below it is covered by this one, for it starts at its row."""
        below = self._db.execute(
            "SELECT seq, kind, size FROM item WHERE lane = ? AND seq < ? ORDER BY seq DESC LIMIT 1",
            (lane, seq),
        ).fetchone()
        if below is not None and below[1] == ItemKind.GAP and below[0] > self.lanes[lane].mark:
            self._delete(lane, below[0], below[2])
        self._insert(lane, gap(seq, seq, why, at_ms), run_ms, keep=True)

    def _delete(self, lane: Lane, seq: int, size: int) -> None:
        self._db.execute("DELETE FROM item WHERE lane = ? AND seq = ?", (lane, seq))
        self._waits(lane, -1, -size)

    def _count_dropped(self, lane: Lane, count: int) -> None:
        if count:
            counts = self.lanes[lane]
            self._save(lane, replace(counts, dropped=counts.dropped + count))

    def _trim_ring(self, lane: Lane, before_run_ms: int) -> None:
        counts = self.lanes[lane]
        share = self._limits.ring_bytes_max // len(Lane)
        rows = self._db.execute(
            "SELECT seq, size, run_ms FROM item WHERE lane = ? AND seq <= ? ORDER BY seq LIMIT ?",
            (lane, counts.mark, SWEEP_ROWS),
        ).fetchall()
        ring, last = counts.ring_bytes, 0
        for seq, size, run_ms in rows:
            if ring <= share and run_ms >= before_run_ms:
                break
            ring, last = ring - size, seq
        self._db.execute("DELETE FROM item WHERE lane = ? AND seq <= ?", (lane, last))
        self.lanes[lane] = replace(counts, ring_bytes=ring)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what happens inside, or take it back, the counts in memory too."""
        before = dict(self.lanes)
        with told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
                self._log_commits += 1
            except BaseException:
                self.lanes = before
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def assert_fits(entries: Iterable[Entry]) -> None:
    """Check what no report could carry; the caller must have bounded it.

    Raises:
        ValueError: with the bound.
    """
    for entry in entries:
        if len(entry.body) > BODY_BYTES_MAX:
            raise ValueError(f"an item of {len(entry.body)} bytes: bound {BODY_BYTES_MAX}")


def _one_report(rows: Iterable[tuple[int, str, int, bytes, int]]) -> Iterator[Item]:
    """Yield rows until a report of them is big enough; one row always."""
    size = 0
    for seq, kind, at_ms, body, compressed in rows:
        size += len(body)
        if size > REPORT_BYTES_AIM and size > len(body):
            return
        yield Item(seq, ItemKind(kind), at_ms, body, bool(compressed))
