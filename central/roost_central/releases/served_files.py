"""Files that nodes fetch: each appears whole, or not at all."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from roost_central.private_file import sync_folder

VERSIONS_MAX: Final = 2  # of each role but root: who reads while another is written finds its own
READABLE: Final = 0o644


def put(path: Path, raw: bytes, *, is_synced: bool = True) -> None:
    """Put a file in place of what is there, whole.

    Args:
        path: of the file; its folder is made where it is not there.
        raw: what it is to have.
        is_synced: it is on the disk when this returns.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = written(path, raw)
    if is_synced:
        sync_file(fresh)
    fresh.replace(path)
    if is_synced:
        sync_folder(path.parent)


def written(path: Path, raw: bytes) -> Path:
    """Write what is to stand at a path beside it; return where."""
    fresh = path.with_name(f"{path.name}.{sha256(raw).hexdigest()[:8]}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with fresh.open("xb") as file:
        file.write(raw)
    fresh.chmod(READABLE)
    return fresh


def sync_file(path: Path) -> None:
    """Have what a file has on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def prune(folder: Path) -> None:
    """Leave the newest versions of each role but root.

    Raises:
        OSError: one cannot be removed.
    """
    roles = {path.name.partition(".")[2] for path in folder.glob("[0-9]*.json")}
    for role in sorted(roles - {"root.json"}):
        found = [path for path in folder.glob("[0-9]*") if path.name.partition(".")[2] == role]
        found.sort(key=lambda path: int(path.name.split(".")[0]))
        for path in found[:-VERSIONS_MAX]:
            path.unlink(missing_ok=True)
