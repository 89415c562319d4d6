"""``cli.help_ms``: from exec to exit of ``roost --help``."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figure import QUICK, Figure

ROOST = Path(sys.executable).with_name("roost")


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Take the median of 21 runs, against the bare interpreter in the same run."""
    runs = 5 if QUICK else 21
    shell = [_ms([str(ROOST), "--help"]) for _ in range(runs)]
    bare = [_ms([sys.executable, "-c", "pass"]) for _ in range(runs)]
    say(f"median of {runs} runs")
    against = f"python -c pass: {statistics.median(bare):.0f} ms"
    yield Figure("cli.help_ms", round(statistics.median(shell), 1), "ms", "<= 150", against)


def _ms(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000
