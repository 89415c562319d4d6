"""The guard as a process: what must end ends in time, whatever happens to agent or guard."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cgroups import STUBBORN, needs_cgroups, started_in
from guard_process import CLOCK
from waiting import wait_until

from roost_agent.ha.guard_client import GuardError

pytestmark = [pytest.mark.netns, needs_cgroups, pytest.mark.timeout(300)]

LONG = ("--lease-ms", "600000")
OWN_KIB_MAX = 8 * 1024  # beside the interpreter's own text; `make bench` has the whole of it

# An agent that renews: a lease of 12 s, fifty times within it; a busy machine takes seconds of it.
AGENT = """
import asyncio, sys
from roost_agent.ha.guard_client import GuardClient
from roost_agent.ports import SystemClock

async def main(path, group):
    clock = SystemClock()
    client = GuardClient(path, clock)
    while True:
        now = clock.boot_ms()
        await client.arm("main", 5, (now + 11_000, now + 11_500, now + 12_000), cgroups=[group])
        print(now, flush=True)
        await asyncio.sleep(0.2)

asyncio.run(main(*sys.argv[1:]))
"""


def ended(process):
    """How a process ended, once it has."""
    wait_until(lambda: process.poll() is not None, "the service ends")
    return process.returncode


def refused(guard, **options):
    with pytest.raises(GuardError) as error:
        guard.arm(**options)
    return error.value.error


def test_what_ignores_sigterm_is_killed_at_d2_and_not_before(guards, root):
    guard = guards()
    guard.start()
    service = started_in(root / "main", *STUBBORN)
    _, d2_ms, _ = guard.arm(deadlines=(300, 1_500, 3_000), cgroups=[str(root / "main")])
    assert ended(service) == -signal.SIGKILL
    assert CLOCK.boot_ms() >= d2_ms
    wait_until(lambda: guard.state()["holds"] == [], "the hold ends")
    assert guard.state()["ended"] == {"main": 5}
    assert re.findall("main epoch 5: (.*)", guard.logged()) == [
        "past D1, told to end",
        "past D2, killed",
        "has stopped",
    ]


def test_what_listens_is_asked_first(guards, root):
    guard = guards(*LONG)
    guard.start()
    service = started_in(root / "main", "/bin/sleep", "600")
    guard.arm(deadlines=(300, 300_000, 300_000), cgroups=[str(root / "main")])
    assert ended(service) == -signal.SIGTERM


def test_a_service_outlives_its_first_deadlines_while_an_agent_renews_and_not_its_agent(
    guards, root, memory
):
    guard = guards("--tick-ms", "50", "--lease-ms", "12000", folder=memory)
    guard.start()
    service = started_in(root / "main", *STUBBORN)
    with subprocess.Popen(
        [sys.executable, "-c", AGENT, guard.socket, str(root / "main")], stdout=subprocess.PIPE
    ) as agent:
        first_ms = int(agent.stdout.readline())
        while int(agent.stdout.readline()) < first_ms + 13_000:
            assert service.poll() is None
        agent.kill()
    assert ended(service) == -signal.SIGKILL


def test_a_guard_that_was_killed_goes_on_with_what_it_promised(guards, root):
    guard = guards(*LONG)
    guard.start()
    service = started_in(root / "main", *STUBBORN)
    times = guard.arm(deadlines=(3_000, 4_000, 5_000), cgroups=[str(root / "main")])
    guard.kill()
    (hold,) = guard.start()["holds"]
    assert (hold["d1_ms"], hold["d2_ms"], hold["d3_ms"]) == times
    assert ended(service) == -signal.SIGKILL
    assert CLOCK.boot_ms() >= times[1]


def test_a_guard_that_finds_no_state_kills_what_it_has_no_hold_for(guards, root):
    guard = guards(*LONG)
    guard.start()
    kept = started_in(root / "kept", *STUBBORN)
    guard.arm("kept", 7, None, cgroups=[str(root / "kept")])
    guard.kill()
    stray = started_in(root / "main", *STUBBORN)
    guard.start()
    assert ended(stray) == -signal.SIGKILL
    assert kept.poll() is None  # its hold is in the state
    guard.kill()
    guard.state_file.write_text("{}")
    guard.start()
    assert ended(kept) == -signal.SIGKILL


def test_what_begins_without_a_hold_is_killed_too(guards, root):
    guard = guards()
    guard.start()
    assert ended(started_in(root / "main", *STUBBORN)) == -signal.SIGKILL


def test_a_guard_that_slept_past_d2_kills_before_it_reads(guards, root):
    guard = guards("--lease-ms", "600000")
    guard.start()
    service = started_in(root / "main", *STUBBORN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as agent:
        agent.connect(guard.socket)
        _, d2_ms, _ = guard.arm(deadlines=(800, 1_000, 1_200), cgroups=[str(root / "main")])
        os.kill(guard.pid, signal.SIGSTOP)
        now_ms = CLOCK.boot_ms()
        extension = {"do": "arm", "lease": "main", "epoch": 5, "cgroups": [str(root / "main")]}
        extension |= {f"d{n}_ms": now_ms + 300_000 for n in (1, 2, 3)}
        agent.send(json.dumps(extension).encode())
        wait_until(lambda: CLOCK.boot_ms() > d2_ms, "D2 passes")
        assert service.poll() is None
        os.kill(guard.pid, signal.SIGCONT)
        assert json.loads(agent.recv(4_096))["error"] in {"expired", "epoch"}
    assert ended(service) == -signal.SIGKILL


def test_a_sticky_hold_is_left_alone_and_ends_when_nothing_runs(guards, root):
    guard = guards()
    guard.start()
    service = started_in(root / "main", *STUBBORN)
    guard.arm(deadlines=None, cgroups=[str(root / "main")])
    with pytest.raises(GuardError, match="runs: something of it still runs"):
        guard.ask(lambda client: client.disarm("main", 5))
    service.kill()
    service.wait()
    guard.ask(lambda client: client.disarm("main", 5))
    assert refused(guard, deadlines=None) == "epoch"


def test_a_group_outside_the_folder_is_refused(guards, root):
    guard = guards()
    guard.start()
    for group in (root.parent, root, root / "gone", root / "main" / "deep", root / ".."):
        assert refused(guard, cgroups=[str(group)]) == "cgroup"


def test_hard_is_refused_without_a_watchdog_and_taken_with_a_tested_one(guards, root, tmp_path):
    guard = guards()
    assert guard.start()["watchdog"] == "no watchdog is configured"
    assert refused(guard, hard=True) == "no-watchdog"
    guard.kill()
    guard = guards(fifo=tmp_path / "gone")
    assert guard.start()["watchdog"].endswith("gone: No such file or directory")
    assert refused(guard, hard=True) == "no-watchdog"
    guard.kill()
    os.mkfifo(tmp_path / "watchdog")
    guard = guards(fifo=tmp_path / "watchdog")
    assert guard.start()["watchdog"] == "tested"
    guard.arm(hard=True)


class Bowl:
    """What a FIFO watchdog got."""

    def __init__(self, path):
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def taken(self):
        try:
            return os.read(self._descriptor, 65_536)
        except BlockingIOError:
            return b""


def test_a_hold_that_was_not_seen_to_stop_starves_the_watchdog_from_d3_on(guards, tmp_path):
    bowl = Bowl(tmp_path / "watchdog")
    guard = guards("--watchdog-s", "1", fifo=tmp_path / "watchdog")
    guard.start()
    # An address that nobody can remove stands for a process that nobody can kill.
    _, _, d3_ms = guard.arm(deadlines=(300, 600, 1_500), vips=[("nowhere/24", "lo")])
    wait_until(lambda: CLOCK.boot_ms() < d3_ms and b"." in bowl.taken(), "it is fed before D3")
    wait_until(lambda: "fed no more" in guard.logged(), "it starves")
    bowl.taken()
    for _ in range(4):  # four times what it would be fed within
        time.sleep(0.25)
        assert bowl.taken() == b""
    guard.kill(signal.SIGTERM)
    assert bowl.taken() == b""  # no magic close: it bites


def test_a_guard_that_ends_with_nothing_held_stops_the_watchdog(guards, tmp_path):
    bowl = Bowl(tmp_path / "watchdog")
    guard = guards(fifo=tmp_path / "watchdog")
    guard.start()
    guard.kill(signal.SIGTERM)
    assert bowl.taken().endswith(b"V")


@pytest.mark.skipif(os.geteuid() != 0, reason="kernel lacks a second user for this test")
def test_another_user_is_turned_away(guards, tmp_path):
    guard = guards()
    guard.start()
    Path(guard.socket).chmod(0o666)  # only who the kernel says they are keeps them out
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder.owner() == "root" and "pytest" in str(folder):
            folder.chmod(0o755)
    code = (
        "import os, socket, sys; os.setuid(65534);"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(sys.argv[1]);"
        "s.settimeout(20)\n"
        'try: s.send(b\'{"do":"state"}\'); print(s.recv(4096))\n'
        "except ConnectionError: print(b'')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, guard.socket], capture_output=True, text=True, check=True
    )
    assert done.stdout == "b''\n"


def test_it_is_small_and_says_how_it_runs(guards, root):
    guard = guards()
    guard.start()  # which compiles it
    guard.kill()
    state = guard.start()
    guard.arm(cgroups=[], deadlines=None)
    status = Path(f"/proc/{guard.pid}/status").read_text()
    own_kib = int(re.search(r"RssAnon:\s+(\d+)", status)[1])
    assert own_kib <= OWN_KIB_MAX
    if os.geteuid() == 0:
        assert state["notes"] == []
        assert int(re.search(r"VmLck:\s+(\d+)", status)[1]) > 0
        assert os.sched_getscheduler(guard.pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
        assert state["kill_ms"] is not None
    assert state["root"] == str(root)


def test_a_second_guard_on_one_state_ends_with_a_sentence(guards):
    guard = guards()
    guard.start()
    code = "from roost_agent.guard.__main__ import main; main()"
    options = ["--state", str(guard.state_file), "--socket", f"{guard.socket}2"]
    options += ["--cgroup-root", str(guard.root)]
    done = subprocess.run(
        [sys.executable, "-c", code, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, f"another guard has {guard.state_file}\n")
    assert guard.state()


def test_a_place_where_it_cannot_listen_is_told(guards, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "roost_agent.guard", "--state", str(tmp_path / "no/where")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (
        1,
        f"{tmp_path}/no/where: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--lease-ms", "9"], "--lease-ms 9: bound 500..600000"),
        (["--lease"], "--lease: unknown option"),
        (["--state"], "--state: needs a value"),
    ],
)
def test_a_wrong_option_is_named(options, told):
    done = subprocess.run(
        [sys.executable, "-m", "roost_agent.guard", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert told in done.stderr
