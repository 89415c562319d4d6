"""Writes the identity: a fresh folder, complete and on the disk, takes the place of the old one.

Invariants: at every moment a reader finds the old identity whole or the new one whole (enrolled.py
settles what a crash left in between); files are 0600 in a folder of 0700, owned by whoever owns the
state directory, so that a join as root leaves them to the agent.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from roost_agent.durable import sync_folder
from roost_agent.enrolled import FOLDER, FRESH, OLD, settle

FILE_BYTES_MAX: Final = 64 << 10


def open_fresh(state_dir: Path, *, anew: bool = False) -> Path:
    """Return the folder that becomes the identity; ``anew`` forgets what an attempt left there.

    Raises:
        OSError: it cannot be made.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settle(state_dir)
    fresh = state_dir / FRESH
    if anew:
        shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, exist_ok=True)
    _give(fresh, state_dir)
    return fresh


def read_files(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the files that are there.

    Raises:
        OSError: one cannot be read.
    """
    found = {}
    for name in names:
        file = folder / name
        if file.exists():
            with file.open("rb") as stream:
                found[name] = stream.read(FILE_BYTES_MAX)
    return found


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files in their order, each whole and on the disk before the next.

    A file that is there counts as what an attempt made: one that a power cut left empty would be
    taken for a key.

    Raises:
        OSError: one cannot be written.
    """
    for name, content in files.items():
        half = folder / f"{name}.half"
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _give(half, folder)
        half.replace(folder / name)
    sync_folder(folder)


def take_over(state_dir: Path, *, keep_old: bool = False) -> None:
    """Put the fresh folder, which must be complete, in the place of the identity.

    With ``keep_old`` what was there stays beside it until the next time.

    Raises:
        OSError: it cannot be.
    """
    folder, fresh, old = state_dir / FOLDER, state_dir / FRESH, state_dir / OLD
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    with suppress(FileNotFoundError):  # an agent that starts just now has settled it (enrolled.py)
        fresh.rename(folder)
    sync_folder(state_dir)
    if not keep_old:
        shutil.rmtree(old, ignore_errors=True)


def _give(path: Path, owner: Path) -> None:
    """Leave a path to the owner of another one, where we are root."""
    if os.geteuid() == 0:
        of = owner.stat()
        os.chown(path, of.st_uid, of.st_gid)
