"""``alarm.local_raise_us``: how long an application waits for an alarm, with nobody to tell it to.

The agent is the installed program; its broker's port is closed and there is no centre. Each raise
is another alarm and is on disk when its answer comes, so this is a round trip with an fsync. They
come at three quarters of the rate that one application may have: the processor has gone to sleep
before each, and wakes up for client, agent, disk and client again. What that alone takes is shown
by the peer of the same run, which keeps one row of SQLite for a packet and does no more.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figure import QUICK, Figure
from measure_agent import SETTLE_S, agent, config

from roost_agent.alarms.local_client import AlarmClient

RAISES = 200 if QUICK else 1_000
BARE = 50 if QUICK else 250  # of the peer
PACE_S = 1 / 12  # three quarters of what one application may ask
ACTIVE_MAX = 150  # below what one application may have raised at a time
CLOSED_PORT = 1
READY_S = 20


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Raise alarms one by one, and clear the oldest."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        path = config(folder, CLOSED_PORT, 1)
        with agent(path):
            client = AlarmClient(f"{folder}/state1/alarm.sock")
            ready(client)
            say(f"the first discovery, {SETTLE_S} s")
            time.sleep(SETTLE_S)
            spent = paced(client, RAISES, say)
            client.close()
        say(f"{BARE} rows of the peer")
        bare = peer_us(Path(folder), say)
        disk = sync_us(Path(folder))
    note = (
        f"median {statistics.median(spent):.0f} over {RAISES}{', a shorter run' if QUICK else ''};"
        f" a bare program {statistics.median(bare):.0f}, its p99 {p99(bare):.0f};"
        f" an fsync alone: median {disk:.0f}"
    )
    yield Figure("alarm.local_raise_us", round(p99(spent)), "us p99", "<= 2,000", note)


def paced(client: AlarmClient, raises: int, say: Callable[[str], None]) -> list[float]:
    """Return how long each raise took."""
    spent = []
    for number in range(raises):
        if number % 100 == 0:
            say(f"{number} of {raises} alarms raised")
        spent.append(raise_us(client, number))
        time.sleep(PACE_S)
    return spent


def p99(spent: list[float]) -> float:
    """Return what one in a hundred took longer than."""
    return sorted(spent)[len(spent) * 99 // 100]


def peer_us(folder: Path, say: Callable[[str], None]) -> list[float]:
    """Return how long the same takes of a program that only keeps a row."""
    program = Path(__file__).with_name("bare_alarm.py")
    with subprocess.Popen([sys.executable, str(program), str(folder)]) as process:
        client = AlarmClient(f"{folder}/bare.sock")
        ready(client)
        spent = paced(client, BARE, say)
        client.close()
        process.wait(15)
    return spent


def ready(client: AlarmClient) -> None:
    """Wait until the agent takes alarms."""
    ends = time.monotonic() + READY_S
    while not client.clear_alarm("750.801", "app=bench"):
        if time.monotonic() > ends:
            raise TimeoutError(f"no agent within {READY_S} s: {client.refusal}")
        time.sleep(0.05)


def raise_us(client: AlarmClient, number: int) -> float:
    """Return how long one raise took."""
    entity = f"app=bench,unit={number % ACTIVE_MAX}"
    text = f"turn {number // ACTIVE_MAX}"
    began = time.perf_counter()
    if not client.raise_alarm("750.801", entity, "minor", text):
        raise RuntimeError(f"alarm {number} was not taken: {client.refusal}")
    return (time.perf_counter() - began) * 1e6


def sync_us(folder: Path) -> float:
    """Return what the disk itself takes to keep 4 KiB."""
    spent = []
    with contextlib.closing(open(folder / "probe", "wb", buffering=0)) as file:  # noqa: PTH123 - unbuffered
        for _ in range(50):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            spent.append((time.perf_counter() - began) * 1e6)
    return statistics.median(spent)
