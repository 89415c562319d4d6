"""The files of a folder that is released: plain ones, within bounds, in order of their paths."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roost_central.releases.fault import ReleaseError
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import FILES_MAX, UNPACKED_BYTES_MAX, check_path


@dataclass(frozen=True, slots=True)
class Found:
    """A file on its way into the bundle."""

    path: str
    file: Path
    mode: int
    size: int


def walked(source: Path) -> Iterator[Found]:
    """Yield the plain files below a folder, by their paths.

    Raises:
        ReleaseError: ``bundle``: something is none, or there are too many.
    """
    if not source.is_dir():
        raise ReleaseError("bundle", f"{source} is no folder")
    count = total = 0
    for path, file in sorted(_below(source, "")):
        entry = file.lstat()
        if not stat.S_ISREG(entry.st_mode):
            kind = "a link" if stat.S_ISLNK(entry.st_mode) else "no plain file"
            raise ReleaseError("bundle", f"{path} is {kind}: a release holds plain files alone")
        if entry.st_mode & (stat.S_ISUID | stat.S_ISGID):
            raise ReleaseError("bundle", f"{path} is setuid or setgid: take that away")
        try:
            check_path(path, "files")
        except ProtocolError as err:
            raise ReleaseError("bundle", str(err)) from err
        count, total = count + 1, total + entry.st_size
        if count > FILES_MAX or total > UNPACKED_BYTES_MAX:
            bound = f"{FILES_MAX} files and {UNPACKED_BYTES_MAX} bytes"
            raise ReleaseError("bundle", f"{source}: more than {bound}")
        mode = 0o755 if entry.st_mode & stat.S_IXUSR else 0o644
        yield Found(path, file, mode, entry.st_size)


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path), f"{path}/")
            else:
                yield path, Path(entry.path)
