"""The outbox on a real disk."""

import contextlib
import sqlite3

import msgspec
import pytest

from roost_agent.config import OutboxConfig
from roost_agent.errors import StorageDamagedError, StorageError
from roost_agent.outbox.database import PAGE_BYTES, WAL_PAGES_MAX
from roost_agent.outbox.gaps import EXPIRED
from roost_agent.outbox.store import AGE, BODY_BYTES_MAX, FULL, ROW_BYTES, Entry, Store
from roost_protocol.codec import Decoder
from roost_protocol.envelope import Gap, ItemKind, Lane
from roost_protocol.limits import REPORT_BYTES_AIM

A, B = Lane.ALARM, Lane.BULK
HOUR_MS = 3_600_000
EPOCH = b"epoch--1"


class Disk:
    """One outbox that can be closed, opened again, and given another clock."""

    def __init__(self, folder):
        self.file = folder / "outbox.db"
        self.limits = OutboxConfig(1 << 20, 24 * HOUR_MS, 1 << 20, HOUR_MS)
        self.streams = 0
        self.store = None

    def stream(self):
        self.streams += 1
        return b"%016d" % self.streams

    def open(self, now_ms=0, **limits):
        if self.store is not None:
            self.store.close()
        for name, value in limits.items():
            msgspec.structs.force_setattr(self.limits, name, value)
        self.store = Store(self.file, self.limits, new_stream=self.stream, now_ms=now_ms)
        return self.store


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path)
    yield disk
    if disk.store is not None:
        disk.store.close()


def test_a_file_that_opens_for_reading_only_is_not_open(disk, tmp_path):
    """What SQLite does, without a word, where the disk refuses just then: nothing could heal it."""
    disk.open().close()

    def connect(file):
        return sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)

    with pytest.raises(StorageError, match="readonly"):
        Store(disk.file, disk.limits, new_stream=disk.stream, now_ms=0, connect=connect)
    assert disk.open().lanes


def event(body=b"x", lane=B, **more):
    return Entry(lane, ItemKind.EVENT, 5, body, **more)


def append(store, *entries, now_ms=0, **notes):
    return store.write(entries, notes, {}, now_ms=now_ms)


def test_alarms_are_kept_with_the_items_that_tell_them_and_taken_back_with_them(disk):
    store = disk.open()
    store.write([event(lane=A)], {}, {}, now_ms=0, alarms={"a": b"1", "b": b"2"})
    store.write([event(lane=A)], {}, {}, now_ms=0, alarms={"a": None, "c": b"3"})
    entries = [event(), event(bytes(BODY_BYTES_MAX + 1))]
    with pytest.raises(ValueError, match="bound"):
        store.write(entries, {}, {}, now_ms=0, alarms={"d": b"4"})
    assert disk.open().alarms() == [b"2", b"3"]
    assert disk.store.lanes[A].last == 2


def test_an_outbox_of_the_version_before_gets_its_alarm_table(disk):
    append(disk.open(), event())
    disk.store.close()
    db = sqlite3.connect(disk.file)
    db.executescript("DROP TABLE alarm; PRAGMA user_version = 1;")
    db.close()
    disk.store = None
    store = disk.open()
    assert store.alarms() == []
    store.write([], {}, {}, now_ms=0, alarms={"a": b"1"})
    assert store.lanes[B].last == 1
    assert disk.open().alarms() == [b"1"]


def mark(store, lane, seq, now_ms=0):
    store.write((), {}, {lane: (seq, EPOCH)}, now_ms=now_ms)


def told(items):
    gaps = Decoder[Gap](Gap)
    return [
        (g.first, g.last, g.reason)
        if item.kind is ItemKind.GAP and (g := gaps.decode(item.body))
        else item.body
        for item in items
    ]


