"""What the unit forbids is nothing that the agent does, and what it grants is enough to start.

By the unit's lines and real agents: systemd itself runs in the soak alone.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cgroups import cpu_quota, entering
from waiting import until, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

UNIT = Path(__file__).parents[3] / "packaging/systemd/roost-agent.service"
# Options that take sets of system calls away by themselves: systemd.exec(5), systemd 252.
TAKEN = {
    "ProtectClock": "@clock",
    "ProtectKernelModules": "@module",
    "PrivateDevices": "@raw-io",
}
# Where there is a group roost-alarm, and a clock: not on each machine that runs the tests.
BESIDES = {"chown", "adjtimex"}
NEVER = {"mount", "reboot", "settimeofday", "init_module", "ptrace", "setuid", "bpf"}
SLOWER_MAX = 6  # times; a quota of 5 % made it 20


def in_set(name):
    """The system calls of one of systemd's sets."""
    said = subprocess.check_output(["systemd-analyze", "syscall-filter", name], text=True)
    words = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    return set().union(*(expanded(word) for word in words if not word.startswith("#")))


def expanded(word):
    return in_set(word) if word.startswith("@") else {word}


def allowed(unit):
    """The system calls that a unit leaves, by its lines from the first to the last."""
    text, left = unit.read_text(), in_set("@default")
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE):
        named = set().union(*(expanded(word) for word in line.lstrip("~").split()))
        left = left - named if line.startswith("~") else left | named
    for option, name in TAKEN.items():
        if re.search(rf"^{option}=yes$", text, re.MULTILINE):
            left -= in_set(name)
    return left


def test_the_agent_asks_the_kernel_for_nothing_that_its_unit_forbids(agent, tmp_path):
    if not (shutil.which("strace") and shutil.which("systemd-analyze")):
        pytest.skip("strace or systemd-analyze absent")
    trace = tmp_path / "calls"
    agent.start(before=("strace", "-f", "-qq", "-s", "300", "-o", str(trace)))
    wait_until(lambda: agent.status()["inventory"]["gen"], "the first probe", seconds=60)
    wait_until(
        lambda: "kernel_clock.py" in trace.read_text(), "looks that are programs", seconds=60
    )
    os.kill(int(trace.read_text().split()[0]), signal.SIGTERM)  # strace ends with what it traces
    wait_until(lambda: not agent.is_running(), "the agent ends")
    asked = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    assert {"openat", "socket"} <= asked
    left = allowed(UNIT)
    assert not (asked | BESIDES) - left
    assert not NEVER & left


async def test_its_share_of_the_processor_is_enough_to_start_at_once(agent, central):
    percent = int(re.search(r"^CPUQuota=(\d+)%$", UNIT.read_text(), re.MULTILINE)[1])
    await first_beat_s(agent, central, ())  # its files are read, and compiled
    free_s = await first_beat_s(agent, central, ())
    with cpu_quota(percent) as group:
        bound_s = await first_beat_s(agent, central, entering(group))
    print(f"first beat after {free_s:.2f} s, with {percent} % of a core after {bound_s:.2f} s")
    assert bound_s <= SLOWER_MAX * free_s


async def first_beat_s(agent, central, before):
    def starts():
        return sum(beat.why == "start" for beat in central.beats)

    heard, began_s = starts(), time.monotonic()
    agent.start(before)
    await until(lambda: starts() > heard, "a beat", seconds=60)
    took_s = time.monotonic() - began_s
    agent.stop()
    return took_s
