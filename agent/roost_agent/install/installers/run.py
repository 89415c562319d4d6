"""Runs a program of the system for an installer, and says what it complained of."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from roost_agent.install.installers.speak import NotDoneError, NotHereError, Request

SAID_CHARS: Final = 300  # of what a program complains, its end
USUAL: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT: Final = {  # where programs are is the contract's word, which starts installers
    "PATH": os.environ.get("PATH", USUAL),
    "LC_ALL": "C.UTF-8",
}


def run(words: Sequence[str], more: Mapping[str, str] = {}) -> str:
    """Return what a program prints; who started this one ends it where it hangs.

    Raises:
        NotHereError: there is no such program.
        NotDoneError: it failed; with the end of what it complained of.
    """
    try:
        done = subprocess.run(  # noqa: S603 - words of our own and names that were checked
            words, stdin=subprocess.DEVNULL, capture_output=True, cwd="/",
            env={**ENVIRONMENT, **more}, check=False,
        )  # fmt: skip
    except FileNotFoundError as err:
        raise NotHereError(f"there is no {words[0]} on this machine") from err
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-SAID_CHARS:]
        raise NotDoneError(f"{' '.join(words[:2])}: {said or f'exit status {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")


def systemctl(request: Request, *words: str) -> str:
    """Ask the service manager; nothing where there is none.

    Raises:
        NotDoneError: it failed.
    """
    if not request.systemctl:
        return ""
    return run((request.systemctl, "--no-ask-password", *words))
