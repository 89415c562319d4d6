"""``roost-agent import DIR``: takes what `roost release export` wrote onto a stick.

A stick is a source as any other, and believed in as little: metadata is verified before the mirror
has it, blobs are hashed, and where the node knows something newer the stick is refused. Expiry is
judged by this node's clock, as always: a stick that brought its own time could be of any age. So
the clock has to be kept by a time service; where a site has none, root says ``--clock-ok`` after a
look at it. That is kept, and told with the receipts of what is installed by it.
"""

import os
import sys
import syslog
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.enrolled import STATE_DIR
from roost_agent.errors import AgentError, ConfigError
from roost_agent.moment import shown
from roost_agent.options import asks_help, options
from roost_agent.ports import Clock, SystemClock
from roost_agent.trust import blobs, kept, kernel_clock, words
from roost_agent.trust.chain import ChainError
from roost_agent.trust.command import KNOWN, MIRROR
from roost_agent.trust.local import FolderSource
from roost_agent.trust.refresh import Fetched, Paths, refresh
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import blobs_needed, decode
from roost_protocol.remedy import Refusal

REFUSED: Final = 1
CLOCK_OK: Final = "--clock-ok"
HELP: Final = """\
usage: roost-agent import DIR [--clock-ok] [--state-dir DIR] [--trust-dir DIR] [--mirror DIR]

Take from a stick what `roost release export SITE --to DIR` wrote at the centre: what is signed of
releases, and their files. It is believed as little as any other source. Ends with 1 where it is
refused, and says why and what to do.

  --clock-ok       as root: this node's clock is right, though no time service keeps it
  --state-dir DIR  of the agent             (/var/lib/roost)
  --trust-dir DIR  what root trusts         (/var/lib/roost-trust)
  --mirror DIR     where it is put          (updates/mirror of the state folder)
"""
_NOTHING: Final = "start a rollout for its site, then write the stick (roost release export)"
_USUAL: Final = {"state-dir": STATE_DIR, "trust-dir": kept.FOLDER, "mirror": ""}


def run(
    argv: list[str], clock: Clock | None = None, is_kept: Callable[[], bool] = kernel_clock.is_kept
) -> int:
    """Take a stick; return the exit status."""
    asks_help(argv, HELP)
    if not argv or argv[0].startswith("-"):
        raise ConfigError(["import DIR: the folder that `roost release export` wrote"])
    given = options([each for each in argv[1:] if each != CLOCK_OK], _USUAL, HELP)
    clock, stick = clock or SystemClock(), Path(argv[0])
    if not stick.is_dir():
        raise ConfigError([f"{stick} is no folder: the one that `roost release export` wrote"])
    try:
        if why := _unsure(
            Path(given["trust-dir"]), clock, is_said=CLOCK_OK in argv, is_kept=is_kept
        ):
            return _refused(Refusal.CLOCK, why)
        return _imported(stick, given, clock)
    except OSError as err:
        raise AgentError(f"{err.filename or 'it cannot be written'}: {err.strerror}") from err


def _unsure(trust: Path, clock: Clock, *, is_said: bool, is_kept: Callable[[], bool]) -> str:
    """Return why this node's clock cannot be gone by; empty: it can. Root's word is kept.

    Raises:
        ConfigError: somebody else says it.
    """
    now_ms, floor_ms = clock.wall_ms(), kept.load(trust).clock_floor_ms
    if now_ms < floor_ms:
        return (
            f"this node's clock says {shown(now_ms)}, and at {shown(floor_ms)} something "
            "was signed that is installed here: no clock is right that is before that"
        )
    if is_said:
        if os.geteuid() != 0:
            raise ConfigError([f"{CLOCK_OK}: root's word: whoever says it has looked at the clock"])
        now = datetime.fromtimestamp(now_ms / 1_000, UTC)
        text = f"root says that this clock is right, {now:%Y-%m-%d %H:%M:%S}Z, for a stick"
        syslog.syslog(syslog.LOG_WARNING, f"roost-agent import: {text}")
        sys.stderr.write(f"{text}: kept, and told with what is installed by it\n")
        kept.save(trust, replace(kept.load(trust), clock_ok_ms=max(now_ms, 1)))
        return ""
    if not is_kept():
        return (
            "no time service keeps this node's clock (it says "
            f"{shown(now_ms)}), so it cannot be told what has ended"
        )
    if os.geteuid() == 0 and kept.load(trust).clock_ok_ms:
        kept.save(trust, replace(kept.load(trust), clock_ok_ms=0))
    return ""


def _to_agent(state_dir: Path, folders: Iterable[Path]) -> None:
    """Leave what root has brought to the agent's user, whose folder it is."""
    if os.geteuid() != 0:
        return
    owner = state_dir.stat()
    for folder in folders:
        for path in (folder, *folder.rglob("*")) if folder.is_dir() else ():
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _imported(stick: Path, given: Mapping[str, str], clock: Clock) -> int:
    state_dir, trust = Path(given["state-dir"]), Path(given["trust-dir"])
    mirror = Path(given["mirror"]) if given["mirror"] else state_dir / MIRROR
    source, node = FolderSource(stick), kept.load(trust).node
    paths = Paths(trust, state_dir / KNOWN, mirror)
    try:
        found = refresh([source], paths, node, clock.wall_ms())
        taken = _blobs(found, source, mirror)
    except ChainError as err:
        return _refused(err.code, str(err))
    except blobs.BlobError as err:
        return _refused(Refusal.MIXED, f"the stick lacks a part of a release: {err}")
    except ProtocolError as err:
        return _refused(Refusal.MANIFEST, f"a release on the stick has no good manifest: {err}")
    finally:
        _to_agent(state_dir, (mirror, paths.known))
    if not found.manifests:
        sys.stderr.write(f"the stick names nothing for {node} to install: {_NOTHING}\n")
    told = {
        "node": node, "manifests": sorted(found.manifests), "blobs": len(taken),
        "bytes": sum(taken.values()),
    }  # fmt: skip
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    return 0


def _refused(code: Refusal, why: str) -> int:
    sys.stderr.write(words.complaint(code, why, words.of_stick(code)))
    return REFUSED


def _blobs(found: Fetched, source: FolderSource, mirror: Path) -> dict[str, int]:
    """Fetch the blobs of what this node is to install; return them with their sizes."""
    taken: dict[str, int] = {}
    for file in found.manifests.values():
        wanted = blobs_needed(decode(file.read_bytes()), {})
        for blob, size in wanted.items():
            blobs.fetch(blob, size, [source], mirror)
        taken |= wanted
    return taken
