"""``ha.service_restart_ms``: a service of a group is killed; until the next one runs.

The group is run as the agent runs it, in a cgroup of its own, watched by pidfd. Each service notes
the time of its first instruction. The kills are far enough apart for each to be a first failure,
which is restarted at once.
"""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration/services"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/agent/ha"))

from cgroups import WHY_NONE, private
from figure import QUICK, Figure, percentile
from running_group import Groups
from waiting import until

from roost_agent.ha.services.event import Running
from roost_agent.ports import SystemClock

KILLS = 5 if QUICK else 40
WINDOW_S = 1  # of the ladder: a later failure is a first one again
PEER = "pacemaker, monitor 1 s: 1,000"
# Its own process notes the time: python would measure its own start.
SERVICE = 'read up rest < /proc/uptime; echo "$up $$" >> "$0"; exec sleep 600'


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Kill a service again and again."""
    if WHY_NONE:
        say(f"not measured: {WHY_NONE}")
        return
    with private() as root, tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        spent = sorted(asyncio.run(restarts(root, Path(folder) / "told", say)))
    note = f"median {statistics.median(spent):.0f} over {len(spent)} kills"
    yield Figure(
        "ha.service_restart_ms", percentile(spent, 99), "ms p99", "<= 200", f"{PEER}; {note}"
    )


async def restarts(root: Path, told: Path, say: Callable[[str], None]) -> list[float]:
    """Return how long each restart took, in ms."""
    clock = SystemClock()
    groups = Groups(root)
    group = groups.begun(
        {
            "name": "web",
            "run": {"start": ["/bin/sh", "-c", SERVICE, str(told)]},
            "ladder": [f"restart:100/{WINDOW_S}"],
        }
    )
    group.shell.start(1)
    spent = []
    try:
        for number in range(KILLS):
            await group.told(Running, number + 1)
            lines = await until(lambda n=number: noted(told, n + 1), "the service notes its start")
            await asyncio.sleep(WINDOW_S * 1.1)
            began_ms = clock.boot_ms()
            os.kill(int(lines[-1].split()[1]), signal.SIGKILL)
            await until(lambda n=number: noted(told, n + 2), "it runs again")
            # The kernel's uptime is the boot clock in hundredths: rounded against us.
            up_s = float(noted(told, number + 2)[-1].split()[0])
            spent.append(up_s * 1000 - began_ms + 10)
            if number % 10 == 0:
                say(f"{number} of {KILLS} kills")
    finally:
        await groups.leave()
    return spent


def noted(file: Path, count: int) -> list[str]:
    """Return what the services noted, once it is so many lines."""
    lines = file.read_text().splitlines() if file.exists() else []
    return lines if len(lines) >= count else []
