"""``ha.guard_rss_mib`` and ``ha.guard_cpu_percent``: roost-guard with a lease that is renewed.

The guard is the installed program, its memory locked as far as the machine permits, with one hold
of the default profile that is extended every second, as an agent does.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from cgroups import WHY_NONE, private
from figure import QUICK, Figure
from guard_process import Guard

WATCHED_S = 5 if QUICK else 60
RENEW_S = 1.0
PEER = "corosync 3.1: 72 to 96 MiB, 0.5 to 1.2 %"


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Watch a guard for a while."""
    if WHY_NONE:
        say(f"not measured: {WHY_NONE}")
        return
    with private() as root, tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        group = root / "main"
        group.mkdir()
        guard = Guard(Path(folder), root)
        try:
            guard.start()  # which compiles it
            guard.kill()
            notes = guard.start()["notes"]
            say(f"one hold, renewed for {WATCHED_S} s")
            guard.arm(deadlines=(4_000, 5_500, 6_000), cgroups=[str(group)])
            before, began = ticks(guard.pid), time.monotonic()
            while time.monotonic() - began < WATCHED_S:
                time.sleep(RENEW_S)
                guard.arm(deadlines=(4_000, 5_500, 6_000), cgroups=[str(group)])
            spent = (ticks(guard.pid) - before) / (time.monotonic() - began)
            rss_mib = int(status(guard.pid, "VmRSS")) / 1024
        finally:
            guard.kill()
    how = "; ".join(notes) or "memory locked, SCHED_FIFO"
    yield Figure("ha.guard_rss_mib", round(rss_mib, 2), "MiB", "<= 12", f"{PEER}; {how}")
    yield Figure("ha.guard_cpu_percent", round(100 * spent, 3), "%", "", f"over {WATCHED_S} s")


def ticks(pid: int) -> float:
    """Return the processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid: int, key: str) -> str:
    """Return a number of /proc/PID/status."""
    found = re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]
