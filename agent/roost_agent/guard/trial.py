"""How long a kill takes here: one process in a cgroup of its own, killed and gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from roost_agent.guard import cgroup
from roost_agent.guard.record import Final

WAIT_MS_MAX: Final = 1_000
STEP_S: Final = 0.001
FOLDER: Final = "trial"
FILES_MAX: Final = 256  # descriptors of a guard at its start: a dozen


def kill_ms(folder: str, now_ms: Callable[[], int]) -> int | None:
    """Return the ms from the kill until the group was seen empty; None where it cannot be tried."""
    group = f"{folder}/{FOLDER}-{os.getpid()}"
    try:
        os.mkdir(group)
    except OSError:
        return None
    child = os.fork()
    if child == 0:
        try:
            os.closerange(3, FILES_MAX)  # the lock on the state, should this outlive the guard
            signal.pause()
        finally:
            os._exit(0)
    try:
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as stream:
            stream.write(str(child))
        began_ms = now_ms()
        cgroup.kill(group)
        while not cgroup.is_empty(group) and now_ms() - began_ms < WAIT_MS_MAX:
            time.sleep(STEP_S)
        return now_ms() - began_ms
    except OSError:
        return None
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        _remove(group, now_ms)


def _remove(group: str, now_ms: Callable[[], int]) -> None:
    ends_ms = now_ms() + WAIT_MS_MAX
    while now_ms() < ends_ms:
        try:
            os.rmdir(group)
        except OSError:
            time.sleep(STEP_S)
        else:
            return
