"""``container``: an image in the release, loaded into podman by its id, and a tag that leads to it.

The release has ``image.tar`` and ``image.id``, the id (64 of 0-9 a-f) that podman gives it. The
tag is ``localhost/roost/NAME:current``; a unit ``NAME.service`` that runs it is started again. The
image before stays, so that the tag can lead to it again. Nothing is pulled.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from roost_agent.install.installers import files
from roost_agent.install.installers.run import run, systemctl
from roost_agent.install.installers.speak import (
    CURRENT,
    NotDoneError,
    Request,
    leads_to,
    serve,
    switch,
)

ABOUT: Final = files.ABOUT | {"kinds": ["container"]}
IMAGE: Final = "image.tar"
ID: Final = "image.id"
_ID: Final = re.compile(r"[0-9a-f]{64}")


def precheck(_request: Request) -> Mapping[str, Any]:
    """Look whether there is podman."""
    return {"text": run(("podman", "--version")).strip()}


def stage(request: Request) -> Mapping[str, Any]:
    """Load the image beside what runs; it must be the one that the release names."""
    files.stage(request)
    image_id = _id(request.tree)
    run(("podman", "load", "--quiet", "--input", str(request.tree / IMAGE)))
    run(("podman", "image", "exists", image_id))
    return {}


def activate(request: Request) -> Mapping[str, Any]:
    """Let the tag lead to the new image, and start what runs it."""
    _tag(request, request.tree)
    switch(request, request.digest)
    _restart(request)
    return {}


def rollback(request: Request) -> Mapping[str, Any]:
    """Let the tag lead to the image of what is committed."""
    if request.before_tree is None:
        run(("podman", "untag", tag(request)))
    else:
        _tag(request, request.before_tree)
    switch(request, request.before_digest)
    _restart(request)
    return {}


def verify(request: Request) -> Mapping[str, Any]:
    """Return the digest of the release whose image the tag leads to."""
    if leads_to(request) is None:
        return {"digest": ""}
    found = run(("podman", "image", "inspect", "--format={{.Id}}", tag(request))).strip()
    wanted = _id(request.place / CURRENT)
    if found != wanted:
        raise NotDoneError(f"{tag(request)} is {found[:12]}, of the release is {wanted[:12]}")
    return files.verify(request)


def tag(request: Request) -> str:
    """Return the name by which who runs the image knows it."""
    return f"localhost/roost/{request.component.rpartition('/')[2]}:current"


def _id(tree: Path) -> str:
    found = (tree / ID).read_text().strip()
    if _ID.fullmatch(found) is None:
        raise NotDoneError(f"{ID}: 64 of 0-9 a-f, the id of {IMAGE}")
    return found


def _tag(request: Request, tree: Path) -> None:
    run(("podman", "tag", _id(tree), tag(request)))


def _restart(request: Request) -> None:
    """Start anew what runs the image, where there is such a unit and it runs."""
    systemctl(request, "try-restart", "--", f"{request.component.rpartition('/')[2]}.service")


ACTS: Final = {
    "precheck": precheck,
    "stage": stage,
    "activate": activate,
    "verify": verify,
    "rollback": rollback,
}

if __name__ == "__main__":
    serve(ACTS, ABOUT, needs_mounts=True)
