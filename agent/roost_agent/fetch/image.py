"""``roost-agent fetch-image``: brings the image that a machine is installed from; a child.

The image repository, by keys that lie offline, and the order, which two people stand behind, have
to name the same manifest; the director has no say, since the machine is no node while it is
installed. What comes is believed by digests alone, and an interrupted blob is gone on with.
It prints where the image is, and how long.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.enrolled import STATE_DIR
from roost_agent.errors import AgentError, ConfigError
from roost_agent.options import options
from roost_agent.ports import Clock, SystemClock
from roost_agent.trust import blobs, kept, unpack, ways
from roost_agent.trust.chain import Chain, ChainError
from roost_agent.trust.command import KNOWN
from roost_agent.trust.refresh import Recorder
from roost_agent.trust.release import IMAGE, read_anchor
from roost_agent.trust.source import Source
from roost_protocol.errors import ProtocolError
from roost_protocol.release.boot_image import image_file
from roost_protocol.release.manifest import FileEntry, Manifest, decode
from roost_protocol.release.target import check_manifest, target_path

HELP: Final = """\
usage: roost-agent fetch-image --component NAME --version V --digest D --length N --into DIR

Bring the image that another machine is installed from; the agent does it.

  --component NAME, --version V              of the release that holds it
  --digest D, --length N                     of its manifest
  --into DIR                                 where it is put
  --source WORDS     as fetch knows it       (centre)
  --state-dir DIR    of the agent            (/var/lib/roost)
  --trust-dir DIR    what root trusts        (/var/lib/roost-trust)
"""
SPARE_BYTES: Final = 256 << 20  # that stay free: a full disk stops the node that does it
_USUAL: Final = {
    "component": "", "version": "", "digest": "", "length": "", "source": "",
    "state-dir": STATE_DIR, "trust-dir": kept.FOLDER, "into": "",
}  # fmt: skip


class NoImageError(AgentError):
    """There is no such image, or it is not the one that was ordered; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The release that holds it; ``digest`` and ``length`` are of its manifest."""

    component: str
    version: str
    digest: str
    length: int


class Brought(msgspec.Struct, frozen=True):
    """What is printed: the file and its bytes."""

    file: str
    size: int


def run(argv: list[str], clock: Clock | None = None) -> int:
    """Run one command line and return its exit status."""
    given, clock = options(argv, _USUAL, HELP), clock or SystemClock()
    if not given["length"].isdecimal() or not given["into"]:
        raise ConfigError(["--length N and --into FOLDER: both are needed"])
    wanted = Wanted(given["component"], given["version"], given["digest"], int(given["length"]))
    state_dir, trust, into = (Path(given[each]) for each in ("state-dir", "trust-dir", "into"))
    sources = ways.sources(given["source"], state_dir, clock)
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = named(wanted, sources, trust, state_dir / KNOWN, clock.wall_ms())
        brought = _brought(manifest, sources, into)
    except OSError as err:
        raise NoImageError(f"{err.filename or into}: {err.strerror}") from err
    finally:
        ways.close(sources)
    sys.stdout.write(msgspec.json.encode(brought).decode() + "\n")
    return 0


def named(
    wanted: Wanted, sources: Sequence[Source], anchors: Path, known: Path, now_ms: int
) -> Manifest:
    """Return the manifest that order and image repository both name.

    Args:
        wanted: as it was ordered.
        sources: in the order in which they are asked.
        anchors: root's folder with the root of trust.
        known: what was verified here before.
        now_ms: UTC, by which expiry is judged.

    Raises:
        NoImageError: no source's word holds, or they differ.
    """
    if now_ms < kept.load(anchors).clock_floor_ms:
        raise NoImageError("this node's clock is before what was signed for it: set it")
    why = "there is no source"
    for source in sources:
        try:
            return _named(wanted, source, anchors, known, now_ms)
        except ChainError as err:
            why = f"{source.name}: {err.code}: {err}"
        except ProtocolError as err:
            raise NoImageError(str(err)) from err
    raise NoImageError(why)


def _named(wanted: Wanted, source: Source, anchors: Path, known: Path, now_ms: int) -> Manifest:
    path = target_path(wanted.component, wanted.version)
    chain = Chain(
        IMAGE, anchor=read_anchor(anchors / kept.IMAGE_ROOT), kept=known / IMAGE,
        fetcher=Recorder(source, IMAGE), now_ms=now_ms,
    )  # fmt: skip
    chain.refresh()
    found = chain.named(path)
    if found is None:
        raise NoImageError(f"the image repository does not name {path}, or no more")
    if (found.length, found.sha256) != (wanted.length, wanted.digest):
        text = f"{path} is {found.sha256[:12]} there, and {wanted.digest[:12]} was ordered"
        raise NoImageError(text)
    raw = chain.download(path, known / "image.new")
    manifest = decode(raw)
    check_manifest(found.custom, manifest)
    return manifest


def _brought(manifest: Manifest, sources: Sequence[Source], into: Path) -> Brought:
    """Fetch the image and make its file; the blob goes once that is there."""
    try:
        entry = image_file(manifest)
    except ProtocolError as err:
        raise NoImageError(str(err)) from err
    folder = into / "image"
    shutil.rmtree(folder, ignore_errors=True)
    _check_room(into, entry)
    blob = blobs.fetch(entry.blob, entry.blob_size, sources, into)
    folder.mkdir(mode=0o700)
    unpack.unpack(manifest, into, folder)
    blob.unlink()
    return Brought(str(folder / entry.path), entry.size)


def _check_room(into: Path, entry: FileEntry) -> None:
    found = os.statvfs(into)
    free, needs = found.f_bavail * found.f_frsize, entry.size + entry.blob_size + SPARE_BYTES
    if free < needs:
        raise NoImageError(f"{into} has {free >> 20} MiB free, the image takes {needs >> 20}")
