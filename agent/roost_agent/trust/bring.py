"""``roost-agent import DIR``: takes what `roost release export` wrote onto a stick.

A stick is a source as any other, and believed in as little: metadata is verified before the mirror
has it, blobs are hashed, and where the node knows something newer the stick is refused. Expiry is
judged by this node's clock, as always: a stick that brought its own time could be of any age.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.enrolled import STATE_DIR
from roost_agent.errors import AgentError, ConfigError
from roost_agent.options import options
from roost_agent.ports import Clock, SystemClock
from roost_agent.trust import blobs, kept
from roost_agent.trust.chain import ChainError
from roost_agent.trust.command import KNOWN, MIRROR
from roost_agent.trust.local import FolderSource
from roost_agent.trust.refresh import Fetched, Paths, refresh
from roost_protocol.release.manifest import blobs_needed, decode

REFUSED: Final = 1
_USUAL: Final = {"state-dir": STATE_DIR, "trust-dir": kept.FOLDER, "mirror": ""}


def run(argv: list[str], clock: Clock | None = None) -> int:
    """Take a stick; return the exit status."""
    if not argv or argv[0].startswith("-"):
        raise ConfigError(["import DIR: the folder that `roost release export` wrote"])
    given = options(argv[1:], _USUAL)
    try:
        return _imported(Path(argv[0]), given, clock or SystemClock())
    except OSError as err:
        raise AgentError(f"{err.filename or 'it cannot be written'}: {err.strerror}") from err


def _imported(stick: Path, given: Mapping[str, str], clock: Clock) -> int:
    if not stick.is_dir():
        raise ConfigError([f"{stick} is no folder: the one that `roost release export` wrote"])
    state_dir, trust = Path(given["state-dir"]), Path(given["trust-dir"])
    mirror = Path(given["mirror"]) if given["mirror"] else state_dir / MIRROR
    source, node = FolderSource(stick), kept.load(trust).node
    paths = Paths(trust, state_dir / KNOWN, mirror)
    try:
        found = refresh([source], paths, node, clock.wall_ms())
    except ChainError as err:
        sys.stderr.write(f"{err.code}: {err}\n")
        return REFUSED
    taken = _blobs(found, source, mirror)
    told = {
        "node": node, "manifests": sorted(found.manifests), "blobs": len(taken),
        "bytes": sum(taken.values()),
    }  # fmt: skip
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    return 0


def _blobs(found: Fetched, source: FolderSource, mirror: Path) -> dict[str, int]:
    """Fetch the blobs of what this node is to install; return them with their sizes."""
    taken: dict[str, int] = {}
    for file in found.manifests.values():
        wanted = blobs_needed(decode(file.read_bytes()), {})
        for blob, size in wanted.items():
            blobs.fetch(blob, size, [source], mirror)
        taken |= wanted
    return taken
