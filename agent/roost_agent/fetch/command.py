"""``roost-agent fetch``: brings one release into the mirror; a child of the agent.

It prints what the release asks for, and what was fetched. Exit status 75: the budget of bytes is
spent; what came is gone on with the next time.
"""

import sys
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.enrolled import STATE_DIR, load
from roost_agent.errors import AgentError, ConfigError
from roost_agent.fetch.budget import UNLIMITED, Budget, Metered
from roost_agent.fetch.places import KNOWN, MIRROR
from roost_agent.fetch.release import NotFetchedError, Wanted, Ways, fetch
from roost_agent.ha.lan import lan_of
from roost_agent.install.kinds import place
from roost_agent.options import options
from roost_agent.ports import Clock, SystemClock, SystemEntropy
from roost_agent.trust import kept, ways
from roost_agent.trust.https import HttpsSource
from roost_agent.trust.refresh import Paths
from roost_agent.trust.source import Source

HELP: Final = """\
usage: roost-agent fetch --component NAME --version V --digest D [OPTION...]

Bring a release into the mirror, as far as it is not there; the agent does it. Ends with 75 where
the budget of bytes is spent: what came is gone on with the next time.

  --component NAME, --version V, --digest D  of the release; the digest is its manifest's
  --source WORDS     folders, centre, https://HOST, with commas  (centre)
  --lan WORDS        NODE@ADDRESS:PORT of the site's, who are asked first
  --bytes-max N      that may come from afar                     (as many as there are)
  --spent FILE       where it is noted how many did
  --root DIR         the machine's files are below it            (/)
  --state-dir DIR    of the agent                                (/var/lib/roost)
  --trust-dir DIR    what root trusts                            (/var/lib/roost-trust)
"""
_USUAL: Final = {
    "component": "",
    "version": "",
    "digest": "",
    "source": "",
    "lan": "",
    "state-dir": STATE_DIR,
    "trust-dir": kept.FOLDER,
    "root": "/",
    "bytes-max": "",
    "spent": "",
}


class Fetched(msgspec.Struct, frozen=True):
    """What is printed.

    Attributes:
        reboot, needs_drain: what installing it takes, as its signers say.
        bytes: that were fetched now.
        expected_alarms: types that are no failure.
    """

    reboot: bool
    needs_drain: bool
    bytes: int
    expected_alarms: list[str]


def run(argv: list[str], clock: Clock | None = None) -> int:
    """Run one command line and return its exit status."""
    given = options(argv, _USUAL, HELP)
    state_dir, trust = Path(given["state-dir"]), Path(given["trust-dir"])
    mirror = state_dir / MIRROR
    paths = Paths(trust, state_dir / KNOWN, mirror)
    note = Path(given["spent"]) if given["spent"] else None
    budget = Budget(_bytes(given["bytes-max"]), note)
    clock = clock or SystemClock()
    sources = ways.sources(given["source"], state_dir, clock)
    wanted = Wanted(
        given["component"], given["version"], given["digest"], kept.load(trust).node,
        place(Path(given["root"]), given["component"]),
    )  # fmt: skip
    near = [_neighbour(word, state_dir, clock) for word in given["lan"].split(",") if word]
    mirrors = [*near, *(Metered(each, budget) for each in sources)]
    found = Ways(sources, mirrors, budget, SystemEntropy(), has_neighbours=bool(near))
    try:
        for folder in (paths.known, mirror):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            manifest = fetch(wanted, found, paths, clock.wall_ms())
        finally:
            budget.keep()
    except OSError as err:
        raise NotFetchedError(f"{err.filename or mirror}: {err.strerror}") from err
    finally:
        ways.close((*near, *sources))
    expected = list(manifest.expected_alarms)
    said = Fetched(manifest.reboot, manifest.needs_drain, budget.spent - budget.before, expected)
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    return 0


def _neighbour(word: str, state_dir: Path, clock: Clock) -> Source:
    """Return a member of the site as a source: ``NODE@ADDRESS:PORT``; its bytes cost nothing."""
    node, _, where = word.partition("@")
    address, _, port = where.rpartition(":")
    lan = lan_of(load(state_dir))
    if lan is None or not port.isdecimal():
        raise AgentError(f"--lan {word}: NODE@ADDRESS:PORT, of a box that has an identity")
    context = lan.context(node)
    name = context.server_name or ""
    return HttpsSource((address.strip("[]"), int(port)), context, name, clock)


def _bytes(said: str) -> int:
    if not said:
        return UNLIMITED
    if not said.isdecimal():
        raise ConfigError([f"--bytes-max {said}: a whole number of bytes"])
    return int(said)
