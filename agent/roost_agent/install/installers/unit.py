"""``unit``: files as of kind ``files``, and the systemd units among them, in ``units/``.

Units are links into ``current``, so that files and units change by one rename. Services are started
in the order of their names; a release that wants another one numbers them, or says so by After=.
A name that the machine has already is refused: a release brings its own units alone.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from roost_agent.install.installers import files
from roost_agent.install.installers.run import systemctl
from roost_agent.install.installers.speak import CURRENT, NotDoneError, Request, serve, switch, sync

ABOUT: Final = files.ABOUT | {"kinds": ["unit"]}
FOLDER: Final = "units"  # of a tree
SYSTEM: Final = "etc/systemd/system"
OTHERS: Final = ("usr/lib/systemd/system", "lib/systemd/system", "run/systemd/system")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@-]{0,200}\.(service|socket|timer|path|target)")
OURS: Final = "roost-"


def stage(request: Request) -> Mapping[str, Any]:
    """Look whether the files are whole and the units may be brought."""
    files.stage(request)
    if not units(request.tree):
        raise NotDoneError(f"{FOLDER}/: no unit in it, so this is of kind files")
    for name in units(request.tree):
        if NAME.fullmatch(name) is None or name.startswith(OURS):
            raise NotDoneError(f"{FOLDER}/{name}: a unit's name, none of roost's own")
        link = request.root / SYSTEM / name
        is_mine = link.is_symlink() and str(link.readlink()) == target(request, name)
        taken = [each for each in OTHERS if (request.root / each / name).exists()]
        if taken or (not is_mine and (link.exists() or link.is_symlink())):
            raise NotDoneError(
                f"{name}: this machine has such a unit, which is not {request.component}'s"
            )
    return {}


def activate(request: Request) -> Mapping[str, Any]:
    """Let files and units be those of the new release, and start them."""
    _change(request, units(request.tree), request.digest)
    return {}


def rollback(request: Request) -> Mapping[str, Any]:
    """Let files and units be those of what is committed."""
    before = [] if request.before_tree is None else units(request.before_tree)
    _change(request, before, request.before_digest)
    return {}


def verify(request: Request) -> Mapping[str, Any]:
    """Return the digest of what runs, once its services do."""
    found = files.verify(request)
    if found["digest"]:
        for name in units(request.place / CURRENT):
            _check_runs(request, name)
    return found


def verify_rollback(request: Request) -> Mapping[str, Any]:
    """Look whether what is committed runs again."""
    files.verify_rollback(request)
    return verify(request)


def units(tree: Path) -> list[str]:
    """Return the names of a tree's units, in order."""
    folder = tree / FOLDER
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def target(request: Request, name: str) -> str:
    """Return where the link of a unit leads, as the machine sees it."""
    return f"/{(request.place / CURRENT / FOLDER / name).relative_to(request.root)}"


def _change(request: Request, wanted: list[str], digest: str | None) -> None:
    """Make the units these, of that release; what is there of others of ours goes."""
    folder = request.root / SYSTEM
    folder.mkdir(parents=True, exist_ok=True)
    gone = sorted(_linked(request, folder) - {*wanted})
    if gone:
        systemctl(request, "disable", "--now", "--", *gone)
    switch(request, digest)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    for name in wanted:
        fresh = folder / f".{name}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target(request, name))
        fresh.rename(folder / name)
    sync(folder)
    systemctl(request, "daemon-reload")
    if wanted:
        systemctl(request, "enable", "--", *wanted)
    for name in wanted:
        systemctl(request, "restart", "--", name)


def _linked(request: Request, folder: Path) -> set[str]:
    """Return the units that lead into this component, by whichever release."""
    links = (each for each in folder.iterdir() if each.is_symlink() and NAME.fullmatch(each.name))
    return {each.name for each in links if str(each.readlink()) == target(request, each.name)}


def _check_runs(request: Request, name: str) -> None:
    """Refuse a unit that failed, or that starts again and again.

    Raises:
        NotDoneError: with its state.
    """
    said = systemctl(request, "show", "--property=ActiveState", "--property=Result", "--", name)
    found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    state, result = found.get("ActiveState", "active"), found.get("Result", "success")
    if state != "active" and (state, result) != ("inactive", "success"):
        raise NotDoneError(f"{name} is {state}, its last result {result}: journalctl -u {name}")


ACTS: Final = {
    "stage": stage,
    "activate": activate,
    "verify": verify,
    "rollback": rollback,
    "verify-rollback": verify_rollback,
}

if __name__ == "__main__":
    serve(ACTS, ABOUT)
