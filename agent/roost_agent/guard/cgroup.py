"""cgroup v2: where it is mounted, whether something runs in a group, how it is ended.

A hybrid system mounts v2 beside v1, so the mount is found, never assumed. A group that is not there
is an empty one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator

from roost_agent.guard.record import Final

MOUNTS: Final = "/proc/self/mountinfo"
FOLDER: Final = "roost-ha"  # below the mount: ours
SLICES: Final = "roost.slice/roost-ha.slice"  # below the mount: ours, and systemd makes them
EXCLUSIVE: Final = "exclusive"  # of FOLDER: groups that need a hold
DEPTH_MAX: Final = 4  # group, service, and what a service makes itself


def mount_point(mounts: str = MOUNTS) -> str | None:
    """Return where cgroup v2 is mounted, None where it is not."""
    try:
        with open(mounts, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        if after.split(" ")[0] == "cgroup2":
            return before.split(" ")[4]
    return None


def is_empty(group: str) -> bool:
    """Return whether nothing runs in a group or below it."""
    try:
        with open(f"{group}/cgroup.events", encoding="ascii") as stream:
            return "populated 0" in stream.read()
    except OSError as err:
        return not os.path.isdir(group) or _gone(err)


def _gone(err: OSError) -> bool:
    return isinstance(err, FileNotFoundError) or err.errno == 19  # noqa: PLR2004 - ENODEV: removed


def kill(group: str) -> str:
    """Kill all in a group and below it; return what went wrong, if anything."""
    try:
        _write(f"{group}/cgroup.kill", b"1")
    except OSError as err:
        return "" if is_empty(group) else f"{group}: {err.strerror}"
    return ""


def freeze(group: str, *, is_frozen: bool) -> str:
    """Let nothing in a group run, nor what enters it later, or let it; return what went wrong.

    What is frozen can be killed all the same.
    """
    try:
        _write(f"{group}/cgroup.freeze", b"1" if is_frozen else b"0")
    except OSError as err:
        return "" if not os.path.isdir(group) else f"{group}/cgroup.freeze: {err.strerror}"
    return ""


def unfit(group: str, roots: Iterable[str]) -> str:
    """Return why a group cannot be guarded: it must lie in our folder and let itself be killed."""
    if os.path.dirname(group) not in roots or os.path.basename(group) in {"", ".", ".."}:
        return f"{group}: must be a group directly below {' or '.join(roots)}"
    try:
        os.close(os.open(f"{group}/cgroup.kill", os.O_WRONLY | os.O_CLOEXEC))
    except OSError as err:
        return f"{group}/cgroup.kill: {err.strerror}"
    return ""


def terminate(group: str) -> None:
    """Ask all in a group and below it to end."""
    for pid in pids(group):
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError:
            continue  # it was faster


def pids(group: str) -> Iterator[int]:
    """Yield the processes of a group and of those below it."""
    for folder in (group, *below(group)):
        try:
            with open(f"{folder}/cgroup.procs", encoding="ascii") as stream:
                found = stream.read().split()
        except OSError:
            continue
        yield from (int(pid) for pid in found)


def below(group: str, depth: int = DEPTH_MAX) -> list[str]:
    """Return the groups below one, a parent before its children."""
    found: list[str] = []
    try:
        with os.scandir(group) as entries:
            names = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return found
    for path in names:
        found.append(path)
        if depth > 1:
            found += below(path, depth - 1)
    return found


def _write(file: str, raw: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, raw)
    finally:
        os.close(descriptor)
