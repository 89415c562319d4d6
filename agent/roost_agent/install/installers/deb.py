"""``deb``: Debian packages that lie in the release, by dpkg alone: nothing is resolved or fetched.

What a package depends on is installed already or is in the release; else dpkg refuses. The packages
of the release before stay in its tree, so that they can be installed again; configuration that
somebody changed stays as it is. A dpkg that was killed is brought to an end first.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from roost_agent.install.installers import files
from roost_agent.install.installers.run import run
from roost_agent.install.installers.speak import (
    CURRENT,
    NotDoneError,
    Request,
    leads_to,
    serve,
    switch,
)

ABOUT: Final = files.ABOUT | {"kinds": ["deb"], "needs_reboot": "auto"}
BOOT: Final = "run/reboot-required"  # that packages leave, as of kernels
QUIET: Final = {"DEBIAN_FRONTEND": "noninteractive", "DPKG_FORCE": "downgrade,confold,confdef"}


def stage(request: Request) -> Mapping[str, Any]:
    """Look whether the packages are whole, and each is there once."""
    files.stage(request)
    if not packages(request.tree):
        raise NotDoneError("no package (.deb) is in the release")
    return {}


def activate(request: Request) -> Mapping[str, Any]:
    """Install the packages of the release."""
    _settle(request)
    _dpkg(request, "--install", *_paths(request.tree))
    switch(request, request.digest)
    return {"reboot": (request.root / BOOT).exists()}


def rollback(request: Request) -> Mapping[str, Any]:
    """Install what is committed again; what came with the release alone goes."""
    _settle(request)
    before = {} if request.before_tree is None else packages(request.before_tree)
    if request.before_tree is not None:
        _dpkg(request, "--install", *_paths(request.before_tree))
    gone = sorted(packages(request.tree).keys() - before.keys())
    if gone := [name for name in gone if _version(request, name)]:
        _dpkg(request, "--remove", *gone)
    switch(request, request.before_digest)
    return {"reboot": (request.root / BOOT).exists()}


def verify(request: Request) -> Mapping[str, Any]:
    """Return the digest of the release whose packages are installed, each at its version."""
    if leads_to(request) is None:
        return {"digest": ""}
    for name, version in packages(request.place / CURRENT).items():
        if (found := _version(request, name)) != version:
            raise NotDoneError(f"{name} is {found or 'not installed'}, of the release is {version}")
    return files.verify(request)


def verify_rollback(request: Request) -> Mapping[str, Any]:
    """Look whether the packages are those of what is committed."""
    found = verify(request)["digest"]
    if found != (request.before_digest or ""):
        raise NotDoneError(f"{found[:12] or 'nothing'} is installed, not what is committed")
    return {}


def packages(tree: Path) -> dict[str, str]:
    """Return the packages of a tree, name to version.

    Raises:
        NotDoneError: one is no package, or is there twice.
    """
    found: dict[str, str] = {}
    for path in _paths(tree):
        said = run(("dpkg-deb", "--show", "--showformat=${Package} ${Version}", "--", path))
        name, _, version = said.partition(" ")
        if name in found:
            raise NotDoneError(f"{name} is there twice: {found[name]} and {version}")
        found[name] = version
    return found


def _paths(tree: Path) -> list[str]:
    return sorted(map(str, tree.rglob("*.deb")))


def _version(request: Request, name: str) -> str:
    """Return the version of a package that is installed whole; empty: it is not."""
    words = ("dpkg-query", f"--root={request.root}", "--show")
    try:
        said = run((*words, "--showformat=${db:Status-Status} ${Version}", "--", name))
    except NotDoneError:
        return ""
    status, _, version = said.partition(" ")
    return version if status == "installed" else ""


def _settle(request: Request) -> None:
    """Bring to an end what a kill or a power cut interrupted."""
    _dpkg(request, "--configure", "--pending")


def _dpkg(request: Request, *words: str) -> None:
    run(("dpkg", f"--root={request.root}", *words), QUIET)


ACTS: Final = {
    "stage": stage,
    "activate": activate,
    "verify": verify,
    "rollback": rollback,
    "verify-rollback": verify_rollback,
}

if __name__ == "__main__":
    serve(ACTS, ABOUT)
