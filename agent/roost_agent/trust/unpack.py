"""Makes the files of a release in an empty folder, from checked blobs; extracts no archive.

Invariants: nothing is written outside the folder, whatever the manifest says (its paths were
checked, and each part is opened below the folder without following links); a file has exactly the
size and digest that its signed manifest says, or the whole is refused; no frame is decoded further
than that size. Owner is whoever runs this; modes are 0644 and 0755.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdDict, ZstdError

from roost_agent.durable import sync_folder
from roost_agent.errors import AgentError
from roost_agent.trust.blobs import url_of
from roost_agent.trust.folder import open_below
from roost_protocol.release.manifest import Delta, FileEntry, Manifest

CHUNK_BYTES: Final = 256 << 10
PREFIX_BYTES_MAX: Final = 128 << 20  # of an old file that a delta goes by, window log 27
WINDOW_LOG_MAX: Final = 27
FOLDER_MODE: Final = 0o755


class UnpackError(AgentError):
    """A release cannot be unpacked: a blob is missing, or is not what the manifest says."""


def unpack(manifest: Manifest, mirror: Path, into: Path, bases: Mapping[str, Path] = {}) -> None:
    """Write every file of a release, and return once they are on the disk.

    Args:
        manifest: as ``decode`` returned it.
        mirror: has the blobs.
        into: an empty folder.
        bases: digest of a file that is here already, to the file.

    Raises:
        UnpackError: one is missing or wrong; the folder is to be thrown away.
        OSError: it cannot be written.
    """
    deltas = {each.to_file: each for each in manifest.deltas if each.from_file in bases}
    for entry in manifest.files:
        with _below(into, entry) as handle:
            chunks = _content(entry, mirror, deltas.get(entry.sha256), bases)
            _write(entry, chunks, handle)
    for folder in sorted({path.parent for path in into.rglob("*")} | {into}):
        sync_folder(folder)


def _content(
    entry: FileEntry, mirror: Path, delta: Delta | None, bases: Mapping[str, Path]
) -> Iterator[bytes]:
    """Yield a file from a copy that is here, a delta, or its own blob: the first that there is."""
    if not entry.size:
        return iter(())
    here = bases.get(entry.sha256)
    if here is not None:
        return _read(os.open(here, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
    if delta is not None and (blob := _blob(mirror, delta.blob)) is not None:
        base = bases[delta.from_file].read_bytes()
        if len(base) <= PREFIX_BYTES_MAX and sha256(base).hexdigest() == delta.from_file:
            return _decoded(blob, delta.blob, ZstdDict(base, is_raw=True))
        os.close(blob)
    full = _blob(mirror, entry.blob)
    if full is None:
        raise UnpackError(f"{entry.path}: its blob {entry.blob[:12]} is not in {mirror}")
    return _decoded(full, entry.blob)


def _blob(mirror: Path, digest: str) -> int | None:
    try:
        return open_below(mirror, url_of(digest))
    except (OSError, ValueError):
        return None


def _decoded(handle: int, digest: str, prefix: ZstdDict | None = None) -> Iterator[bytes]:
    """Yield what a frame holds, once its bytes have been found to be the named ones."""
    hashed = sha256()
    for chunk in _read(os.dup(handle)):
        hashed.update(chunk)
    if hashed.hexdigest() != digest:
        os.close(handle)
        raise UnpackError(f"blob {digest[:12]} is another file")
    os.lseek(handle, 0, os.SEEK_SET)
    options: dict[int, int] = {DecompressionParameter.window_log_max: WINDOW_LOG_MAX}
    decoder = ZstdDecompressor(
        zstd_dict=None if prefix is None else prefix.as_prefix, options=options
    )
    try:
        for chunk in _read(handle):
            yield decoder.decompress(chunk, CHUNK_BYTES)
            while not decoder.needs_input and not decoder.eof:
                yield decoder.decompress(b"", CHUNK_BYTES)
            if decoder.eof:
                return
    except ZstdError as err:
        raise UnpackError(f"blob {digest[:12]} is no zstd frame: {err}") from err


def _read(handle: int) -> Iterator[bytes]:
    with os.fdopen(handle, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def _below(folder: Path, entry: FileEntry) -> Iterator[int]:
    """Give a new file below a folder; its folders are made, and no link is followed."""
    *parents, name = entry.path.split("/")
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            with suppress(FileExistsError):
                os.mkdir(part, FOLDER_MODE, dir_fd=handle)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=handle)
            os.close(handle)
            handle = inner
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, 0o600, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        yield file
        os.fchmod(file, entry.mode)
        os.fsync(file)
    finally:
        os.close(file)


def _write(entry: FileEntry, chunks: Iterator[bytes], handle: int) -> None:
    hashed, size = sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > entry.size:
            raise UnpackError(f"{entry.path}: more than its {entry.size} bytes")
        hashed.update(chunk)
        view = memoryview(chunk)
        while view:
            view = view[os.write(handle, view) :]
    if size != entry.size or hashed.hexdigest() != entry.sha256:
        raise UnpackError(f"{entry.path}: it is not the file that the manifest names")
