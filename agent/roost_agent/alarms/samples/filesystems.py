"""File systems: blocks, inodes, and those that cannot be written to.

Local ones by what the kernel says; the agent's own by writing besides, and those of servers only
where the configuration names them (storage).
"""

import os
from collections.abc import Iterator, Sequence
from typing import Final

from roost_agent.alarms.rules import Finding, Reading, Sample
from roost_agent.alarms.samples.sampler import Look, Measured
from roost_agent.alarms.samples.storage import Storage, Tried, percent
from roost_agent.discovery.filesystem import LOCAL, MOUNTINFO_BYTES_MAX, Mount, holds_data, parse
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

FULL: Final = "100.104"
UNWRITABLE: Final = "100.806"
FILESYSTEMS_MAX: Final = 64
# Full from the beginning, or of the kernel's own making.
READ_ONLY_KINDS: Final = frozenset({"squashfs", "iso9660", "erofs", "udf"})
TMPFS_PLACES: Final = frozenset({"/run", "/tmp", "/var/tmp", "/dev/shm"})  # noqa: S108 - watched, not used


class FileSystems:
    """See the module."""

    types = frozenset({FULL, UNWRITABLE})
    interval_s = 15
    may_hang = True

    def __init__(self, state_dir: str = "", mounts: Sequence[str] = ()) -> None:
        self._storage = Storage(state_dir, mounts)

    def sample(self, look: Look) -> Iterator[Sample | Measured]:
        """Return how each is."""
        reader = look.reader
        text = reader.text("proc/1/mountinfo", MOUNTINFO_BYTES_MAX)
        if isinstance(text, Missing):
            text = reader.text("proc/self/mountinfo", MOUNTINFO_BYTES_MAX)
        lines = [] if isinstance(text, Missing) else text.splitlines()
        mounts = [mount for line in lines if (mount := parse(line)) is not None]
        seen: dict[str, Mount] = {}
        for mount in filter(_is_watched, mounts):
            seen.setdefault(mount.number, mount)
        tried = self._storage.tried(mounts, look.now_ms) if reader.is_live else {}
        for mount in list(seen.values())[:FILESYSTEMS_MAX]:
            entity = f"fs={entities.escape(mount.mountpoint)}"
            yield from _fullness(reader, mount, entity)
            yield _writable(mount, entity, tried.pop(mount.mountpoint, Tried()))
        for place, each in tried.items():
            yield from _of_try(f"fs={entities.escape(place)}", each)


def _is_watched(mount: Mount) -> bool:
    if mount.kind not in LOCAL or mount.kind in READ_ONLY_KINDS or not holds_data(mount):
        return False
    if mount.kind == "tmpfs":
        return mount.mountpoint in TMPFS_PLACES
    return mount.kind != "overlay" or mount.mountpoint == "/"


def _fullness(reader: Reader, mount: Mount, entity: str) -> Iterator[Reading | Measured]:
    """Return blocks or inodes, whichever is worse, and both; as `df` counts them."""
    try:
        stat = os.statvfs(os.path.join(reader.root, mount.mountpoint.lstrip("/")))  # noqa: PTH118 - a byte-exact path
    except OSError:
        yield Reading(FULL, entity, None)
        return
    used, files = stat.f_blocks - stat.f_bfree, stat.f_files - stat.f_ffree
    blocks = percent(used, stat.f_bavail)
    inodes = percent(files, stat.f_favail)
    yield Measured("space", entity, blocks)
    if inodes is not None:  # some have as many as they want
        yield Measured("inodes", entity, inodes)
    if blocks is None:
        yield Reading(FULL, entity, None)
    elif inodes is not None and inodes > blocks:
        yield Reading(FULL, entity, inodes, {"what": "inodes"})
    else:
        yield Reading(FULL, entity, blocks, {"what": "space"})


def _writable(mount: Mount, entity: str, tried: Tried | None) -> Finding:
    """Return whether the kernel writes: mounted to be written to, and read-only underneath."""
    asked = "rw" in mount.mount_options.split(",")
    if asked and "ro" in mount.options.split(","):
        return Finding(UNWRITABLE, entity, Severity.CRITICAL, {"errno": "EROFS"})
    return _finding(entity, tried)


def _finding(entity: str, tried: Tried | None) -> Finding:
    if tried is None:
        return Finding(UNWRITABLE, entity, None)
    severity = Severity.CRITICAL if tried.fault else Severity.CLEARED
    return Finding(UNWRITABLE, entity, severity, {"errno": tried.fault or "0"})


def _of_try(entity: str, tried: Tried | None) -> Iterator[Sample | Measured]:
    """Return what is known of a file system by its try alone."""
    yield _finding(entity, tried)
    space, inodes = (None, None) if tried is None else (tried.space, tried.inodes)
    yield Measured("space", entity, space)
    if space is None:
        yield Reading(FULL, entity, None)
    elif inodes is not None and inodes > space:
        yield Reading(FULL, entity, inodes, {"what": "inodes"})
    else:
        yield Reading(FULL, entity, space, {"what": "space"})
