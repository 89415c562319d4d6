"""The outbox's shell: grouping, and a disk that refuses for a while."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from roost_agent.config import OutboxConfig
from roost_agent.errors import StorageError
from roost_agent.outbox import spool as spool_module
from roost_agent.outbox.core import Appended, Fetch, Fetched, Restart, Restarted, SetMark
from roost_agent.outbox.spool import PENDING_ITEMS_MAX, Batch, Spool
from roost_agent.outbox.store import BODY_BYTES_MAX, LOG_COMMITS_MAX, Entry, Store
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.envelope import ItemKind, Lane

LIMITS = OutboxConfig(1 << 20, 1 << 40, 1 << 20, 1 << 40)
A, B = Lane.ALARM, Lane.BULK


class FailingStore(Store):
    """A store whose disk refuses as long as it is told to."""

    refuses = False
    writes = 0

    def write(self, *args, **kwargs):
        if FailingStore.refuses:
            raise StorageError("database or disk is full")
        FailingStore.writes += 1
        return super().write(*args, **kwargs)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    FailingStore.refuses, FailingStore.writes = False, 0
    monkeypatch.setattr(spool_module, "RETRY_S", (0.02, 0.05))
    monkeypatch.setattr(spool_module, "Store", FailingStore)


@asynccontextmanager
async def running(folder):
    """An open spool and the events it delivers."""
    events = []
    spool = Spool(folder, LIMITS, clock=SystemClock(), entropy=SystemEntropy())
    await spool.open()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(spool.run(events.append))
        yield spool, events
        task.cancel()
    await spool.close()


async def until(look):
    for _ in range(1_000):
        if look():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it does not come to pass")


def batch(count=1, lane=B, then=None, **notes):
    entry = Entry(lane, ItemKind.EVENT, 0, b"x")
    return Batch((entry,) * count, notes, then)


async def test_what_is_being_written_at_the_end_is_written_once(tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    class SlowStore(Store):
        def write(self, *args, **kwargs):
            begun.set()
            go_on.wait(10)
            return super().write(*args, **kwargs)

    monkeypatch.setattr(spool_module, "Store", SlowStore)
    async with running(tmp_path) as (spool, _):
        spool.append(batch(3))
        await until(begun.is_set)
        spool.append(batch(2))
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    async with running(tmp_path) as (spool, _):
        assert spool.lanes[B].last == 5


async def test_what_comes_together_is_one_transaction(tmp_path):
    async with running(tmp_path) as (spool, events):
        for _ in range(20):
            spool.append(batch(lane=A))
        await until(lambda: spool.is_idle)
        assert FailingStore.writes == 1
        assert events == [Appended(A, 20)]


async def test_the_caller_hears_when_it_is_on_disk(tmp_path):
    async with running(tmp_path) as (spool, _):
        seen = []
        spool.append(batch(3, then=lambda lanes: seen.append(lanes[B].last), note=b"gen 1"))
        assert seen == []
        await until(lambda: seen)
        assert seen == [3]
        assert await spool.note("note") == b"gen 1"


async def append_one_by_one(spool, count):
    for _ in range(count):
        done = asyncio.Event()
        spool.append(batch(then=lambda _lanes, done=done: done.set()))
        await done.wait()


async def test_who_waits_for_the_disk_hears_before_the_log_is_written_back(tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    class SlowStore(Store):
        def write_back(self):
            begun.set()
            go_on.wait(10)
            super().write_back()

    monkeypatch.setattr(spool_module, "Store", SlowStore)
    async with running(tmp_path) as (spool, _):
        await append_one_by_one(spool, LOG_COMMITS_MAX)
        await until(begun.is_set)  # by itself, once nothing came for a moment
        go_on.set()
        await append_one_by_one(spool, 1)
        assert not spool._store.log_is_long


async def test_a_log_that_cannot_be_written_back_costs_nothing(tmp_path, monkeypatch, caplog):
    class RefusingStore(Store):
        def write_back(self):
            self._log_commits = 0
            raise StorageError("disk I/O error")

    monkeypatch.setattr(spool_module, "Store", RefusingStore)
    async with running(tmp_path) as (spool, _):
        await append_one_by_one(spool, LOG_COMMITS_MAX)
        await until(lambda: "not written back" in caplog.text)
        await append_one_by_one(spool, 3)
        assert spool.fault == ""
    async with running(tmp_path) as (spool, _):
        assert spool.lanes[B].last == LOG_COMMITS_MAX + 3


async def test_actions_of_delivery_are_done_in_order(tmp_path):
    async with running(tmp_path) as (spool, events):
        spool.append(batch(3))
        await until(lambda: events)
        spool.do(SetMark(B, 1, b"epoch--1"))
        spool.do(Fetch(B, 1))
        await until(lambda: len(events) == 2)
        assert isinstance(events[1], Fetched)
        assert [item.seq for item in events[1].items] == [2, 3]
        assert (spool.lanes[B].mark, spool.lanes[B].waiting_items) == (1, 2)
        spool.do(Restart(B, 2))
        await until(lambda: len(events) == 3)
        assert (type(events[2]), events[2].last) == (Restarted, 1)


async def test_a_refusing_disk_is_waited_for_and_nothing_is_lost(tmp_path):
    async with running(tmp_path) as (spool, _):
        FailingStore.refuses = True
        spool.append(batch(2))
        await until(lambda: spool.fault)
        spool.append(batch(3))
        assert spool.fault == "database or disk is full"
        FailingStore.refuses = False
        await until(lambda: spool.is_idle)
        assert (spool.fault, spool.lanes[B].last) == ("", 5)


async def test_memory_for_a_refusing_disk_is_bounded_and_the_rest_counted(tmp_path):
    async with running(tmp_path) as (spool, _):
        FailingStore.refuses = True
        spool.append(batch(PENDING_ITEMS_MAX))
        with pytest.raises(StorageError, match="memory is full"):
            spool.append(batch(2))
        assert spool.refused == 2
        FailingStore.refuses = False
        await until(lambda: spool.is_idle)


async def test_what_waits_is_written_at_the_end(tmp_path):
    async with running(tmp_path) as (spool, _):
        spool.append(batch(4))
    async with running(tmp_path) as (spool, _):
        assert spool.lanes[B].last == 4


async def test_an_item_no_report_can_carry_is_the_callers_fault(tmp_path):
    async with running(tmp_path) as (spool, _):
        with pytest.raises(ValueError, match="bound"):
            spool.append(Batch((Entry(B, ItemKind.EVENT, 0, bytes(BODY_BYTES_MAX + 1)),), {}))
        assert spool.is_idle


async def test_a_damaged_file_is_put_aside_and_a_new_one_begins(tmp_path):
    (tmp_path / "outbox.db").write_bytes(b"not a database" * 500)
    async with running(tmp_path) as (spool, _):
        assert spool.lanes[B].last == 0
    assert (tmp_path / "outbox.db.damaged").exists()
