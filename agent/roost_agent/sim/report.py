"""What the simulator shows: a line a second on a terminal, and the summary at the end."""

import os
import resource
import sys
from dataclasses import asdict, replace

import msgspec

from roost_agent.sim.counts import Counts


class Progress:
    """One line on standard error, written over each second; nothing where no one watches."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._before = replace(counts)
        self._seconds = 0
        self._shows = sys.stderr.isatty()

    def second(self) -> None:
        """Show what the last second did."""
        now, before = self._counts, self._before
        self._before = replace(now)
        self._seconds += 1
        if self._shows:
            sys.stderr.write(
                f"\r{self._seconds:5} s  {now.beats - before.beats:6,} beats/s"
                f"  {now.receipts - before.receipts:6,} receipts/s"
                f"  {now.waiting:6,} items unreceipted  {now.lost:,} messages lost\x1b[K"
            )
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._shows and self._seconds:
            sys.stderr.write("\n")


def summary(counts: Counts, *, sites: int, nodes: int, seconds: float) -> dict[str, int | float]:
    """Return what was done and what it cost."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "sites": sites,
        "nodes": nodes,
        "seconds": round(seconds, 1),
        **asdict(counts),
        "waiting": counts.waiting,
        "cpu_s": round(spent.ru_utime + spent.ru_stime, 2),
        "rss_mib": round(spent.ru_maxrss / 1024, 1),
        "pid": os.getpid(),
    }


def write(document: dict[str, int | float], *, as_json: bool) -> None:
    """Write the summary to standard output."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        return
    width = max(map(len, document))
    for name, value in document.items():
        sys.stdout.write(f"{name:{width}}  {value:,}\n")
