"""The alarms about the signer, with a real one that comes and goes."""

from datetime import UTC, datetime

import pytest

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.ca.watch import TYPE, SignerWatch
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_protocol.severity import Severity

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class Clock(SystemClock):
    """The machine's, moved."""

    ahead_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms

    def boot_ms(self):
        return super().boot_ms() + self.ahead_ms


class Scene:
    """A watch, its alarms and its clock."""

    def __init__(self, pki, database, clock):
        self.clock = clock
        self.book = AlarmBook(shipped(), FleetView(), database, clock)
        self.signer = Signer(pki.socket)
        self.watch = SignerWatch(self.signer, self.book, clock)

    async def alarms(self):
        await self.watch.look()
        await self.book.change(list)
        return {
            row.entity.partition("signer=")[2]: row.severity
            for row in self.book.open_alarms()
            if row.type == TYPE
        }


@pytest.fixture
async def scene(own_pki, tmp_path):
    clock = Clock()
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=clock)
    scene = Scene(own_pki, database, clock)
    yield scene
    await scene.signer.close()
    await database.close()


async def test_a_signer_that_is_well_is_no_alarm(own_pki, scene):
    async with own_pki.serving():
        assert await scene.alarms() == {}


async def test_silence_is_an_alarm_after_ten_minutes_and_ends_with_the_first_answer(own_pki, scene):
    assert await scene.alarms() == {}
    scene.clock.ahead_ms += 9 * MINUTE_MS
    assert await scene.alarms() == {}
    scene.clock.ahead_ms += 2 * MINUTE_MS
    assert await scene.alarms() == {"answers": Severity.MAJOR}
    async with own_pki.serving():
        assert await scene.alarms() == {}


async def test_a_successor_is_asked_for_more_loudly_until_it_is_there(own_pki, scene):
    async with own_pki.serving():
        scene.clock.ahead_ms = 340 * DAY_MS
        assert await scene.alarms() == {"issuers": Severity.MINOR}
        scene.clock.ahead_ms = 367 * DAY_MS
        assert await scene.alarms() == {"issuers": Severity.MAJOR}
    scene.clock.ahead_ms += 11 * MINUTE_MS
    assert set(await scene.alarms()) == {"issuers", "answers"}, "silence mends nothing"
    now = datetime.fromtimestamp(scene.clock.wall_ms() / 1_000, UTC)
    own_pki.rotate("node", "server", now=now)
    async with own_pki.serving(scene.clock):
        assert await scene.alarms() == {}
