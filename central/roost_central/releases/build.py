"""Makes a bundle of a folder: the same folder gives the same digest, on any machine.

Only what is there counts: paths in order, bytes, and whether the owner may execute. Links, devices
and private keys are refused. A file that a release before had otherwise gets a delta where that is
worth it (updates.md 8); the frames are those of one version of zstd, which the lock pins.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Final

import msgspec
from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDict, compress, decompress

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import (
    CHUNK_BYTES,
    MANIFEST,
    RELEASE,
    Bundle,
    blob_path,
    check,
    read,
)
from roost_central.releases.fault import ReleaseError
from roost_protocol.errors import ProtocolError
from roost_protocol.release.kinds import refusal
from roost_protocol.release.manifest import (
    FILES_MAX,
    FORMAT,
    UNPACKED_BYTES_MAX,
    Delta,
    FileEntry,
    Manifest,
    blobs_needed,
    check_path,
    decode,
)
from roost_protocol.release.target import TargetCustom, target_path

LEVEL: Final = 12  # 19 takes fifteen times as long for a sixth less
WHOLE_BYTES_MAX: Final = 64 << 20  # of a file that is compressed in one piece
PREFIX_BYTES_MAX: Final = 128 << 20  # as nodes have it
PREFIX_BYTES_MIN: Final = 64  # zstd takes no shorter one than 8, and there is nothing to save
DELTA_RATIO_MAX: Final = 0.9  # of the file's own blob: above it a delta is not worth its place
PREVIOUS_MAX: Final = 3
WINDOW_LOG_MIN, WINDOW_LOG_MAX = 10, 27


_NAMES: Final = {
    "component": "it is agent or os, or app, plugin, config or policy with /NAME: small letters, "
    "digits, '.', '_' and '-'",
    "version": "it has 1 to 64 letters, digits, '.', '+', '~', '_' and '-'",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What the maker of a release says of it; see Manifest and TargetCustom."""

    component: str
    version: str
    counter: int
    installer: str
    reboot: bool = False
    needs_drain: bool = False
    arch: str = ""
    hw: tuple[str, ...] = ()
    min_from: str = ""
    least_counter: int = 0
    floor: int | None = None
    is_barrier: bool = False
    sbom: str = ""
    expected_alarms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file on its way into the bundle."""

    path: str
    file: Path
    mode: int
    size: int


def build(source: Path, said: Described, out: Path, previous: Sequence[Bundle] = ()) -> Bundle:
    """Make a bundle of what lies below a folder.

    Args:
        source: its files are the release's.
        said: see Described.
        out: a folder that is not there yet.
        previous: releases before, the newest first, to which deltas are made.

    Raises:
        ReleaseError: ``bundle``, ``secret``, ``exists``.
        OSError: something cannot be read or written.
    """
    if out.exists():
        raise ReleaseError("exists", f"{out} is there already: nothing was written")
    if len(previous) > PREVIOUS_MAX:
        raise ReleaseError("bundle", f"deltas are made to {PREVIOUS_MAX} releases at the most")
    _named(said)
    fresh = out.with_name(f"{out.name}.new")
    if fresh.exists():
        raise ReleaseError("exists", f"{fresh} is left from before: remove it, then build again")
    try:
        return _made(source, said, out, fresh, previous)
    except BaseException:  # whatever it was, the next attempt begins anew
        rmtree(fresh, ignore_errors=True)
        raise


def _made(
    source: Path, said: Described, out: Path, fresh: Path, previous: Sequence[Bundle]
) -> Bundle:
    """Fill a folder, and give it its name once it is whole."""
    found = list(_walked(source))
    if not found:
        raise ReleaseError("bundle", f"{source} has no files: there is nothing to release")
    entries = [_packed(each, fresh) for each in found]
    deltas = _deltas(entries, found, previous, fresh)
    manifest = Manifest(
        format=FORMAT, component=said.component, version=said.version,
        release_counter=said.counter, installer=said.installer, reboot=said.reboot,
        needs_drain=said.needs_drain, arch=said.arch, hw=list(said.hw), min_from=said.min_from,
        expected_alarms=dict(said.expected_alarms),
        size_unpacked=sum(each.size for each in entries), files=entries, deltas=deltas,
    )  # fmt: skip
    raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    try:
        decode(raw)
    except ProtocolError as err:
        raise ReleaseError("bundle", f"{source}: {err}") from err
    custom = _custom(said, manifest)
    (fresh / MANIFEST).write_bytes(raw)
    said_raw = msgspec.json.format(msgspec.json.encode(custom), indent=1) + b"\n"
    (fresh / RELEASE).write_bytes(said_raw)
    made = read(fresh)
    check(made.manifest, made.open)
    sync_folder(fresh)
    fresh.rename(out)
    return Bundle(out, made.raw, made.manifest, made.custom)


def _named(said: Described) -> None:
    try:
        target_path(said.component, said.version)
    except ProtocolError as err:
        raise ReleaseError("bundle", f"{err.field} {err.got!r}: {_NAMES[err.field]}") from err
    if why := refusal(said.component, said.installer):
        raise ReleaseError("bundle", f"installer: {why}")
    floor = said.floor if said.floor is not None else 0
    if not 0 <= floor <= said.counter:
        raise ReleaseError("bundle", f"the floor {floor} is above the counter {said.counter}")


def _custom(said: Described, manifest: Manifest) -> TargetCustom:
    # One step back stays open: a security release says its own counter instead (updates.md 10).
    floor = max(0, said.counter - 1) if said.floor is None else said.floor
    return TargetCustom(
        component=said.component, version=said.version, counter=said.counter,
        least_counter=said.least_counter, floor=floor, is_barrier=said.is_barrier,
        hw=list(said.hw), arch=said.arch, size_unpacked=manifest.size_unpacked, sbom=said.sbom,
        signed_at_ms=0,
    )  # fmt: skip


def _walked(source: Path) -> Iterator[_Found]:
    """Yield the plain files below a folder, by their paths.

    Raises:
        ReleaseError: ``bundle``: something is none, or there are too many.
    """
    if not source.is_dir():
        raise ReleaseError("bundle", f"{source} is no folder")
    count = total = 0
    for path, file in sorted(_below(source, "")):
        entry = file.lstat()
        if not stat.S_ISREG(entry.st_mode):
            kind = "a link" if stat.S_ISLNK(entry.st_mode) else "no plain file"
            raise ReleaseError("bundle", f"{path} is {kind}: a release holds plain files alone")
        if entry.st_mode & (stat.S_ISUID | stat.S_ISGID):
            raise ReleaseError("bundle", f"{path} is setuid or setgid: take that away")
        try:
            check_path(path, "files")
        except ProtocolError as err:
            raise ReleaseError("bundle", str(err)) from err
        count, total = count + 1, total + entry.st_size
        if count > FILES_MAX or total > UNPACKED_BYTES_MAX:
            bound = f"{FILES_MAX} files and {UNPACKED_BYTES_MAX} bytes"
            raise ReleaseError("bundle", f"{source}: more than {bound}")
        mode = 0o755 if entry.st_mode & stat.S_IXUSR else 0o644
        yield _Found(path, file, mode, entry.st_size)


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path), f"{path}/")
            else:
                yield path, Path(entry.path)


def _packed(found: _Found, out: Path) -> FileEntry:
    """Put a file into the bundle as a frame; return its entry."""
    if found.size <= WHOLE_BYTES_MAX:
        raw = found.file.read_bytes()
        blob, size, digest = _kept(compress(raw, LEVEL), out), len(raw), sha256(raw).hexdigest()
        return FileEntry(found.path, found.mode, size, digest, *blob)
    return _packed_in_pieces(found, out)


def _packed_in_pieces(found: _Found, out: Path) -> FileEntry:
    coder, hashed, frame = ZstdCompressor(LEVEL), sha256(), sha256()
    size = blob_size = 0
    out.mkdir(mode=0o755, parents=True, exist_ok=True)
    part = out / "packing"
    with found.file.open("rb") as source, part.open("wb") as target:
        while True:
            chunk = source.read(CHUNK_BYTES)
            hashed.update(chunk)
            size += len(chunk)
            packed = coder.compress(chunk) if chunk else coder.flush(ZstdCompressor.FLUSH_FRAME)
            frame.update(packed)
            blob_size += target.write(packed)
            if not chunk:
                break
    path = out / blob_path(frame.hexdigest())
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    part.replace(path)
    return FileEntry(found.path, found.mode, size, hashed.hexdigest(), frame.hexdigest(), blob_size)


def _kept(frame: bytes, out: Path) -> tuple[str, int]:
    """Write a frame into the bundle, once; return its digest and size."""
    digest = sha256(frame).hexdigest()
    path = out / blob_path(digest)
    if not path.exists():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_bytes(frame)
    return digest, len(frame)


def _deltas(
    entries: Sequence[FileEntry], found: Sequence[_Found], previous: Sequence[Bundle], out: Path
) -> list[Delta]:
    """Return deltas to the files that a release before had at the same place, and otherwise.

    A node looks for one delta of a file: the newest release before it comes last, and so is taken.
    """
    made: dict[tuple[str, str], Delta] = {}
    for before in previous:
        check(before.manifest, before.open)
        old = {each.path: each for each in before.manifest.files}
        known = {each.sha256 for each in before.manifest.files}
        for entry, source in zip(entries, found, strict=True):
            base = old.get(entry.path)
            if base is None or entry.sha256 in known or (base.sha256, entry.sha256) in made:
                continue
            delta = _delta(base, entry, source, before, out)
            if delta is not None:
                made[base.sha256, entry.sha256] = delta
    return [made[key] for key in sorted(made)]


def _delta(
    base: FileEntry, entry: FileEntry, source: _Found, before: Bundle, out: Path
) -> Delta | None:
    sizes = (base.size, entry.size)
    if min(sizes) < PREFIX_BYTES_MIN or max(sizes) > PREFIX_BYTES_MAX:
        return None
    with before.open(base.blob) as file:
        old = decompress(file.read())
    if sha256(old).hexdigest() != base.sha256:
        raise ReleaseError("blob", f"{before.folder}: {base.path}: its blob holds another file")
    needed = (base.size + entry.size).bit_length()
    options: dict[int, int] = {
        CompressionParameter.compression_level: LEVEL,
        CompressionParameter.window_log: min(WINDOW_LOG_MAX, max(WINDOW_LOG_MIN, needed)),
    }
    prefix = ZstdDict(old, is_raw=True).as_prefix
    frame = compress(source.file.read_bytes(), options=options, zstd_dict=prefix)
    if len(frame) > entry.blob_size * DELTA_RATIO_MAX:
        return None
    return Delta(base.sha256, entry.sha256, *_kept(frame, out))


def wan_bytes(manifest: Manifest, here: Sequence[Manifest]) -> int:
    """Return the blob bytes that a node fetches which has some releases.

    The manifest itself is not counted: it is one file, and compressed on its way.
    """
    have = {each.sha256 for before in here for each in before.files}
    return sum(blobs_needed(manifest, have).values())