def test_what_was_appended_is_there_after_opening_again(disk):
    store = disk.open()
    append(store, event(b"1"), event(b"2", A), inventory=b"gen 1")
    stream = store.lanes[B].stream
    store = disk.open()
    assert told(store.fetch(B, 0)) == [b"1"]
    assert told(store.fetch(A, 0)) == [b"2"]
    assert store.note("inventory") == b"gen 1"
    assert (store.lanes[B].stream, store.lanes[B].last) == (stream, 1)


def test_durability_is_read_back(disk):
    store = disk.open()
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_mark_moves_rows_to_the_ring_and_back(disk):
    store = disk.open()
    append(store, event(b"1"), event(b"2"), event(b"3"))
    mark(store, B, 2)
    assert (store.lanes[B].waiting_items, store.lanes[B].ring_bytes) == (1, 2 * (ROW_BYTES + 1))
    assert told(store.fetch(B, 0)) == [b"1", b"2", b"3"]
    mark(store, B, 0)
    assert (store.lanes[B].waiting_items, store.lanes[B].ring_bytes) == (3, 0)
    assert disk.open().lanes[B].waiting_items == 3


def test_a_report_is_closed_once_it_is_big_enough(disk):
    store = disk.open()
    half = bytes(REPORT_BYTES_AIM // 2)
    append(store, event(half), event(half), event(half), event(bytes(BODY_BYTES_MAX)))
    assert [item.seq for item in store.fetch(B, 0)] == [1, 2]
    assert [item.seq for item in store.fetch(B, 2)] == [3]
    assert [item.seq for item in store.fetch(B, 3)] == [4]


def test_an_item_no_report_can_carry_is_refused(disk):
    store = disk.open()
    with pytest.raises(ValueError, match="bound"):
        append(store, event(bytes(BODY_BYTES_MAX + 1)))
    assert store.lanes[B].last == 0


def test_a_full_outbox_drops_bulk_first_then_alarms_and_leaves_gaps(disk):
    store = disk.open(bytes_max=10 * (ROW_BYTES + 100))
    body = bytes(100)
    append(store, *(event(body, A) for _ in range(4)), *(event(body) for _ in range(6)))
    assert append(store, *(event(body, A) for _ in range(5))) >= 5
    assert told(store.fetch(A, 0)) == [body] * 9
    assert told(store.fetch(B, 0))[0] == (1, 6, FULL)
    assert append(store, *(event(body, A) for _ in range(3))) >= 3
    assert told(store.fetch(A, 0))[0][2] == FULL
    assert store.lanes[A].dropped > 0


def test_an_unreceipted_critical_is_never_dropped(disk):
    store = disk.open(bytes_max=5 * (ROW_BYTES + 100))
    critical = event(bytes(100), A, keep=True)
    assert append(store, *[critical] * 5) == 0
    assert append(store, event(b"bulk"), event(b"alarm", A)) == 2
    assert told(store.fetch(A, 0)) == [bytes(100)] * 5 + [(6, 6, FULL)]
    assert told(store.fetch(B, 0)) == [(1, 1, FULL)]
    assert (store.lanes[A].dropped, store.lanes[B].dropped) == (1, 1), (
        "what had no room is owned to"
    )
    store.sweep(10**9 * HOUR_MS)
    assert told(store.fetch(A, 0))[:5] == [bytes(100)] * 5


def test_the_file_keeps_to_its_bounds_whatever_is_appended(disk):
    store = disk.open(bytes_max=1 << 20, ring_bytes_max=0)
    for _ in range(60):
        append(store, *[event(bytes(20_000), lane) for lane in (A, B)] * 5)
        assert sum(counts.waiting_bytes for counts in store.lanes.values()) <= (1 << 20) + 1_000
    assert disk.file.stat().st_size < 3 << 20


def test_gaps_that_touch_are_one_row(disk):
    store = disk.open(bytes_max=3 * (ROW_BYTES + 200))
    for _ in range(50):
        append(store, event(bytes(200)))
    assert store._db.execute("SELECT count(*) FROM item").fetchone()[0] <= 4
    assert told(store.fetch(B, 0))[0][0] == 1


def test_the_log_is_written_back_in_a_step_of_its_own_and_not_by_a_commit(disk, tmp_path):
    store = disk.open()
    before = disk.file.read_bytes()
    for _ in range(100):
        append(store, event())
    assert disk.file.read_bytes() == before
    assert store.log_is_long
    store.write_back()
    assert not store.log_is_long
    alone = tmp_path / "without-its-log.db"
    alone.write_bytes(disk.file.read_bytes())
    with contextlib.closing(sqlite3.connect(alone)) as db:
        assert db.execute("SELECT count(*) FROM item").fetchone() == (100,)


def test_a_log_that_nobody_writes_back_is_bounded(disk):
    store = disk.open(bytes_max=64 << 20)
    log = disk.file.with_name("outbox.db-wal")
    longest = 0
    for _ in range(400):
        append(store, event(b"x" * 60_000))
        longest = max(longest, log.stat().st_size)
    assert longest < 2 * WAL_PAGES_MAX * PAGE_BYTES


def test_age_counts_running_time_and_not_the_wall_clock(disk):
    store = disk.open(now_ms=10**12)
    append(store, event(b"1"), now_ms=10**12)
    store = disk.open(now_ms=7)  # another boot: its clock starts again
    assert store.sweep(7 + 23 * HOUR_MS) == 0
    assert store.sweep(7 + 25 * HOUR_MS) == 1
    assert told(store.fetch(B, 0)) == [(1, 1, AGE)]


def test_the_ring_is_bounded_in_age_and_bytes_and_what_it_lost_is_a_gap(disk):
    store = disk.open(ring_bytes_max=2 * 4 * (ROW_BYTES + 1))
    append(store, *(event(b"%d" % n) for n in range(6)))
    mark(store, B, 6)
    assert store.sweep(0) == 0
    assert told(store.fetch(B, 0)) == [(1, 2, EXPIRED), b"2", b"3", b"4", b"5"]
    store.sweep(2 * HOUR_MS)
    assert told(store.fetch(B, 0)) == [(1, 6, EXPIRED)]
    assert (store.lanes[B].ring_bytes, store.lanes[B].dropped) == (0, 0)


def test_a_new_stream_takes_along_what_follows(disk):
    store = disk.open()
    append(store, *(event(b"%d" % n) for n in range(1, 6)))
    old = store.lanes[B].stream
    counts = store.restart(B, 3)
    assert (counts.last, counts.mark, counts.waiting_items) == (2, 0, 2)
    assert counts.stream != old
    assert [(i.seq, i.body) for i in disk.open().fetch(B, 0)] == [(1, b"4"), (2, b"5")]


def test_a_transaction_that_fails_leaves_nothing_behind(disk):
    store = disk.open()
    append(store, event(b"1"))
    with pytest.raises(ValueError, match="bound"):
        append(store, event(b"2"), event(bytes(BODY_BYTES_MAX + 1)), inventory=b"gen 2")
    assert (store.lanes[B].last, store.lanes[B].waiting_items) == (1, 1)
    assert store.note("inventory") is None
    append(store, event(b"3"))
    assert told(store.fetch(B, 0)) == [b"1", b"3"]


def test_a_full_disk_is_told_and_heals(disk):
    store = disk.open()
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match="full"):
        append(store, event(bytes(100_000)))
    assert store.lanes[B].last == 0
    store._db.execute("PRAGMA max_page_count = 10000")
    append(store, event(b"1"))
    assert told(store.fetch(B, 0)) == [b"1"]


def test_a_damaged_file_is_told_apart(disk):
    disk.file.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(StorageDamagedError):
        disk.open()


def test_a_newer_agents_outbox_is_left_alone(disk):
    disk.open().close()
    disk.store = None
    db = sqlite3.connect(disk.file)
    db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(StorageError, match="version 9"):
        disk.open()
