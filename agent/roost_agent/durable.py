"""Brings to the disk what was written, and what a rename or a new file changed in a folder."""

import os
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600


def replace_file(file: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Replace a file, whole: new, synced, renamed, and its folder synced.

    Raises:
        OSError: it is not there as it should be.
    """
    fresh = file.with_name(f"{file.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, mode), "wb") as stream:  # goes on after a short write
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk.

    Raises:
        OSError: it cannot be.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
