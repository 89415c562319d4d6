"""The feed of systemd's watchdog, to a real socket."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from roost_agent.ports import SystemClock
from roost_agent.watchdog import FED, Watchdog, watchdog


@pytest.fixture
def systemd(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock


def heard(sock):
    words = []
    while True:
        try:
            words.append(sock.recv(256))
        except BlockingIOError:
            return words


async def fed(address, seconds, *, undone=lambda: "", block_s=0.0):
    task = asyncio.get_running_loop().create_task(
        Watchdog(address, undone, SystemClock(), every_ms=50).run()
    )
    await asyncio.sleep(0.02)
    if block_s:
        time.sleep(block_s)  # noqa: ASYNC251 - what must not happen
        await asyncio.sleep(0.02)  # its late turn
    else:
        await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])


async def test_a_loop_that_does_its_work_is_told_turn_by_turn(systemd, tmp_path):
    await fed(str(tmp_path / "notify"), 0.5)
    words = heard(systemd)
    assert 3 <= len(words) <= 11
    assert set(words) == {FED}
    assert FED == b"WATCHDOG_USEC=30000000\nWATCHDOG=1"


async def test_nothing_is_told_while_something_is_undone(systemd, tmp_path, caplog):
    await fed(str(tmp_path / "notify"), 0.2, undone=lambda: "what was due is not done")
    assert heard(systemd) == []
    assert caplog.text.count("not fed: what was due is not done") == 1


async def test_a_turn_that_comes_late_is_not_told(systemd, tmp_path):
    await fed(str(tmp_path / "notify"), 0, block_s=0.3)
    assert len(heard(systemd)) == 1


async def test_a_systemd_that_is_away_costs_nothing(tmp_path):
    await fed(str(tmp_path / "nobody"), 0.1)


def test_an_agent_that_no_unit_listens_to_has_none():
    clock = SystemClock()
    assert watchdog(lambda: "", clock, {}) is None
    assert watchdog(lambda: "", clock, {"NOTIFY_SOCKET": "vsock:2:1"}) is None
    assert watchdog(lambda: "", clock, {"NOTIFY_SOCKET": "@abstract"}) is not None


def test_a_running_agent_feeds(systemd, tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text(
        f'site = "lab"\nnode = "n1"\nstate_dir = "{tmp_path}/state"\n'
        '[[path]]\nname = "wan1"\nkind = "wan"\nbroker = "mqtt://127.0.0.1:1"\n'
    )
    command = [sys.executable, "-m", "roost_agent", "run", "--config", str(config)]
    env = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    systemd.settimeout(20)
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            assert systemd.recv(256) == FED
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
