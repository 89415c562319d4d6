"""Puts the guard together and runs it until it is told to end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from roost_agent.guard import cgroup, hardware, memory, state_file, trial
from roost_agent.guard.core import Deadlines
from roost_agent.guard.loop import Loop, Setting
from roost_agent.guard.ports import boot_ms
from roost_agent.guard.record import Final, Record
from roost_agent.guard.sockets import Sockets
from roost_agent.guard.watchdog import Device, Hardware, Watchdog


class Given(Record):
    """The options of a start."""

    socket: str = "/run/roost-guard/guard.sock"
    state: str = "/run/roost-guard/guard.state"
    cgroup_root: str = ""  # empty: found by the mounts
    slice_root: str = ""  # empty: found by the mounts, unless cgroup_root is given
    lease_ms: int = 6_000
    tick_ms: int = 100
    watchdog: str = ""  # such as /dev/watchdog; empty: none
    watchdog_s: int = 5
    agent_uid: int = -1  # who may speak besides root and the guard's own user


BOUNDS: Final = {
    "lease_ms": (500, 600_000),
    "tick_ms": (10, 1_000),
    "watchdog_s": (1, 600),
    "agent_uid": (-1, 2**32 - 2),
}


def run(given: Given, opened: Callable[[str], Device] = Hardware) -> int:
    """Guard until SIGTERM or SIGINT; what is held then is left as it is, for the next guard.

    Args:
        given: the options.
        opened: opens the watchdog.
    """
    try:
        state_file.alone(given.state)  # held until the end of the process
    except BlockingIOError:
        say(f"another guard has {given.state}")
        return 1
    except OSError as err:
        say(f"{given.state}: {err.strerror}")
        return 1
    root = _root(given.cgroup_root)
    if not root:
        say("no cgroup v2 is mounted here: nothing can be guarded")
        return 1
    notes = [note for note in (memory.lock(), memory.prefer()) if note]
    boot_id = state_file.boot_id()
    kept = state_file.load(given.state, boot_id)
    notes += [kept.why_not] if kept.why_not else []
    watchdog = Watchdog(given.watchdog, given.watchdog_s, opened)
    core = Deadlines(given.lease_ms, kept.holds, kept.ended, has_watchdog=watchdog.timeout_ms > 0)
    setting = Setting(root, given.state, boot_id, given.lease_ms, given.tick_ms, tuple(notes))
    known = ", ".join(filter(None, (watchdog.identity, hardware.machine())))
    setting = setting._replace(slices=_slices(given), hardware=known)
    loop = Loop(setting, core, watchdog, boot_ms, say)
    loop.turn()  # what the guard before this one left is acted on before anything else
    loop.try_kill(os.path.dirname(root), trial.kill_ms)
    try:
        sockets = Sockets(given.socket, given.agent_uid, loop.answer)
    except OSError as err:
        say(f"{given.socket}: {err.strerror}")
        return 1
    for note in (*notes, f"watchdog: {watchdog.why_not or 'tested'}"):
        say(note)
    say(f"guards {' and '.join(loop.roots)}, {len(kept.holds)} holds resumed")
    memory.settle()
    _until_told(loop, sockets)
    sockets.close()
    watchdog.close(stop=loop.is_free)
    return 0


def say(line: str) -> None:
    """Write one line for the log; the journal puts the time there."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _root(asked: str) -> str:
    """Return the folder of what is guarded, made where that is possible; empty: no cgroup v2."""
    root = asked
    if not root:
        mount = cgroup.mount_point()
        if mount is None:
            return ""
        root = f"{mount}/{cgroup.FOLDER}/{cgroup.EXCLUSIVE}"
    try:
        os.makedirs(root, exist_ok=True)
    except OSError as err:
        say(f"{root}: {err.strerror}")
    return root


def _slices(given: Given) -> str:
    """Return the folder of the slices that systemd makes for us; nothing is made here."""
    if given.slice_root or given.cgroup_root:
        return given.slice_root
    return f"{cgroup.mount_point()}/{cgroup.SLICES}"


def _until_told(loop: Loop, sockets: Sockets) -> None:
    told: list[int] = []
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: told.append(signum))
    sockets.watch(reader)
    while not told:
        for descriptor in sockets.wait(loop.turn()):
            loop.turn()
            sockets.serve(descriptor)
