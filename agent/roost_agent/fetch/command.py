"""``roost-agent fetch``: brings one release into the mirror; a child of the agent.

It prints what the release asks for, and what was fetched. Exit status 75: the budget of bytes is
spent; what came is gone on with the next time.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.enrolled import STATE_DIR, load
from roost_agent.errors import AgentError, ConfigError
from roost_agent.fetch.budget import UNLIMITED, Budget, Metered
from roost_agent.fetch.release import NotFetchedError, Wanted, Ways, fetch
from roost_agent.install.kinds import place
from roost_agent.options import options
from roost_agent.ports import Clock, SystemClock, SystemEntropy
from roost_agent.trust import kept
from roost_agent.trust.https import of_centre
from roost_agent.trust.local import FolderSource
from roost_agent.trust.refresh import Paths
from roost_agent.trust.source import Source

MIRROR: Final = "updates/mirror"
KNOWN: Final = "updates/known"
CENTRE: Final = "centre"
_USUAL: Final = {
    "component": "",
    "version": "",
    "digest": "",
    "source": "",
    "state-dir": STATE_DIR,
    "trust-dir": kept.FOLDER,
    "root": "/",
    "bytes-max": "",
}


class Fetched(msgspec.Struct, frozen=True):
    """What is printed.

    Attributes:
        reboot, needs_drain: what installing it takes, as its signers say.
        bytes: that were fetched now.
    """

    reboot: bool
    needs_drain: bool
    bytes: int


def run(argv: list[str], clock: Clock | None = None) -> int:
    """Run one command line and return its exit status."""
    given = options(argv, _USUAL)
    state_dir, trust = Path(given["state-dir"]), Path(given["trust-dir"])
    mirror = state_dir / MIRROR
    paths = Paths(trust, state_dir / KNOWN, mirror)
    budget = Budget(_bytes(given["bytes-max"]))
    clock = clock or SystemClock()
    sources = _sources(given["source"], state_dir, clock)
    wanted = Wanted(
        given["component"], given["version"], given["digest"], kept.load(trust).node,
        place(Path(given["root"]), given["component"]),
    )  # fmt: skip
    try:
        for folder in (paths.known, mirror):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        mirrors = [Metered(each, budget) for each in sources]
        ways = Ways(sources, mirrors, budget, SystemEntropy())
        manifest = fetch(wanted, ways, paths, clock.wall_ms())
    except OSError as err:
        raise NotFetchedError(f"{err.filename or mirror}: {err.strerror}") from err
    said = Fetched(manifest.reboot, manifest.needs_drain, budget.spent)
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    return 0


def _sources(said: str, state_dir: Path, clock: Clock) -> Sequence[Source]:
    """Return who is asked, in this order; none named: the centre."""
    words = [word for word in said.split(",") if word] or [CENTRE]
    return [_source(word, state_dir, clock) for word in words]


def _source(word: str, state_dir: Path, clock: Clock) -> Source:
    if word != CENTRE and not word.startswith("https://"):
        return FolderSource(Path(word.removeprefix("file://")))
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box has no identity to ask the centre by")
    return of_centre(known, clock, "" if word == CENTRE else word)


def _bytes(said: str) -> int:
    if not said:
        return UNLIMITED
    if not said.isdecimal():
        raise ConfigError([f"--bytes-max {said}: a whole number of bytes"])
    return int(said)
