"""``probe.cpu_ms``: user and system time of one full discovery of this machine, as a process."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator

from figure import QUICK, Figure


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Take the median of 9 runs, against lshw where it is installed."""
    runs = 3 if QUICK else 9
    ours = [_cpu_ms([sys.executable, "-m", "roost_agent", "probe"]) for _ in range(runs)]
    bare = [_cpu_ms([sys.executable, "-c", "import asyncio, msgspec"]) for _ in range(runs)]
    say(f"median of {runs} runs")
    against = f"python with asyncio and msgspec alone: {statistics.median(bare):.0f} ms"
    if shutil.which("lshw"):
        against += (
            f"; lshw: {statistics.median([_cpu_ms(['lshw', '-quiet']) for _ in range(3)]):.0f} ms"
        )
    yield Figure("probe.cpu_ms", round(statistics.median(ours), 1), "ms", "<= 500", against)


def _cpu_ms(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
