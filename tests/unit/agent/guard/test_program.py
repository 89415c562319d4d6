"""The guard as a process over a folder that looks like cgroups: what comes before what."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roost_agent.guard.core import ARMED, Arm
from roost_agent.guard.ports import boot_ms
from roost_agent.guard.state_file import boot_id, save

WAIT_S = 20


@pytest.fixture
def group(tmp_path):
    """A group in which something runs, whatever is done to it."""
    folder = tmp_path / "exclusive" / "main"
    folder.mkdir(parents=True)
    for name in ("cgroup.freeze", "cgroup.kill", "cgroup.procs"):
        (folder / name).touch()
    (folder / "cgroup.events").write_text("populated 1\n")
    return folder


def words(tmp_path, sock):
    return [
        *(sys.executable, "-m", "roost_agent.guard", "--lease-ms", "600000"),
        *("--cgroup-root", str(tmp_path / "exclusive"), "--state", str(tmp_path / "state")),
        *("--socket", str(sock)),
    ]


def test_what_is_past_its_deadline_is_killed_before_anybody_is_heard(tmp_path, group):
    hold = Arm("main", 5, 1, 2, 3, (str(group),))
    save(str(tmp_path / "state"), boot_id(), [(hold, ARMED)], {})
    nowhere = tmp_path / "gone" / "guard.sock"
    done = subprocess.run(words(tmp_path, nowhere), timeout=WAIT_S, check=False)
    assert done.returncode == 1  # nobody could speak to it
    assert (group / "cgroup.kill").read_text() == "1"


def connected(path: Path) -> socket.socket:
    until_s = time.monotonic() + WAIT_S
    while True:
        agent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            agent.connect(str(path))
        except OSError:
            agent.close()
            assert time.monotonic() < until_s, "the guard listens"
            time.sleep(0.01)
        else:
            return agent


def test_deadlines_are_looked_at_before_a_packet_is_read(tmp_path, group):
    path = tmp_path / "guard.sock"
    with subprocess.Popen(words(tmp_path, path)) as guard, connected(path) as agent:
        agent.settimeout(WAIT_S)
        d2_ms = boot_ms() + 1_000
        arm = {"do": "arm", "lease": "main", "epoch": 5, "cgroups": [str(group)]}
        agent.send(json.dumps(arm | {f"d{n}_ms": d2_ms for n in (1, 2, 3)}).encode())
        assert json.loads(agent.recv(4_096))["ok"]
        os.kill(guard.pid, signal.SIGSTOP)
        agent.send(b'{"do": "state"}')
        while boot_ms() <= d2_ms:
            time.sleep(0.01)
        os.kill(guard.pid, signal.SIGCONT)
        (hold,) = json.loads(agent.recv(65_536))["holds"]
        guard.terminate()
    assert hold["stage"] == "killing"
