"""A watchdog test is on disk before the device starves, and its end is known over the reset."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from waiting import until

from roost_agent.ha.bite import Result
from roost_agent.ha.bite_test import BiteTests
from roost_agent.ha.guard_client import GuardError
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.store import BITES, Store
from roost_agent.ports import SystemClock

REPORT = GuardReport(7, watchdog_ms=2_000, watchdog="tested", hardware="dog, ACME")


class Guard:
    """Notes what was on disk, and synced, when it was told to let the device starve."""

    def __init__(self, file, error=None):
        self.file, self.error = file, error
        self.seen = []

    async def bite(self):
        raw = self.file.read_bytes() if self.file.exists() else b"{}"
        self.seen.append(msgspec.json.decode(raw))
        if self.error:
            raise self.error


class Stage:
    def __init__(self, folder, error=None):
        self.folder = folder
        self.guard = Guard(folder / BITES, error)
        self.said = []
        self.synced = 0

    def tests(self, boot):
        store = Store(self.folder)
        return BiteTests(store, boot, SystemClock(), self.sync)

    def sync(self):
        self.synced += 1

    async def run(self, tests):
        shells = SimpleNamespace(guard=self.guard)
        runtime = SimpleNamespace(shells=shells, explain=self.said.append)
        await tests.run(runtime)

    def texts(self):
        return [each.sentence for each in self.said]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path / "ha")


async def carried(stage, tests, seen):
    task = asyncio.create_task(stage.run(tests))
    await until(seen, "it is done")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_test_is_on_disk_before_the_device_starves_and_passed_after_the_reset(stage):
    tests = stage.tests(b"\x0a")
    tests.begin(REPORT)
    await carried(stage, tests, lambda: stage.said)
    (seen,) = stage.guard.seen
    assert seen, "nothing was on disk"
    assert seen["dog, ACME"]["result"] == "begun"
    assert seen["dog, ACME"]["boot"] == "0a"
    assert stage.synced == 1
    assert "is to reset this node within 2 s" in stage.texts()[0]

    again = stage.tests(b"\x0b")
    again.look(REPORT)
    assert again.known["dog, ACME"].result is Result.PASSED
    file = stage.folder / BITES
    await carried(stage, again, lambda: b"passed" in file.read_bytes())
    assert stage.tests(b"\x0c").known["dog, ACME"].result is Result.PASSED


async def test_a_test_that_cannot_be_written_is_not_made(stage):
    tests = stage.tests(b"\x0a")
    stage.folder.parent.mkdir(exist_ok=True)
    stage.folder.write_text("no folder")
    tests.begin(REPORT)
    await carried(stage, tests, lambda: stage.said)
    assert stage.guard.seen == []
    assert "would not be known afterwards" in stage.texts()[0]
    assert tests.known == {}


async def test_what_the_guard_refuses_is_told_and_no_test(tmp_path):
    stage = Stage(tmp_path / "ha", GuardError("held", "main runs here: it would end too"))
    tests = stage.tests(b"\x0a")
    tests.begin(REPORT)
    await carried(stage, tests, lambda: stage.said)
    assert "the watchdog is not tested: guard: held: main runs here" in stage.texts()[0]
    assert tests.known == {}
    assert stage.tests(b"\x0b").known == {}


async def test_a_missed_bite_is_kept(stage):
    tests = stage.tests(b"\x0a")
    tests.begin(REPORT)
    await carried(stage, tests, lambda: stage.said)
    tests.look(msgspec.structs.replace(REPORT, bite="missed"))
    file = stage.folder / BITES
    await carried(stage, tests, lambda: b"missed" in file.read_bytes())
    assert stage.tests(b"\x0b").known["dog, ACME"].result is Result.MISSED


def test_what_cannot_be_read_is_no_test_that_was_passed(stage):
    stage.folder.mkdir(parents=True)
    (stage.folder / BITES).write_bytes(b"{")
    assert stage.tests(b"\x0a").known == {}
