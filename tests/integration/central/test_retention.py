"""History within its bounds on PostgreSQL: what goes, what is told of it, and when it is tight.

The centre's own retention over its own storage, on a real server; only the clock is set.
"""

import sys
import uuid
from pathlib import Path

import pytest
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from postgres import postgres

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.facts import Said
from roost_central.fleet.view import FleetView
from roost_central.ingest.history import PRUNE_MS, History
from roost_central.storage import alarms, audit, events, tables
from roost_central.storage.engine import Database
from roost_central.storage.retention import Retention
from roost_protocol.alarm import Alarm, Change
from roost_protocol.severity import Severity

__all__ = ["postgres"]

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

NOW_MS = 1_793_500_000_000
DAY_MS = 86_400_000
KEPT = Retention(alarm_days=30, alarm_rows=1_000, event_days=10, event_rows=1_000, audit_days=60)


def said(entity, severity, at_ms):
    """Return what a node says of an alarm."""
    change = Change.CLEAR if severity is Severity.CLEARED else Change.RAISE
    alarm = Alarm(
        v=1, type="100.104", change=change, severity=severity, entity=entity, text="93 % used"
    )
    return Said("lab.n1", alarm, at_ms)


class SetClock:
    """Stands still until it is moved."""

    now_ms = NOW_MS

    def wall_ms(self):
        return self.now_ms

    def mono_ms(self):
        return self.now_ms - NOW_MS

    boot_ms = mono_ms


class Rig:
    """A centre's book and history on one database."""

    def __init__(self, database, clock, kept):
        self.database, self.clock = database, clock
        view = FleetView()
        view.add_site("lab", 1)
        view.add_node("lab.n1", "lab", "n1")
        self.book = AlarmBook(shipped(), view, database, clock)
        self.history = History(database, kept, book=self.book, clock=clock)

    async def an_hour_later(self):
        """Let the hour pass, keep the history, and write what that says."""
        self.clock.now_ms += PRUNE_MS
        await self.history.keep()
        await self.book.change(list)

    async def flap(self, number, days_ago=0):
        """Raise and clear so many alarms, at that time."""
        now_ms = self.clock.now_ms
        self.clock.now_ms -= days_ago * DAY_MS
        for severity in (Severity.MAJOR, Severity.CLEARED):
            words = [said(f"fs=/{n}", severity, self.clock.now_ms) for n in range(number)]
            await self.book.change(lambda words=words: words)
        self.clock.now_ms = now_ms

    async def happen(self, number, days_ago=0):
        """Write so many events of that time."""
        at_ms = self.clock.now_ms - days_ago * DAY_MS
        new = events.NewEvent(at_ms, at_ms, "node", "100.101", 1, "")
        async with self.database.write() as connection:
            await events.append(connection, [new] * number)

    async def rows(self):
        """Return how many steps of alarms, events of nodes and acts are kept."""
        counts = (
            select(func.count()).select_from(tables.alarm_event),
            select(func.count()).where(tables.event.c.kind == "node"),
            select(func.count()).select_from(tables.audit),
        )
        async with self.database.read() as connection:
            return tuple([(await connection.execute(count)).scalar_one() for count in counts])

    async def told(self):
        """Return the sentences of purges, the newest first."""
        async with self.database.read() as connection:
            found = await events.page(connection, events.EventQuery(type="210.805"))
        return [event.text.partition(" were")[0] for event in found]

    def tight(self):
        """Return the tables that are near their size."""
        rows = [row for row in self.book.open_alarms() if row.type == "210.803"]
        return sorted(row.entity.rpartition("=")[2] for row in rows)


@pytest.fixture
async def rig(postgres):
    clock = SetClock()
    database = await Database.open(postgres.make_database(f"r{uuid.uuid4().hex}"), clock=clock)
    yield Rig(database, clock, KEPT)
    await database.close()


async def test_what_is_past_its_time_goes_from_each_history_and_is_told(rig):
    await rig.flap(20, days_ago=31)
    await rig.flap(5, days_ago=29)
    await rig.happen(30, days_ago=11)
    await rig.happen(7, days_ago=9)
    acts = [Act(NOW_MS - days * DAY_MS, "jd", "admin", "alarm.ack", "x", {}) for days in (61, 59)]
    async with rig.database.write() as connection:
        await audit.add(connection, *acts)
    await rig.an_hour_later()
    assert await rig.rows() == (10, 7, 2)  # of the acts one, and that the other was cut off
    assert await rig.told() == ["30 events", "40 transitions of alarms"]
    assert rig.tight() == []
    await rig.an_hour_later()  # what is within its bounds stays, and nothing more is told
    assert await rig.rows() == (10, 7, 2)
    assert len(await rig.told()) == 2


async def test_what_is_past_its_number_goes_and_a_tight_size_is_an_alarm_until_it_is_not(rig):
    await rig.flap(600)
    await rig.happen(1_300)
    await rig.an_hour_later()
    steps, nodes, _ = await rig.rows()
    assert (steps, nodes) == (1_000 + 2, 1_000)  # two more told that the sizes are tight
    assert await rig.told() == ["300 events", "200 transitions of alarms"]
    assert rig.tight() == ["alarm_event", "event"]

    rig.clock.now_ms += 31 * DAY_MS  # all of it grows too old
    await rig.an_hour_later()
    await rig.an_hour_later()
    assert rig.tight() == []
    steps, nodes, _ = await rig.rows()
    assert nodes == 0
    assert steps < 10  # of the alarms that told of the sizes


async def test_an_alarm_that_is_open_stays_whatever_goes_from_its_history(rig):
    await rig.book.change(lambda: [said("fs=/var", Severity.MAJOR, NOW_MS)])
    rig.clock.now_ms += 31 * DAY_MS
    await rig.an_hour_later()
    async with rig.database.read() as connection:
        (row,) = await alarms.load_all(connection)
    assert (row.said, row.is_open, await rig.told()) == ("fs=/var", True, [])
