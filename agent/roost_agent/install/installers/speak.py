"""The installers' side of the contract: a request on standard input, an answer, an exit status."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from roost_agent.install import rights

REQUEST_BYTES_MAX: Final = 64 << 10
HELP: Final = """\
usage: INSTALLER VERB < REQUEST

An installer of releases: roost-install asks it, a person need not. Verbs, the request and exit
statuses are in docs/updates.md, Installers.
"""
OK, UNSUPPORTED, FAILED, LATER, REBOOT = range(5)
CURRENT: Final = "current"  # the link to what runs


class NotDoneError(Exception):
    """A verb failed; the text is a sentence."""


class NotHereError(Exception):
    """This machine has not what the kind needs; the text says what."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        root: of the machine's files.
        place: the component's own folder.
        tree: of the release that the verb is about; its files, checked.
        digest, version: of that release.
        before_tree, before_digest: of what is committed; None: nothing is.
        systemctl: speaks to the service manager; empty: there is none.
    """

    component: str
    root: Path
    place: Path
    tree: Path
    digest: str
    version: str
    before_tree: Path | None
    before_digest: str | None
    systemctl: str


Act = Callable[[Request], Mapping[str, Any]]


def serve(
    acts: Mapping[str, Act], about: Mapping[str, Any], *, needs_mounts: bool = False
) -> NoReturn:
    """Do the verb of this program's argument, and end.

    Args:
        acts: the verbs that do something; ``reboot`` in what they return asks for a boot.
        about: of ``describe``.
        needs_mounts: it starts what has to mount; without, nothing that it starts can.
    """
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb in {"--help", "-h"}:
        sys.stdout.write(HELP)
        sys.exit(OK)
    if verb == "describe":
        _end(OK, about)
    try:
        if not needs_mounts:
            rights.keep(rights.OWN)
        given = json.loads(sys.stdin.buffer.read(REQUEST_BYTES_MAX))
        said = dict(acts.get(verb, _nothing)(_request(given)))
    except NotHereError as err:
        _end(UNSUPPORTED, {"text": str(err)})
    except NotDoneError as err:
        _end(FAILED, {"text": str(err)})
    except OSError as err:
        _end(FAILED, {"text": f"{err.filename or verb}: {err.strerror}"})
    _end(REBOOT if said.pop("reboot", False) else OK, said)


def _nothing(_request: Request) -> Mapping[str, Any]:
    return {}


def _request(given: Mapping[str, Any]) -> Request:
    before = given.get("before")
    return Request(
        component=given["component"], root=Path(given["root"]), place=Path(given["place"]),
        tree=Path(given["tree"]), digest=given["digest"], version=given["version"],
        before_tree=None if before is None else Path(before["tree"]),
        before_digest=None if before is None else before["digest"],
        systemctl=given.get("systemctl", ""),
    )  # fmt: skip


def _end(status: int, said: Mapping[str, Any]) -> NoReturn:
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    sys.exit(status)


def switch(request: Request, digest: str | None) -> None:
    """Let the link of a component lead to a release, whole and on the disk; None: to none.

    Raises:
        OSError: it leads where it did.
    """
    link = request.place / CURRENT
    fresh = request.place / f".{CURRENT}.new"
    fresh.unlink(missing_ok=True)  # of one that was killed over it
    if digest is None:
        link.unlink(missing_ok=True)
    else:
        fresh.symlink_to(Path("releases") / digest)
        fresh.rename(link)
    sync(request.place)


def leads_to(request: Request) -> str | None:
    """Return the digest that the link leads to; None: there is no link."""
    try:
        return (request.place / CURRENT).readlink().name
    except FileNotFoundError:
        return None


def sync(folder: Path) -> None:
    """Bring a folder's entries to the disk: without it a power cut undoes a rename."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
