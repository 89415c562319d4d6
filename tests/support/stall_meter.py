"""How busy the machine was: what a small process loses of its time, and a small write of its disk.

Two programs, one for each of the cores that a process here may use (at most CORES_MAX), sleep
10 ms at a time and note by how much they overslept; the first of them also syncs a small file. It
knows nothing of what is proven, so it can say that a proof could not be judged.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SLEEP_S = 0.01
NOTED_MS = 10  # shorter ones are any machine's
SYNC_S = 0.5
CORES_MAX = 8
CORE, DISK = "core", "disk"


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest of a time, in ms."""

    core_ms: int
    disk_ms: int

    def __str__(self) -> str:
        return f"a core {self.core_ms} ms, the disk {self.disk_ms} ms"


class StallMeter:
    """Runs from entry to exit; notes go to files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = [
            folder / f"stalls-{core}" for core in sorted(os.sched_getaffinity(0))[:CORES_MAX]
        ]
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for place, file in enumerate(self._files):
            core = file.name.removeprefix("stalls-")
            words = (sys.executable, "-S", __file__, core, str(file), "sync" if not place else "")
            self._processes.append(subprocess.Popen(words, stdin=subprocess.DEVNULL))
        return self

    def __exit__(self, *_exc: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def longest(self, since_ns: int) -> Stall:
        """Return the longest stalls since a moment of the boot clock."""
        found = {CORE: 0, DISK: 0}
        for file in self._files:
            for row in file.read_text().splitlines() if file.exists() else []:
                ns, kind, ms = row.split()
                if int(ns) >= since_ns:
                    found[kind] = max(found[kind], int(ms))
        return Stall(found[CORE], found[DISK])


def meter(core: int, file: Path, *, syncs: bool) -> None:
    """Note stalls until killed: (boot clock in ns when it ended, ms)."""
    os.sched_setaffinity(0, {core})
    out = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    disk = os.open(file.with_suffix(".disk"), os.O_WRONLY | os.O_CREAT, 0o600)

    def note(kind: str, seconds: float) -> None:
        ms = round(seconds * 1000)
        if ms >= NOTED_MS:
            os.write(out, f"{time.clock_gettime_ns(time.CLOCK_BOOTTIME)} {kind} {ms}\n".encode())

    synced_s = 0.0
    while True:
        before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        time.sleep(SLEEP_S)
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        note(CORE, now_s - before_s - SLEEP_S)
        if syncs and now_s - synced_s > SYNC_S:
            os.pwrite(disk, b"x", 0)
            os.fsync(disk)
            synced_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            note(DISK, synced_s - now_s)


if __name__ == "__main__":
    meter(int(sys.argv[1]), Path(sys.argv[2]), syncs=sys.argv[3] == "sync")
