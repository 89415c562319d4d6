"""Reads a file that root alone can have written, or none.

The file and every folder above it belong to root and are written by nobody else; a folder that
all may write to must be sticky (an entry of root's in it stays root's). No link is followed.
"""

import os
import stat
from typing import Final

_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def read(path: str, bytes_max: int) -> str:
    """Open one component after the other, so that what was checked is what is read.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or a link is on the way.
        ValueError: others can have written it, it is too long, or no text.
    """
    *folders, name = [part for part in path.split("/") if part]
    above = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(folder, flags, dir_fd=above)
            os.close(above)
            above = inner
            _check_owner(folder, os.fstat(above))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(name, flags, dir_fd=above), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(f"{name}: no regular file")
            _check_owner(name, found)
            raw = stream.read(bytes_max + 1)
    finally:
        os.close(above)
    if len(raw) > bytes_max:
        raise ValueError(f"bound {bytes_max} bytes")
    return raw.decode("utf-8")


def _check_owner(name: str, found: os.stat_result) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise ValueError(f"{name}: belongs to user {found.st_uid}, must be root's")
    is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if found.st_mode & _OTHERS and not is_sticky:
        raise ValueError(f"{name}: others may write to it; chmod go-w")
