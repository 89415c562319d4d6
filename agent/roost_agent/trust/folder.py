"""Brings the files of a repository from a folder that somebody else writes to.

The folder is a mirror, a stick, or the agent's, and this may run as root: every part of a path is
opened without following links, and a file that is no plain one is as good as absent.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

CHUNK_BYTES: Final = 64 << 10
_ABSENT: Final = 404
_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO must not hold root up.
_FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderFetcher(FetcherInterface):
    """Files below a folder by their relative URL."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        """See FetcherInterface."""
        try:
            handle = open_below(self._folder, url)
        except (OSError, ValueError) as err:
            raise DownloadHTTPError(f"{url}: {err}", _ABSENT) from err
        return _chunks(handle)


def open_below(folder: Path, path: str) -> int:
    """Return a descriptor of a plain file below a folder.

    Raises:
        OSError: there is none.
        ValueError: the path leads elsewhere, or to what is no plain file.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise ValueError("not a path below the folder")
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=handle)
            os.close(handle)
            handle = inner
        found = os.open(parts[-1], _FILE_FLAGS, dir_fd=handle)
    finally:
        os.close(handle)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise ValueError("no plain file")
    return found


def file_url(role_file: str) -> str:
    """Return how a file of a role is named on a mirror, as tuf asks for it."""
    return quote(role_file, "")


def _chunks(handle: int) -> Iterator[bytes]:
    with os.fdopen(handle, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
