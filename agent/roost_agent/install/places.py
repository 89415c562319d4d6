"""Where everything is, and what an installer is asked: without what judges, which is heavy."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from roost_agent.install.kinds import place
from roost_agent.ports import Clock, SystemClock
from roost_agent.update import installed as told
from roost_agent.update import request_file
from roost_agent.update.installed import Release

TRUST: Final = "/var/lib/roost-trust"
MIRROR: Final = "/var/lib/roost/updates/mirror"  # the agent's; untrusted
SYSTEMCTL: Final = "/usr/bin/systemctl"
FOLDER: Final = "releases"  # below a component's place


@dataclass(frozen=True, slots=True)
class Given:
    """Where everything is."""

    root: Path = Path("/")
    state: Path = Path(told.FOLDER)
    requests: Path = Path(request_file.FOLDER)
    trust: Path = Path(TRUST)
    mirror: Path = Path(MIRROR)
    systemctl: str = SYSTEMCTL
    clock: Clock = field(default_factory=SystemClock)


def tree(place: Path, digest: str) -> Path:
    """Return where a release's files stand."""
    return place / FOLDER / digest


def request_of(
    component: str, fresh: Release, before: Release | None, given: Given
) -> dict[str, Any]:
    """Return what an installer is asked: which release, where, and what is committed."""
    here = place(given.root, component)
    said: dict[str, Any] = {
        "format": 1,
        "component": component,
        "version": fresh.version,
        "digest": fresh.digest,
        "root": str(given.root),
        "place": str(here),
        "tree": str(tree(here, fresh.digest)),
        "systemctl": given.systemctl,
        "before": None,
    }
    if before is not None:
        said["before"] = {
            "version": before.version,
            "digest": before.digest,
            "tree": str(tree(here, before.digest)),
        }
    return said


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Be the only one of root's that installs, while the context lasts."""
    handle = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
