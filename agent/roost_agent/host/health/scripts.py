"""Which health scripts there are, and which of them may be run: root's alone.

A script that others than root could have written is not run, and fails: whoever can write to it
could say that the node is well. What is no script by its name (hidden, a backup, a package
manager's leftover) is passed over, as run-parts does.
"""

import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

SCRIPTS_MAX: Final = 32
ENTRIES_MAX: Final = 256  # of one folder that are looked at
ROOT: Final = frozenset({0})
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_LEFT_OVER: Final = (".dpkg-dist", ".dpkg-old", ".dpkg-new", ".dpkg-tmp", ".rpmsave", ".rpmnew",
                     ".bak", ".swp")  # fmt: skip
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_RUN: Final = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class Script(msgspec.Struct, frozen=True):
    """One script.

    Attributes:
        check: its name below the folder, such as ``10-disk`` or ``gateway/20-route``.
        distrust: why it is not run; empty: it is.
    """

    check: str
    path: str
    distrust: str = ""


def find(
    folder: str, roles: Collection[str], *, owners: Collection[int] = ROOT
) -> tuple[Script, ...]:
    """Return the scripts of a node in the order in which they run; a few past the bound fail.

    Args:
        folder: of those for every node; below it one for each role.
        roles: of this node.
        owners: who may own a script and the folders above it.
    """
    top = Path(folder)
    places = [("", top), *((f"{role}/", top / role) for role in sorted(roles))]
    found: list[Script] = []
    for prefix, place in places:
        for path in _files(place):
            why = _distrust(path, owners)
            found.append(Script(f"{prefix}{path.name}", str(path), why))
    kept = found[:SCRIPTS_MAX]
    bound = f"is not run: {len(found)} scripts, bound {SCRIPTS_MAX}"
    return (*kept, *(msgspec.structs.replace(each, distrust=bound) for each in found[len(kept) :]))


def _files(place: Path) -> Iterator[Path]:
    try:
        entries = sorted(place.iterdir())[:ENTRIES_MAX]
    except OSError:
        return  # no folder, no script
    for path in entries:
        if _NAME.fullmatch(path.name) and not path.name.endswith(_LEFT_OVER) and not path.is_dir():
            yield path


def _distrust(path: Path, owners: Collection[int]) -> str:
    """Return why a script is not run; empty: root alone can have written it."""
    try:
        real = path.resolve(strict=True)
        for each in (real, *real.parents):
            found = each.stat()
            is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
            if found.st_uid not in owners:
                return f"is not run: {each} belongs to user {found.st_uid}; chown root"
            if found.st_mode & _OTHERS and not is_sticky:
                return f"is not run: others may write to {each}; chmod go-w"
        mode = real.stat().st_mode
    except (OSError, RuntimeError) as err:
        return f"is not run: {getattr(err, 'strerror', None) or err}"
    if not stat.S_ISREG(mode):
        return "is not run: it is no regular file"
    return "" if mode & _RUN else "is not run: it is not executable; chmod +x"
