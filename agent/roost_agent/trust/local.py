"""A repository in a folder, as a source: a stick, a mount of the site, a test. Untrusted as any."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from roost_agent.trust.folder import open_below
from roost_agent.trust.source import AbsentError, SourceError

CHUNK_BYTES: Final = 256 << 10


class FolderSource:
    """Files below a folder; see Source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """See Source."""
        return str(self._folder)

    def open(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """See Source."""
        try:
            handle = open_below(self._folder, path)
        except FileNotFoundError as err:
            raise AbsentError(f"{self.name}: no {path}") from err
        except (OSError, ValueError) as err:
            raise SourceError(f"{self.name}: {path}: {err}") from err
        return _chunks(handle, offset, self.name)


def _chunks(handle: int, offset: int, name: str) -> Iterator[bytes]:
    with os.fdopen(handle, "rb") as stream:
        try:
            stream.seek(offset)
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
        except OSError as err:
            raise SourceError(f"{name}: {err.strerror}") from err
