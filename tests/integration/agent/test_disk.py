"""A disk that refuses: the node stays visible, says why, and goes on when the disk does."""

import asyncio
import os
import subprocess

import pytest
from agent_process import AgentProcess
from waiting import until, wait_until

from roost_protocol.envelope import Lane

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 1 MiB for the state."""
    if os.getuid() != 0:
        pytest.skip("kernel lacks a mount for users: this test needs root")
    folder = tmp_path / "state"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("kernel lacks tmpfs mounts here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def agent(tmp_path, mosquitto, tiny_disk):
    process = AgentProcess(tmp_path, {"wan1": mosquitto.url}, state_dir=tiny_disk)
    yield process
    process.kill()


def fill(folder):
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


async def test_a_disk_that_fills_makes_it_read_only_and_it_resumes(agent, central, tiny_disk):
    agent.start()
    await until(lambda: central.items[Lane.BULK], "the first inventory")
    filler = fill(tiny_disk)
    central.restore()  # the next receipt is a mark to be written: the disk cannot
    await asyncio.to_thread(agent.run, "path", "hold", "wan1", "--for", "1s")
    faults = await until(lambda: agent.status()["faults"], "the reason in status")
    assert "full" in faults[0]
    seen = len(central.beats)
    await until(lambda: len(central.beats) > seen + 1, "beats all the same")
    filler.unlink()
    await until(lambda: not agent.status()["faults"], "it writes again")
    assert "put aside" not in agent.log.read_text()


async def test_a_disk_that_is_full_from_the_start_does_not_make_the_node_invisible(
    agent, central, tiny_disk
):
    filler = fill(tiny_disk)
    agent.start()
    await until(lambda: len(central.beats) >= 2, "beats without an outbox")
    assert central.beats[-1].bulk is None
    assert agent.is_running()
    filler.unlink()
    await until(lambda: central.items[Lane.BULK], "its inventory", seconds=90)


def test_a_damaged_outbox_is_put_aside_once(agent, tiny_disk):
    (tiny_disk / "outbox.db").write_bytes(b"no database at all" * 500)
    agent.start()
    wait_until(lambda: agent.status()["outbox"], "a new outbox")
    assert (tiny_disk / "outbox.db.damaged").exists()
