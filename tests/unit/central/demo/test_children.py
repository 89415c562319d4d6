"""Children of the demo: real processes, killed for real."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from roost_central.demo.children import Child, ChildFailedError, Command
from roost_central.ports import SystemClock

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


def child(folder, *argv, again_s=0.1):
    return Child(Command("it", argv, again_s=again_s), logs=folder, clock=SystemClock())


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_child_is_started_again_and_that_is_said(tmp_path):
    sleeper, said = child(tmp_path, *SLEEPER), asyncio.Queue()
    await sleeper.start()
    first = sleeper.pid
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(sleeper.keep(said.put_nowait))
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(10):
            ended, again = await said.get(), await said.get()
        keeping.cancel()
    assert sleeper.pid not in {None, first}
    assert "SIGKILL" in ended
    assert str(sleeper.pid) in again
    await sleeper.stop()


async def test_a_child_that_keeps_ending_ends_the_demo_with_its_last_words(tmp_path):
    broken = child(tmp_path, sys.executable, "-c", "raise SystemExit('no such luck')", again_s=0.01)
    await broken.start()
    with pytest.raises(ChildFailedError, match="no such luck"):
        await broken.keep(lambda _text: None)


async def test_a_stopped_child_has_no_process(tmp_path):
    sleeper = child(tmp_path, *SLEEPER)
    await sleeper.start()
    pid = sleeper.pid
    await sleeper.stop()
    assert sleeper.pid is None
    assert not is_alive(pid)
    await sleeper.stop()


async def test_a_child_that_a_user_has_paused_ends_all_the_same(tmp_path):
    sleeper = child(tmp_path, *SLEEPER)
    await sleeper.start()
    os.kill(sleeper.pid, signal.SIGSTOP)
    async with asyncio.timeout(5):
        await sleeper.stop()
    assert sleeper.pid is None


def test_a_tethered_process_dies_with_its_parent(tmp_path):
    told = tmp_path / "pid"
    sleeper = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = (
        "import os, subprocess, sys, time\n"
        "tether = [sys.executable, '-m', 'roost_central.demo.tether', str(os.getpid())]\n"
        f"subprocess.Popen([*tether, sys.executable, '-c', {sleeper!r}])\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    deadline = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    orphan = int(told.read_text())
    assert is_alive(orphan)
    process.kill()
    process.wait(10)
    while is_running(orphan) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(orphan)


def is_running(pid):
    """Whether it runs; a dead orphan may wait for its reaper."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a line of the kernel
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_tether_without_its_parent_starts_nothing():
    command = [sys.executable, "-m", "roost_central.demo.tether", "1", sys.executable, "-c", "1/0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "the parent is gone" in done.stderr
