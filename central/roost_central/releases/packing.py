"""Puts files into a bundle: each as a frame of zstd, or as a delta where that is worth its place.

A file that a release before had otherwise gets a delta (updates.md 8); the frames are those of one
version of zstd, which the lock pins.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDict, compress, decompress

from roost_central.releases.bundle import CHUNK_BYTES, Bundle, blob_path, check
from roost_central.releases.fault import ReleaseError
from roost_central.releases.source_files import Found
from roost_protocol.release.manifest import Delta, FileEntry

LEVEL: Final = 12  # 19 takes fifteen times as long for a sixth less
WHOLE_BYTES_MAX: Final = 64 << 20  # of a file that is compressed in one piece
PREFIX_BYTES_MAX: Final = 128 << 20  # as nodes have it
PREFIX_BYTES_MIN: Final = 64  # zstd takes no shorter one than 8, and there is nothing to save
DELTA_RATIO_MAX: Final = 0.9  # of the file's own blob: above it a delta is not worth its place
WINDOW_LOG_MIN, WINDOW_LOG_MAX = 10, 27


def packed(found: Found, out: Path) -> FileEntry:
    """Put a file into the bundle as a frame; return its entry."""
    if found.size <= WHOLE_BYTES_MAX:
        raw = found.file.read_bytes()
        blob, size, digest = _kept(compress(raw, LEVEL), out), len(raw), sha256(raw).hexdigest()
        return FileEntry(found.path, found.mode, size, digest, *blob)
    return _packed_in_pieces(found, out)


def _packed_in_pieces(found: Found, out: Path) -> FileEntry:
    coder, hashed, frame = ZstdCompressor(LEVEL), sha256(), sha256()
    size = blob_size = 0
    out.mkdir(mode=0o755, parents=True, exist_ok=True)
    part = out / "packing"
    with found.file.open("rb") as source, part.open("wb") as target:
        while True:
            chunk = source.read(CHUNK_BYTES)
            hashed.update(chunk)
            size += len(chunk)
            piece = coder.compress(chunk) if chunk else coder.flush(ZstdCompressor.FLUSH_FRAME)
            frame.update(piece)
            blob_size += target.write(piece)
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


def deltas_to(
    entries: Sequence[FileEntry], found: Sequence[Found], previous: Sequence[Bundle], out: Path
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
    base: FileEntry, entry: FileEntry, source: Found, before: Bundle, out: Path
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
