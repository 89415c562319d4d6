"""A cheap look at what may have moved without the kernel saying so: a stat or two for each class.

No file is opened but small ones of sysfs, and no directory tree is walked.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

# class -> what to look at below the root; a folder's stamp moves with its entries
WATCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "package_set": ("var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite", "lib/apk/db/installed"),
    "os": ("etc/os-release", "etc/hostname", "run/reboot-required", "etc/localtime"),
    "filesystem": ("etc/fstab",),
    "lldp": ("run/roost-facts/lldp.json",),
}
LINKS: Final = "sys/class/net"
LINK_CLASSES: Final = ("nic", "link")
LINKS_MAX: Final = 256  # interfaces looked at: a host full of containers has more, all alike

Stamps = Mapping[str, tuple[object, ...]]


def read(root: Path) -> Stamps:
    """Return the stamp of every class that has one."""
    stamps: dict[str, tuple[object, ...]] = {
        name: tuple(_stamp(root / file) for file in files) for name, files in WATCHED.items()
    }
    links = _links(root / LINKS)
    return stamps | dict.fromkeys(LINK_CLASSES, links)


def moved(before: Stamps, after: Stamps) -> tuple[str, ...]:
    """Return the classes whose stamp is another one."""
    return tuple(sorted(name for name, stamp in after.items() if before.get(name) != stamp))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _links(folder: Path) -> tuple[object, ...]:
    try:
        names = sorted(each.name for each in folder.iterdir())[:LINKS_MAX]
    except OSError:
        return ()
    return tuple((name, _word(folder / name / "operstate")) for name in names)


def _word(file: Path) -> str:
    try:
        with file.open("rb", buffering=0) as stream:
            return stream.read(32).decode("ascii", "replace").strip()
    except OSError:
        return ""
