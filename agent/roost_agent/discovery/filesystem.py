"""Mounted file systems that hold data: what is mounted where, with which options, how large.

Reads ``proc/1/mountinfo``, which any user may: our own mount namespace is read-only under
ProtectSystem. Use and free space are metrics. The kernel's own file systems (proc, cgroup) and
those of containers are left out: the first hold nothing, the second come and go with software.

Invariant: a network, FUSE or automount file system is never asked for its size: a server that is
gone would hang the probe, and the question itself mounts an automount.
"""

import os
import re
from typing import Final

import msgspec

from roost_agent.discovery.reader import Reader, reason_of
from roost_agent.discovery.section import UNSUPPORTED, Missing, Section
from roost_agent.discovery.sysfs import bounded, clean, explained, fitted, unique
from roost_agent.discovery.udev import Udev

MOUNTINFO_BYTES_MAX: Final = 8 << 20  # 10,000 overlay mounts of a busy container host

# Sizes that a local kernel answers from memory.
LOCAL: Final = frozenset(
    {
        "bcachefs",
        "btrfs",
        "erofs",
        "exfat",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "hfsplus",
        "iso9660",
        "jfs",
        "msdos",
        "nilfs2",
        "ntfs",
        "ntfs3",
        "overlay",
        "reiserfs",
        "squashfs",
        "tmpfs",
        "ubifs",
        "udf",
        "vfat",
        "xfs",
        "zfs",
    }
)
REMOTE: Final = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "glusterfs",
        "gfs2",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "virtiofs",
    }
)
PASSED_OVER: Final = (  # mount points of the kernel and of containers
    "/dev/",
    "/proc/",
    "/run/containerd/",
    "/run/credentials/",
    "/run/netns/",
    "/run/user/",
    "/sys/",
    "/var/lib/containerd/",
    "/var/lib/containers/",
    "/var/lib/docker/",
    "/var/lib/kubelet/",
)

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_FIELDS_MIN: Final = 6  # before the dash


class Mount(msgspec.Struct, frozen=True):
    """One line of mountinfo (proc_pid_mountinfo(5)).

    Attributes:
        number: ``major:minor`` of the file system's device.
        root: the part of the file system that is mounted; ``/`` but for bind mounts.
        options: of the superblock, which all its mounts share.
        mount_options: of this mount alone.
    """

    number: str
    root: str
    mountpoint: str
    kind: str
    source: str
    options: str
    mount_options: str


def filesystem(reader: Reader) -> Section:
    """Return each mounted file system once, however often it is bind-mounted."""
    text = reader.text("proc/1/mountinfo", MOUNTINFO_BYTES_MAX)
    if isinstance(text, Missing):
        return Section.empty(text.reason)
    mounts = [mount for line in text.splitlines() if (mount := parse(line)) and holds_data(mount)]
    shown: dict[str, Mount] = {}
    for mount in mounts:
        first = shown.get(mount.number)
        if first is None or (first.root != "/" and mount.root == "/"):
            shown[mount.number] = mount
    section = Section()
    for number in bounded(list(shown), section):
        _put(section, reader, shown[number])
    return explained(section)


def parse(line: str) -> Mount | None:
    """Return one mount, or None for a line that is not of mountinfo's form."""
    head, dash, tail = line.partition(" - ")
    fields, rest = head.split(" "), tail.split(" ", 2)
    if not dash or len(fields) < _FIELDS_MIN or len(rest) < 3:  # noqa: PLR2004 - type, source, options
        return None
    root, mountpoint, source = (_plain(each) for each in (fields[3], fields[4], rest[1]))
    return Mount(fields[2], root, mountpoint, rest[0], source, rest[2], fields[5])


def _plain(text: str) -> str:
    r"""Undo the kernel's escapes: ``\040`` is a space."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)


def holds_data(mount: Mount) -> bool:
    """Whether it is none of the kernel's own, and none of a container's."""
    is_remote = mount.kind in REMOTE or mount.kind.startswith("fuse")
    if mount.kind not in LOCAL and not is_remote and not mount.source.startswith("/dev/"):
        return False
    return not mount.mountpoint.startswith(PASSED_OVER)


def _put(section: Section, reader: Reader, mount: Mount) -> None:
    udev = Udev(reader, mount.number)
    uuid = udev.text("ID_FS_UUID")
    item = unique(section, uuid if isinstance(uuid, str) else mount.mountpoint)
    section.put_all(
        item,
        {
            "device": fitted(mount.source),
            "type": fitted(mount.kind),
            "label": udev.text("ID_FS_LABEL"),
            "mountpoint": fitted(mount.mountpoint),
            "options": fitted(",".join(sorted(clean(mount.options).split(",")))),
            "size_bytes": _size(reader, mount),
        },
    )


def _size(reader: Reader, mount: Mount) -> int | Missing:
    """Return the size of a local file system of this machine.

    The mount point may show another file system to us than to process 1: the device must be the
    same.
    """
    if mount.kind not in LOCAL or not reader.is_live:
        return Missing(UNSUPPORTED)
    try:
        found = os.stat(mount.mountpoint).st_dev  # noqa: PTH116 - of a path from the kernel
        if f"{os.major(found)}:{os.minor(found)}" != mount.number:
            return Missing(UNSUPPORTED)
        sizes = os.statvfs(mount.mountpoint)
    except OSError as err:
        return Missing(reason_of(err))
    return sizes.f_blocks * sizes.f_frsize
