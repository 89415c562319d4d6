"""``files``: a folder of files behind a link, which leads to the old one or to the new one.

What reads them opens them through ``current``; nothing is restarted. Configuration goes this way.
"""

import json
import stat
from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

from roost_agent.install.installers.speak import (
    NotDoneError,
    Request,
    leads_to,
    serve,
    switch,
)

ABOUT: Final = {
    "kinds": ["files"],
    "supports_rollback": True,
    "needs_reboot": "no",
    "needs_drain": False,
}
FAULTS_MAX: Final = 5  # that are named


def stage(request: Request) -> Mapping[str, Any]:
    """Look whether every file is what the manifest says."""
    if faults := differences(request.tree):
        raise NotDoneError(f"{request.tree}: {'; '.join(faults)}")
    return {}


def activate(request: Request) -> Mapping[str, Any]:
    """Let the link lead to the new tree."""
    switch(request, request.digest)
    return {}


def verify(request: Request) -> Mapping[str, Any]:
    """Return the digest of what the link leads to, measured: every file is read."""
    digest = leads_to(request)
    if digest is None:
        return {"digest": ""}
    tree = request.place / "releases" / digest
    if faults := differences(tree):
        raise NotDoneError(f"{tree}: {'; '.join(faults)}")
    return {"digest": sha256(manifest_of(tree).read_bytes()).hexdigest()}


def rollback(request: Request) -> Mapping[str, Any]:
    """Let the link lead to what is committed; to nothing where nothing is."""
    switch(request, request.before_digest)
    return {}


def verify_rollback(request: Request) -> Mapping[str, Any]:
    """Look whether what is committed is there again."""
    found = verify(request)["digest"]
    if found != (request.before_digest or ""):
        raise NotDoneError(f"{found[:12] or 'nothing'} runs, not what is committed")
    return {}


def manifest_of(tree: Path) -> Path:
    """Return where the manifest of a tree lies: beside it."""
    return tree.with_name(f"{tree.name}.json")


def differences(tree: Path) -> list[str]:
    """Return how a tree is not what its manifest says, the first few; empty: it is."""
    entries = {each["path"]: each for each in json.loads(manifest_of(tree).read_bytes())["files"]}
    found = {
        str(path.relative_to(tree))
        for path in tree.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    faults = [f"{path}: not of the release" for path in sorted(found - entries.keys())]
    for path, entry in entries.items():
        if why := _difference(tree / path, entry):
            faults.append(f"{path}: {why}")
    return faults[:FAULTS_MAX]


def _difference(path: Path, entry: Mapping[str, Any]) -> str:
    try:
        known = path.lstat()
        if not stat.S_ISREG(known.st_mode):
            return "no plain file"
        if stat.S_IMODE(known.st_mode) != entry["mode"]:
            return f"mode {stat.S_IMODE(known.st_mode):04o}"
        with path.open("rb") as stream:
            found = file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing"
    return "" if found == entry["sha256"] else "another content"


ACTS: Final = {
    "stage": stage,
    "activate": activate,
    "verify": verify,
    "rollback": rollback,
    "verify-rollback": verify_rollback,
}

if __name__ == "__main__":
    serve(ACTS, ABOUT)
