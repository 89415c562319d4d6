"""Which files of a node define processes, and whether there is one at all.

It is here so that an agent without any carries nothing of the rest of this package.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".toml", ".conf")  # roost's own, StarlingX's
FILES_MAX: Final = 200  # of one folder


def files_of(folder: str) -> list[Path]:
    """Return a folder's files that define processes, in order of their names."""
    try:
        names = sorted(each for each in Path(folder).iterdir() if each.suffix in SUFFIXES)
        return [file for file in names[:FILES_MAX] if file.is_file()]
    except OSError:
        return []  # no folder, no process


def any_there(folders: Sequence[str]) -> bool:
    """Whether there is a file at all: the rest of this package is for who has one."""
    return any(files_of(folder) for folder in folders)
