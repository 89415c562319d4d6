"""What a node's health score is made of, read from folders in place of /proc."""

import asyncio
import os
from pathlib import Path

import pytest

from roost_agent.ha import condition as module
from roost_agent.ha import core_events as ev
from roost_agent.ha.condition import STEADY_MS, ConditionWatch


class Clock:
    boot, wall = 1_000, 5_000_000

    def boot_ms(self):
        return self.boot

    def wall_ms(self):
        return self.wall

    def mono_ms(self):
        return self.boot


class Scene:
    def __init__(self, root: Path):
        self.root = root
        self.clock = Clock()
        self.fault = ""
        self.failures = 0
        self.lacks_gateway = False
        (root / "proc/pressure").mkdir(parents=True)
        self.watch = ConditionWatch(
            root / "state",
            lambda: self.fault,
            lambda: self.failures,
            self.clock,
            str(root),
            lacks_gateway=lambda: self.lacks_gateway,
        )

    def pressure(self, resource, avg60):
        text = f"some avg10=99.00 avg60={avg60:.2f} avg300=1.00 total=5\nfull avg60=77.00\n"
        (self.root / "proc/pressure" / resource).write_text(text)


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


async def test_a_quiet_node_and_a_kernel_without_psi_have_nothing_against_them(scene):
    assert await scene.watch.look() == module.Condition()


async def test_what_stalls_is_read_from_the_kernel(scene):
    scene.pressure("cpu", 30)
    scene.pressure("memory", 12.5)
    told = await scene.watch.look()
    assert (told.cpu_stall_percent, told.memory_stall_percent) == (30.0, 12.5)


async def test_a_clock_that_stepped_is_not_trusted_for_a_while(scene):
    assert (await scene.watch.look()).has_steady_clock
    scene.clock.boot += 10_000
    scene.clock.wall += 10_999
    assert (await scene.watch.look()).has_steady_clock, "it is steered, not stepped"
    scene.clock.boot += 10_000
    scene.clock.wall -= 86_400_000
    assert not (await scene.watch.look()).has_steady_clock
    scene.clock.boot += STEADY_MS
    scene.clock.wall += STEADY_MS
    assert (await scene.watch.look()).has_steady_clock


async def test_failed_writes_and_failed_services_count(scene):
    scene.fault, scene.failures = "disk full", 2
    told = await scene.watch.look()
    assert (told.has_disk, told.failures) == (False, 2)


async def test_a_gateway_that_fell_silent_counts(scene):
    scene.lacks_gateway = True
    assert not (await scene.watch.look()).has_gateway


async def test_a_disk_without_room_or_that_is_no_folder_takes_nothing(scene, monkeypatch):
    (scene.root / "state").mkdir()
    assert (await scene.watch.look()).has_disk
    monkeypatch.setattr(module, "FREE_BYTES_MIN", 1 << 62)
    assert not (await scene.watch.look()).has_disk
    (scene.root / "file").write_text("")
    scene.watch._folder = scene.root / "file/below"
    assert not (await scene.watch.look()).has_disk


async def test_a_disk_that_hangs_is_asked_once(scene, monkeypatch):
    read, write = os.pipe()
    asked = []

    def hang(_folder):
        asked.append(1)
        os.read(read, 1)
        return True

    monkeypatch.setattr(module, "_takes_writes", hang)
    monkeypatch.setattr(module, "DISK_S", 0.05)
    assert not (await scene.watch.look()).has_disk
    assert not (await scene.watch.look()).has_disk
    assert asked == [1]
    os.write(write, b"x")
    while not (await scene.watch.look()).has_disk:
        os.write(write, b"x")
    os.close(read)
    os.close(write)


async def test_a_change_is_told_and_the_same_is_not(scene, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    told = []
    scene.fault = "disk full"
    running = asyncio.get_running_loop().create_task(scene.watch.run(told.append))
    async with asyncio.timeout(30):
        while not told:  # noqa: ASYNC110 - the watch sets no event
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
    running.cancel()
    assert told == [ev.Score(600)]
