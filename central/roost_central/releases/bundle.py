"""A bundle in a folder: the manifest, what its signers are to say of it, and its blobs.

``manifest.json``, ``release.json`` (a TargetCustom that is not signed yet), ``blobs/XX/DIGEST``.

Invariant: ``check`` returns only if every blob is there, is the frame that the manifest names and
holds exactly the file that it names, if no file holds a private key, and if operators have each a
key of their own.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

from roost_central.releases.fault import ReleaseError
from roost_central.releases.operators import COMPONENT as OPERATORS
from roost_central.releases.operators import FILE as OPERATORS_FILE
from roost_protocol.errors import ProtocolError
from roost_protocol.release.approval import read_operators
from roost_protocol.release.manifest import (
    MANIFEST_BYTES_MAX,
    FileEntry,
    Manifest,
    blobs_needed,
    decode,
    digest,
)
from roost_protocol.release.target import TargetCustom, check_manifest, target_path

MANIFEST: Final = "manifest.json"
RELEASE: Final = "release.json"
BLOBS: Final = "blobs"
CHUNK_BYTES: Final = 1 << 20
WINDOW_LOG_MAX: Final = 27  # as nodes have it (agent trust/unpack.py)
CUSTOM_BYTES_MAX: Final = 64 << 10
OPERATORS_BYTES_MAX: Final = 64 << 10
SECRET_BYTES_MAX: Final = 512  # of what shows a secret: also where two chunks meet
# The armour with a body behind it: a library that names the armour alone is no secret.
_SECRET: Final = re.compile(
    rb"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----\r?\n(?:[A-Za-z-]{1,32}: [^\r\n]{0,80}\r?\n)*"
    rb"\r?\n?[A-Za-z0-9+/=]{40}"
    rb"|AGE-SECRET-KEY-1[A-Z0-9]{58}"
)

Open = Callable[[str], BinaryIO]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A release that was read, and is checked as far as its manifest says by itself."""

    folder: Path
    raw: bytes
    manifest: Manifest
    custom: TargetCustom

    @property
    def digest(self) -> str:
        """Of its manifest: by which the release is known."""
        return digest(self.raw)

    @property
    def path(self) -> str:
        """Of its target."""
        return target_path(self.manifest.component, self.manifest.version)

    def open(self, blob: str) -> BinaryIO:
        """Open a blob."""
        return (self.folder / blob_path(blob)).open("rb")


def blob_path(blob: str) -> str:
    """Return where a blob lies in a bundle, in the repository and on nodes."""
    return f"{BLOBS}/{blob[:2]}/{blob}"


def read(folder: Path) -> Bundle:
    """Return the bundle of a folder; its blobs are not looked at.

    Raises:
        ReleaseError: ``bundle``.
    """
    try:
        raw = _bytes(folder / MANIFEST, MANIFEST_BYTES_MAX)
        manifest = decode(raw)
        custom = msgspec.json.decode(_bytes(folder / RELEASE, CUSTOM_BYTES_MAX), type=TargetCustom)
        check_manifest(custom, manifest)
    except OSError as err:
        text = f"{err.filename}: {err.strerror}: name a folder that `roost release build` made"
        raise ReleaseError("bundle", text) from err
    except (ProtocolError, msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise ReleaseError("bundle", f"{folder}: {err}") from err
    return Bundle(folder, raw, manifest, custom)


def blobs_of(manifest: Manifest) -> dict[str, int]:
    """Return every blob of a release with its bytes: of its files and of its deltas."""
    files = {each.blob: each.blob_size for each in manifest.files}
    return files | {each.blob: each.size for each in manifest.deltas}


def check(manifest: Manifest, opened: Open) -> None:
    """Check that the blobs of a release are what its manifest says.

    Args:
        manifest: as ``decode`` returned it.
        opened: opens a blob by its digest; raises OSError where there is none.

    Raises:
        ReleaseError: ``blob``: one is missing or is another; ``secret``; ``operators``: two of them
            share a key, or their file is none.
    """
    seen: set[tuple[str, str, int]] = set()
    for entry in manifest.files:
        if (key := (entry.blob, entry.sha256, entry.size)) not in seen:
            seen.add(key)
            _check_file(entry, opened)
    for delta in manifest.deltas:
        with _opened(opened, delta.blob, f"a delta to {delta.to_file[:12]}") as file:
            _hashed(file, delta.blob, delta.size)
    if manifest.component == OPERATORS:
        _check_operators(manifest, opened)


def wan_bytes(manifest: Manifest, here: Sequence[Manifest]) -> int:
    """Return the blob bytes that a node fetches which has some releases.

    The manifest itself is not counted: it is one file, and compressed on its way.
    """
    have = {each.sha256 for before in here for each in before.files}
    return sum(blobs_needed(manifest, have).values())


def _check_file(entry: FileEntry, opened: Open) -> None:
    with _opened(opened, entry.blob, entry.path) as file:
        _hashed(file, entry.blob, entry.blob_size)
        file.seek(0)
        hashed, size, before = sha256(), 0, b""
        for chunk in _decoded(file, entry):
            size += len(chunk)
            if size > entry.size:
                raise ReleaseError("blob", f"{entry.path}: more than its {entry.size} bytes")
            hashed.update(chunk)
            if _SECRET.search(before + chunk):
                text = f"{entry.path} holds a private key: a bundle is read by every node"
                raise ReleaseError("secret", text)
            before = chunk[-SECRET_BYTES_MAX:]
    if size != entry.size or hashed.hexdigest() != entry.sha256:
        raise ReleaseError("blob", f"{entry.path}: its blob holds another file")


def _check_operators(manifest: Manifest, opened: Open) -> None:
    entry = next((each for each in manifest.files if each.path == OPERATORS_FILE), None)
    if entry is None or entry.size > OPERATORS_BYTES_MAX:
        text = f"{OPERATORS} is one file {OPERATORS_FILE} of at most {OPERATORS_BYTES_MAX} bytes"
        raise ReleaseError("operators", text)
    with _opened(opened, entry.blob, entry.path) as file:
        raw = b"".join(_decoded(file, entry))
    try:
        read_operators(raw)
    except ProtocolError as err:
        raise ReleaseError("operators", f"{OPERATORS_FILE}: {err}") from err


def _opened(opened: Open, blob: str, what: str) -> BinaryIO:
    try:
        return opened(blob)
    except OSError as err:
        raise ReleaseError("blob", f"{what}: its blob {blob[:12]} is not there") from err


def _hashed(file: BinaryIO, blob: str, size: int) -> None:
    hashed, got = sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        hashed.update(chunk)
        got += len(chunk)
    if got != size or hashed.hexdigest() != blob:
        raise ReleaseError("blob", f"blob {blob[:12]} is another file")


def _decoded(file: BinaryIO, entry: FileEntry) -> Iterator[bytes]:
    """Yield what a frame holds, in pieces that a bomb cannot make larger."""
    options: dict[int, int] = {DecompressionParameter.window_log_max: WINDOW_LOG_MAX}
    decoder = ZstdDecompressor(options=options)
    try:
        while not decoder.eof and (chunk := file.read(CHUNK_BYTES)):
            yield decoder.decompress(chunk, CHUNK_BYTES)
            while not decoder.needs_input and not decoder.eof:
                yield decoder.decompress(b"", CHUNK_BYTES)
    except ZstdError as err:
        raise ReleaseError("blob", f"{entry.path}: its blob is no zstd frame: {err}") from err


def _bytes(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        raw = file.read(bytes_max + 1)
    if len(raw) > bytes_max:
        raise ReleaseError("bundle", f"{path}: more than {bytes_max} bytes")
    return raw
