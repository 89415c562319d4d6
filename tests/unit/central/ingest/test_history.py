"""A large purge goes in pieces. What goes, and when it is tight: test_retention.py, PostgreSQL."""

import pytest

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.fleet.view import FleetView
from roost_central.ingest.history import FIRST_MS, PRUNE_MS, History
from roost_central.storage import events
from roost_central.storage.engine import Database
from roost_central.storage.retention import Retention

NOW_MS = 1_793_500_000_000
DAY_MS = 86_400_000
BATCH = 10


class SetClock:
    """Stands still until it is moved."""

    mono = 0

    def wall_ms(self):
        return NOW_MS + self.mono

    def mono_ms(self):
        return self.mono

    boot_ms = mono_ms


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=SetClock())
    yield database
    await database.close()


async def kept(database):
    """Return how many old events are left, and the sentences of purges."""
    async with database.read() as connection:
        found = await events.page(connection, events.EventQuery())
    told = [event.text.partition(" were")[0] for event in found if event.type == "210.805"]
    return len(found) - len(told), told


async def test_a_large_purge_is_many_transactions_and_one_sentence(database):
    clock = SetClock()
    book = AlarmBook(shipped(), FleetView(), database, clock)
    history = History(database, Retention(), book=book, clock=clock, batch_rows=BATCH)
    at_ms = NOW_MS - 91 * DAY_MS
    async with database.write() as connection:
        old = [events.NewEvent(at_ms, at_ms, "node", "100.101", 1, "")] * 25
        await events.append(connection, old)
    await history.keep()
    assert await kept(database) == (25, []), "it is not due before its time"
    clock.mono += FIRST_MS
    await history.keep()
    assert await kept(database) == (15, [])
    await history.keep()
    assert await kept(database) == (5, [])
    await history.keep()
    assert await kept(database) == (0, ["25 events"])
    async with database.write() as connection:
        await events.append(connection, old[:3])
    await history.keep()
    assert (await kept(database))[0] == 3, "the next purge is due in an hour"
    clock.mono += PRUNE_MS
    await history.keep()
    assert await kept(database) == (0, ["3 events", "25 events"])
