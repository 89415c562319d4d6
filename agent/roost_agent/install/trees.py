"""Where the files of releases stand, beside what runs: a tree each, and its manifest.

Below a component's place: ``releases/DIGEST`` and ``releases/DIGEST.json``, by the digest of the
manifest. A tree is there whole or not at all.
"""

import os
import shutil
from collections.abc import Collection
from hashlib import file_digest
from pathlib import Path
from typing import Final

from roost_agent.durable import replace_file, sync_folder
from roost_agent.install.installers.files import differences, manifest_of
from roost_agent.install.places import FOLDER, tree
from roost_agent.trust.unpack import UnpackError, unpack
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import Manifest, decode

READABLE: Final = 0o644
FOLDER_MODE: Final = 0o755  # whatever the umask: the agent reads what it may copy
SPARE_PERCENT: Final = 10  # of a release's size, that is left free beside it


class NoSpaceError(Exception):
    """The disk has no room for the new beside the old."""


def bases(place: Path) -> dict[str, Path]:
    """Return the files of a component that are here and what they should be, by their digest."""
    found: dict[str, Path] = {}
    for path in sorted((place / FOLDER).glob("*.json")):
        try:
            manifest = decode(path.read_bytes())
        except (OSError, ProtocolError):
            continue  # it is no base then
        for entry in manifest.files:
            file = path.with_suffix("") / entry.path
            if entry.sha256 not in found and entry.size and _is(file, entry.sha256):
                found[entry.sha256] = file
    return found


def put(place: Path, digest: str, raw: bytes, manifest: Manifest, mirror: Path) -> None:
    """Unpack a release into its tree, where it is not there already; it is on the disk then.

    Raises:
        NoSpaceError: with the bytes that are missing.
        UnpackError: a blob is missing or wrong; nothing is left.
        OSError: it cannot be written.
    """
    goal = tree(place, digest)
    _make(goal.parent)
    if goal.is_dir() and manifest_of(goal).exists() and not differences(goal):
        return
    fresh = goal.with_name(f"{digest}.new")
    for old in (fresh, goal):
        shutil.rmtree(old, ignore_errors=True)  # of a power cut; what runs is never unpacked anew
    _check_space(goal.parent, manifest.size_unpacked)
    fresh.mkdir(mode=FOLDER_MODE)
    fresh.chmod(FOLDER_MODE)
    try:
        unpack(manifest, mirror, fresh, bases(place))
        replace_file(manifest_of(goal), raw, READABLE)
        manifest_of(goal).chmod(READABLE)
    except (UnpackError, OSError):
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    fresh.rename(goal)
    sync_folder(goal.parent)


def forget(place: Path, kept: Collection[str]) -> None:
    """Remove the trees that are not kept; a manifest goes after its tree.

    Raises:
        OSError: one cannot be removed.
    """
    folder = place / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path)
    for path in sorted(folder.glob("*.json*")) if folder.is_dir() else []:
        if path.name.partition(".")[0] not in kept:
            path.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    """Make a folder and those above it, for everybody to read."""
    for each in reversed([folder, *folder.parents]):
        if not each.exists():
            each.mkdir(mode=FOLDER_MODE)
            each.chmod(FOLDER_MODE)
            sync_folder(each.parent)


def _check_space(folder: Path, size: int) -> None:
    known = os.statvfs(folder)
    free, wanted = known.f_bavail * known.f_frsize, size + size * SPARE_PERCENT // 100
    if free < wanted:
        raise NoSpaceError(f"{folder}: {free} bytes are free, {wanted} are needed")


def _is(file: Path, digest: str) -> bool:
    try:
        with file.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest() == digest
    except OSError:
        return False
