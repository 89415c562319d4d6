"""``agent.*``: memory and processor of one resident agent that only monitors, and its first beat.

The agent is the installed program with its default intervals, one WAN path to a real Mosquitto.
Memory is the sum of ``smaps_rollup`` over the process and its children; processor time is that of
``/proc/<pid>/stat``, children included, from the end of the first discovery on.
"""

import asyncio
import compileall
import contextlib
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiomqtt
from figure import QUICK, Figure
from mosquitto import Mosquitto

import roost_agent
import roost_protocol

WATCH_S = 60 if QUICK else 600
SETTLE_S = 15  # the first discovery and its report are over by then
STARTS = 3 if QUICK else 7
TICKS = os.sysconf("SC_CLK_TCK")


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Start agents, then watch one of them."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder, Mosquitto() as broker:
        starts = [
            asyncio.run(first_beat_ms(broker.port, config(folder, broker.port, run)))
            for run in range(STARTS)
        ]
        say(f"first beat: median of {STARTS} starts")
        yield Figure("agent.start_to_beat_ms", round(statistics.median(starts)), "ms", "<= 1,000",
                     f"highest {max(starts):.0f}")  # fmt: skip
        with agent(config(folder, broker.port, 99)) as process:
            time.sleep(SETTLE_S)
            began, ticks = time.monotonic(), cpu_ticks(process.pid)
            peak = rss_mib(process.pid)
            while (spent := time.monotonic() - began) < WATCH_S:
                say(f"watching, {WATCH_S - spent:.0f} s left")
                time.sleep(min(30, WATCH_S - spent + 0.1))
                peak = max(peak, rss_mib(process.pid))
            percent = 100 * (cpu_ticks(process.pid) - ticks) / TICKS / (time.monotonic() - began)
        note = f"over {WATCH_S} s{', a shorter run' if QUICK else ''}"
        yield Figure("agent.rss_mib", round(peak, 1), "MiB", "<= 30", f"highest {note}")
        yield Figure("agent.cpu_percent", round(percent, 3), "% of a core", "<= 0.1", note)


def config(folder: str, port: int, run: int) -> Path:
    """Write the configuration of one agent."""
    path = Path(folder) / f"agent{run}.toml"
    path.write_text(
        f'site = "bench"\nnode = "n{run}"\nstate_dir = "{folder}/state{run}"\n'
        f'[[path]]\nname = "wan1"\nkind = "wan"\nbroker = "mqtt://127.0.0.1:{port}"\n'
    )
    return path


@functools.cache
def compiled() -> None:
    """Compile the agent, as a package's installation does: what compiles itself is 0.7 MiB more."""
    for package in (roost_agent, roost_protocol):
        compileall.compile_dir(Path(package.__file__).parent, quiet=2)


@contextlib.contextmanager
def agent(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run an agent while the context lasts."""
    compiled()
    command = [sys.executable, "-m", "roost_agent", "run", "--config", str(path)]
    env = os.environ | {"MALLOC_ARENA_MAX": "2"}  # as the unit sets it
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=env)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


async def first_beat_ms(port: int, path: Path) -> float:
    """Return the time from exec to the first beat at the broker."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("roost/v1/+/+/up/beat")
        began = time.perf_counter()
        with agent(path):
            async with asyncio.timeout(20):
                await anext(aiter(client.messages))
            return (time.perf_counter() - began) * 1000


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process and its children."""
    total = 0
    for each in [pid, *children(pid)]:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Rss:")).split()[1])
    return total / 1024


def cpu_ticks(pid: int) -> int:
    """Return user and system ticks of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15])


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
