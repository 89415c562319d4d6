"""File systems that only a try tells of: the agent's own, by writing, and those of servers.

A file system of a server is asked only where the configuration names it: one that is gone would
hold up whoever asks. One that does not answer is told so, and never as empty or full.
"""

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.alarms.samples.waits import WAIT_S, Waits
from roost_agent.discovery.filesystem import Mount

MOUNTS_MAX: Final = 16  # of servers
HANGS_MS: Final = (
    30_000  # a disk that is busy takes seconds for an fsync; this is no business of it
)
TRY: Final = "write-test"  # of the state directory
TRY_BYTES: Final = 512
TIMEOUT: Final = "timeout"
ABSENT: Final = "not mounted"


class Tried(msgspec.Struct, frozen=True):
    """What a try came to.

    Attributes:
        fault: empty: none; the name of an errno, or TIMEOUT.
        space, inodes: used, in percent; None where nobody knows.
    """

    fault: str = ""
    space: float | None = None
    inodes: float | None = None


class Storage:
    """The tries of one node.

    Args:
        state_dir: of the agent; empty: nothing is written.
        mounts: of servers, as the configuration names them.
        ask: asks a file system how full it is.
    """

    def __init__(
        self,
        state_dir: str,
        mounts: Sequence[str],
        *,
        ask: Callable[[str], Tried] | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._mounts = tuple(place.rstrip("/") or "/" for place in mounts[:MOUNTS_MAX])
        self._ask = ask or _asked
        self.wait_s = WAIT_S  # for all tries of one look
        self._waits: Waits[Tried] = Waits(MOUNTS_MAX + 1)

    def tried(self, mounts: Sequence[Mount], now_ms: int) -> dict[str, Tried | None]:
        """Return by mount point what a try came to; None: it has not ended, and may yet.

        Args:
            mounts: of the machine.
            now_ms: the boot clock.
        """
        there = {mount.mountpoint for mount in mounts}
        calls: dict[str, Callable[[], Tried]] = {
            place: partial(self._ask, place) for place in self._mounts if place in there
        }
        if self._state_dir and (own := _holder(self._state_dir, there)):
            calls[own] = partial(_written, self._state_dir, now_ms)
        found: dict[str, Tried | None] = {
            place: _judged(each, now_ms)
            for place, each in self._waits.all(calls, now_ms, self.wait_s).items()
        }
        absent = {place: Tried(ABSENT) for place in self._mounts if place not in there}
        return {**found, **absent}


def percent(used: int, left: int) -> float | None:
    """Return the used share, as ``df`` counts it."""
    return 100 * used / (used + left) if used + left > 0 else None


def _judged(found: Tried | int, now_ms: int) -> Tried | None:
    if isinstance(found, Tried):
        return found
    return Tried(TIMEOUT) if now_ms - found >= HANGS_MS else None


def _holder(folder: str, places: Iterable[str]) -> str:
    """Return the mount point that a folder lies on."""
    inside = [each for each in places if f"{folder}/".startswith(f"{each.rstrip('/')}/")]
    return max(inside, key=len, default="")


def _asked(place: str) -> Tried:
    try:
        stat = os.statvfs(place)
    except OSError as err:
        return Tried(_name(err))
    return Tried(
        "",
        percent(stat.f_blocks - stat.f_bfree, stat.f_bavail),
        percent(stat.f_files - stat.f_ffree, stat.f_favail),
    )


def _written(folder: str, now_ms: int) -> Tried:
    """Write a little, another than the last time, bring it to the disk, and read it back."""
    file, said = Path(folder) / TRY, now_ms.to_bytes(8, "big") * (TRY_BYTES // 8)
    try:
        with file.open("w+b", buffering=0) as stream:
            stream.write(said)
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            stream.seek(0)
            back = stream.read(TRY_BYTES)
    except OSError as err:
        return Tried(_name(err))
    return Tried("" if back == said else _name(OSError(errno.EIO, "")))


def _name(err: OSError) -> str:
    return errno.errorcode.get(err.errno or 0, str(err.errno))
