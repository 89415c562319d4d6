"""``agent-self``: roost's own programs on a node, beside those that run, behind one link.

``current`` leads to the tree whose ``bin/`` runs; before the first release, to the installation. A
new agent is on trial: what runs now is noted in ``trial``, ``before`` leads to it, and a timer of
the system starts ``before/bin/roost-install flip`` after TRIAL_S, and after each boot, until the
trial is over. So the old programs bring themselves back, whatever the new ones do (updates.md 9).

The agent ends by SIGUSR1 and is back at once as the other version: what local HA runs goes on under
roost-guard.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from roost_agent.install.installers import files
from roost_agent.install.installers.run import systemctl
from roost_agent.install.installers.speak import (
    CURRENT,
    NotDoneError,
    Request,
    serve,
    switch,
    sync,
)

ABOUT: Final = files.ABOUT | {"kinds": ["agent-self"]}
TRIAL_S: Final = 120  # roost-agent-trial.timer; to beat and to be committed
TRIAL: Final = "trial"
BEFORE: Final = "before"
INSTALLATION: Final = "usr/lib/roost"  # packaging/install.sh
BIN: Final = "usr/bin"
TIMER: Final = "roost-agent-trial.timer"
AGENT: Final = "roost-agent.service"
PROGRAMS: Final = (
    "roost-agent",
    "roost-helper",
    "roost-install",
)  # without which nobody comes back
STARTS_S: Final = 30.0


def stage(request: Request) -> Mapping[str, Any]:
    """Look whether the programs are there, and begin at all."""
    files.stage(request)
    for name in PROGRAMS:
        program = request.tree / "bin" / name
        if not os.access(program, os.X_OK):
            raise NotDoneError(f"bin/{name}: missing, or not to be executed")
    words = (str(request.tree / "bin/roost-agent"), "--version")
    try:
        done = subprocess.run(  # noqa: S603 - of the release
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=STARTS_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotDoneError(f"bin/roost-agent --version: no end within {STARTS_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-200:]
        raise NotDoneError(f"bin/roost-agent --version: {said or done.returncode}")
    return {}


def install(request: Request) -> Mapping[str, Any]:
    """Let the machine's links lead through ``current``, where they led to the installation.

    What they lead to is the same before and after: a kill in the middle changes nothing.
    """
    current = request.place / CURRENT
    if not current.is_symlink():
        _point(current, f"/{INSTALLATION}")
    for link in sorted((request.root / BIN).glob("roost*")):
        if link.is_symlink() and str(link.readlink()).startswith(f"/{INSTALLATION}/bin/"):
            _point(link, f"/{(current / 'bin' / link.name).relative_to(request.root)}")
    return {}


def activate(request: Request) -> Mapping[str, Any]:
    """Let the new programs run, on trial, once those that run now are sure to come back."""
    trial = request.place / TRIAL
    if not trial.exists():  # else it is begun again, and what ran before it is noted already
        runs = str((request.place / CURRENT).readlink())
        _point(request.place / BEFORE, runs)
        fresh = trial.with_name(f".{TRIAL}.new")
        with fresh.open("w") as stream:
            json.dump({"before": runs, "digest": request.digest}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.rename(trial)
        sync(request.place)
    systemctl(request, "start", "--", TIMER)
    switch(request, request.digest)
    _begin_anew(request)
    return {}


def commit(request: Request) -> Mapping[str, Any]:
    """End the trial: nothing brings the old programs back any more."""
    (request.place / TRIAL).unlink(missing_ok=True)
    sync(request.place)
    systemctl(request, "stop", "--", TIMER)
    return {}


def rollback(request: Request) -> Mapping[str, Any]:
    """Let the programs run that ran before."""
    if flip(request.place):
        _begin_anew(request)
    systemctl(request, "stop", "--", TIMER)
    return {}


def verify(request: Request) -> Mapping[str, Any]:
    """Return the digest of the programs that run; of the installation there is none."""
    current = request.place / CURRENT
    if not current.is_symlink() or str(current.readlink()) == f"/{INSTALLATION}":
        return {"digest": ""}
    return files.verify(request)


def verify_rollback(request: Request) -> Mapping[str, Any]:
    """Look whether what is committed runs again."""
    found = verify(request)["digest"]
    if found != (request.before_digest or ""):
        raise NotDoneError(f"{found[:12] or 'the installation'} runs, not what is committed")
    return {}


def flip(place: Path) -> bool:
    """Bring back what ran before a trial; return whether there was one.

    Raises:
        OSError: it is not brought back.
    """
    trial = place / TRIAL
    if not trial.exists():
        return False
    _point(place / CURRENT, json.loads(trial.read_text())["before"])
    trial.unlink()
    sync(place)
    return True


def _point(link: Path, target: str) -> None:
    """Let a link lead elsewhere, whole and on the disk."""
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.rename(link)
    sync(link.parent)


def _begin_anew(request: Request) -> None:
    systemctl(request, "kill", "--signal=SIGUSR1", "--kill-whom=main", "--", AGENT)


ACTS: Final = {
    "stage": stage,
    "install": install,
    "activate": activate,
    "verify": verify,
    "commit": commit,
    "rollback": rollback,
    "verify-rollback": verify_rollback,
}

if __name__ == "__main__":
    serve(ACTS, ABOUT)
