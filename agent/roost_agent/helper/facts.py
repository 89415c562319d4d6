"""Lends the agent what root alone may read: copies of a closed list of files, below one folder.

Runs as ``roost-facts@NAME.service`` and exits. The copies keep their paths, so that a reader that
is denied a file finds the same path below the folder; mode and group come from the unit
(``UMask=0027``, ``Group=roost``).
"""

import os
import stat
import sys
from collections.abc import Mapping
from typing import Final

FOLDER: Final = "/run/roost-facts"  # of root's, so that the agent can plant nothing in it
FILE_BYTES_MAX: Final = 256 * 1024  # an SMBIOS table of a large server has 64 KiB
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "dmi": (
        "sys/class/dmi/id/product_serial",
        "sys/class/dmi/id/product_uuid",
        "sys/class/dmi/id/board_serial",
        "sys/class/dmi/id/chassis_serial",
        "sys/firmware/dmi/tables/DMI",
    )
}


def lend(name: str, *, root: str = "/", folder: str = FOLDER) -> int:
    """Copy the files of one name and return the exit status: 0 as long as the folder takes them.

    What this machine does not have is left out.
    """
    for path in FILES[name]:
        try:
            raw = _read(f"{root.rstrip('/')}/{path}")
        except (OSError, ValueError) as err:
            sys.stderr.write(f"roost-facts: {path}: {getattr(err, 'strerror', None) or err}\n")
            continue
        try:
            write(f"{folder}/{path}", raw)
        except OSError as err:
            sys.stderr.write(f"roost-facts: {folder}/{path}: {err.strerror}\n")
            return 1
    return 0


def write(path: str, raw: bytes) -> None:
    """Put a file of the folder in place whole, so that a reader never finds half of it."""
    os.makedirs(os.path.dirname(path), 0o750, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(f"{path}.new", flags, 0o640), "wb") as stream:
        stream.write(raw)
    os.replace(f"{path}.new", path)


def _read(path: str) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError("no regular file")
        raw = stream.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise ValueError(f"bound {FILE_BYTES_MAX} bytes")
    return raw
