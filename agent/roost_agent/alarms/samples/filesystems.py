"""File systems: blocks, inodes, and those that the kernel has turned read-only after an error.

Local ones only: the question to a server that is gone would not come back.
"""

import os
from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Finding, Reading, Sample
from roost_agent.alarms.samples.sampler import Look, Measured
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
    interval_s = 30
    may_hang = True

    def sample(self, look: Look) -> Iterator[Sample | Measured]:
        """Return how each is."""
        reader = look.reader
        text = reader.text("proc/1/mountinfo", MOUNTINFO_BYTES_MAX)
        if isinstance(text, Missing):
            text = reader.text("proc/self/mountinfo", MOUNTINFO_BYTES_MAX)
        seen: dict[str, Mount] = {}
        for line in "" if isinstance(text, Missing) else text.splitlines():
            mount = parse(line)
            if mount is not None and _is_watched(mount):
                seen.setdefault(mount.number, mount)
        for mount in list(seen.values())[:FILESYSTEMS_MAX]:
            entity = f"fs={entities.escape(mount.mountpoint)}"
            yield from _fullness(reader, mount, entity)
            yield _writable(mount, entity)


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
    blocks = _percent(used, stat.f_bavail)
    inodes = _percent(files, stat.f_favail)
    yield Measured("space", entity, blocks)
    if inodes is not None:  # some have as many as they want
        yield Measured("inodes", entity, inodes)
    if blocks is None:
        yield Reading(FULL, entity, None)
    elif inodes is not None and inodes > blocks:
        yield Reading(FULL, entity, inodes, {"what": "inodes"})
    else:
        yield Reading(FULL, entity, blocks, {"what": "space"})


def _percent(used: int, left: int) -> float | None:
    return 100 * used / (used + left) if used + left > 0 else None


def _writable(mount: Mount, entity: str) -> Finding:
    """Return whether the kernel writes: mounted to be written to, and read-only underneath."""
    asked = "rw" in mount.mount_options.split(",")
    is_read_only = "ro" in mount.options.split(",")
    severity = Severity.CRITICAL if asked and is_read_only else Severity.CLEARED
    return Finding(UNWRITABLE, entity, severity, {"errno": "EROFS"})
