"""What the services of a site wrote where they run: the only witness of who was active, and when.

A line is (CLOCK_BOOTTIME in ns, node, epoch). A *turn* is all that one node wrote under one epoch,
from its first line to its last. No word of an agent counts here.
"""

import time
from pathlib import Path

STEP_NS = 5_000_000  # between two lines
NOW_NS = 100_000_000  # a line younger than this says that somebody runs

SERVICE = """
import os, signal, sys, time
node = open("/proc/self/cgroup").read().split("0::")[1].split("/exclusive/")[0].split("/")[-1]
out = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
if "stubborn" in sys.argv[2:]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    os.write(out, f"{now} {node} {os.environ['HA_EPOCH']} {os.getpid()}\\n".encode())
    time.sleep(0.005)
"""


class Oracle:
    """The file into which every service of a site writes.

    Attributes:
        ahead_ns: node to how far its boot clock is ahead of ours (a time namespace of its own).
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ahead_ns: dict[str, int] = {}
        self.pid = 0  # of the service that wrote last
        self._lines: list[tuple[int, str, int]] = []
        self._read = 0

    def lines(self) -> list[tuple[int, str, int]]:
        """Return all that was written, as it came: (ns, node, epoch)."""
        if not self.file.exists():
            return []
        with self.file.open("rb") as stream:
            stream.seek(self._read)
            raw = stream.read()
        whole = raw[: raw.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode().splitlines():
            ns, node, epoch, pid = line.split()
            self._lines.append((int(ns) - self.ahead_ns.get(node, 0), node, int(epoch)))
            self.pid = int(pid)
        return self._lines

    def active(self) -> str | None:
        """Return who wrote of late; None for nobody."""
        last = self.lines()[-1:]
        return last[0][1] if last and now_ns() - last[0][0] < NOW_NS else None

    def turns(self, since_ns: int = 0) -> list[tuple[int, int, str, int]]:
        """Return every turn that wrote since a moment: (first ns, last ns, node, epoch)."""
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for ns, node, epoch in self.lines():
            if ns >= since_ns:
                first, last = found.get((node, epoch), (ns, ns))
                found[node, epoch] = (min(first, ns), max(last, ns))
        return sorted((*times, *who) for who, times in found.items())

    def overlap_ns(self, since_ns: int = 0) -> int:
        """Return for how long two turns ran at once: 0, or something is very wrong."""
        overlap, until = 0, 0
        for first, last, _, _ in self.turns(since_ns):
            overlap += max(0, min(last, until) - first)
            until = max(until, last)
        return overlap

    def gap_s(self, since_ns: int) -> float:
        """Return the longest time after a moment in which no service wrote."""
        times = [ns for ns, _, _ in self.lines() if ns >= since_ns]
        steps = zip([since_ns, *times], times, strict=False)
        return max((after - before for before, after in steps), default=0) / 1e9

    def first_after(self, after_ns: int, node: str) -> int:
        """Return when a node first wrote after a moment."""
        return min(ns for ns, who, _ in self.lines() if who == node and ns > after_ns)

    def last_of(self, node: str) -> int:
        """Return when a node last wrote."""
        return max(ns for ns, who, _ in self.lines() if who == node)


def now_ns() -> int:
    """Return our boot clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
