"""A watchdog for a node that is no machine: unfed for its time, it ends everything on the node.

The guard feeds a FIFO (guard_process.py); this reads it. What the kernel's device would do to the
machine, it does to the node's cgroup, frozen or not.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

LOOK_S = 0.02


class Reaper:
    """One node's watchdog; it begins to count with the first feed.

    Attributes:
        bites: how often it ended the node.
    """

    def __init__(self, fifo: Path, watchdog_ms: int, end: Callable[[], None]) -> None:
        os.mkfifo(fifo)
        self.bites = 0
        self._fifo = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self._watchdog_s = watchdog_ms / 1000
        self._end = end
        self._closed = threading.Event()
        self._is_reset = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watchdog {fifo}", daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Count anew from the next feed, as after a reset of the machine."""
        self._is_reset.set()

    def is_at_rest(self) -> bool:
        """Whether the reset was taken in."""
        return not self._is_reset.is_set()

    def close(self) -> None:
        """Bite no more."""
        self._closed.set()
        self._thread.join()
        os.close(self._fifo)

    def _run(self) -> None:
        fed_s: float | None = None  # None: nobody opened it, or it was closed in order
        while not self._closed.wait(LOOK_S):
            now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            if self._is_reset.is_set():
                self._read()  # of the boot before
                fed_s = None
                self._is_reset.clear()
            elif said := self._read():
                fed_s = None if said.endswith(b"V") else now_s
            elif fed_s is not None and now_s - fed_s > self._watchdog_s:
                fed_s = None
                self.bites += 1
                self._end()

    def _read(self) -> bytes:
        try:
            return os.read(self._fifo, 4096)
        except BlockingIOError:
            return b""
