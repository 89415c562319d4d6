"""The manifest of a bundle: the signed target, which names every file by its digest. Pure.

Invariants of what ``decode`` returns: plain files alone; relative paths in NFC that leave no
folder, that no other entry is a folder of and none differs from by case alone; all within bounds,
so that who unpacks needs no further rule (updates.md 8).
"""

import hashlib
import re
import unicodedata
from collections.abc import Container
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END
from roost_protocol.update import VersionText

FORMAT: Final = 1
MANIFEST_BYTES_MAX: Final = 16 << 20
FILES_MAX: Final = 20_000
UNPACKED_BYTES_MAX: Final = 4 << 30
RATIO_MAX: Final = 200  # of a file to its blob, above RATIO_FROM_BYTES
RATIO_FROM_BYTES: Final = 1 << 20
PATH_BYTES_MAX: Final = 1_024
NAME_BYTES_MAX: Final = 255
DEPTH_MAX: Final = 32
DELTAS_MAX: Final = 60_000
MODES: Final = (0o644, 0o755)

COMPONENT: Final = re.compile(r"agent|os|(app|plugin|config|policy)/[a-z0-9][a-z0-9._-]{0,62}")
KIND: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")

Digest: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + END)]
_Size: TypeAlias = Annotated[int, Meta(ge=0, le=UNPACKED_BYTES_MAX)]
_Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]


class FileEntry(msgspec.Struct, frozen=True):
    """One file: where it stands, what it is, and the zstd frame that holds it."""

    path: Annotated[str, Meta(min_length=1, max_length=PATH_BYTES_MAX)]
    mode: int
    size: _Size
    sha256: Digest
    blob: Digest
    blob_size: _Size


class Delta(msgspec.Struct, frozen=True):
    """A frame that makes ``to_file`` of ``from_file`` as its prefix; both by their SHA-256."""

    from_file: Digest
    to_file: Digest
    blob: Digest
    size: _Size


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A release.

    Attributes:
        release_counter: of the component; floors go by it.
        installer: the kind; what it may touch is the node's business.
        reboot, needs_drain: what installing it takes.
        min_from: the least version to come from, empty: any.
        expected_alarms: type to seconds for which it is no failure.
    """

    format: int
    component: str
    version: VersionText
    release_counter: Annotated[int, Meta(ge=0, le=1 << 53)]
    installer: str
    reboot: bool = False
    needs_drain: bool = False
    arch: Annotated[str, Meta(max_length=32)] = ""
    hw: Annotated[list[_Word], Meta(max_length=256)] = []
    min_from: Annotated[str, Meta(max_length=64)] = ""
    size_unpacked: _Size
    expected_alarms: Annotated[dict[str, int], Meta(max_length=64)] = {}
    files: Annotated[list[FileEntry], Meta(max_length=FILES_MAX)]
    deltas: Annotated[list[Delta], Meta(max_length=DELTAS_MAX)] = []


_decoder: Final = msgspec.json.Decoder(Manifest)


def decode(raw: bytes) -> Manifest:
    """Return a manifest within its bounds.

    Raises:
        ProtocolError: it is none; the field and its bound are named.
    """
    if len(raw) > MANIFEST_BYTES_MAX:
        raise ProtocolError("size", bound=MANIFEST_BYTES_MAX, got=len(raw))
    try:
        manifest = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProtocolError("manifest", detail=str(err)[:200]) from err
    if manifest.format != FORMAT:
        raise ProtocolError("field", field="format", bound=FORMAT, got=manifest.format)
    if COMPONENT.fullmatch(manifest.component) is None:
        bound = "agent, os, or app|plugin|config|policy/NAME"
        raise ProtocolError("field", field="component", bound=bound, got=manifest.component)
    if KIND.fullmatch(manifest.installer) is None:
        raise ProtocolError("field", field="installer", bound="a-z 0-9 -", got=manifest.installer)
    _check_files(manifest)
    return manifest


def digest(raw: bytes) -> str:
    """Return the digest by which a release is known: of its manifest's bytes."""
    return hashlib.sha256(raw).hexdigest()


def blobs_needed(manifest: Manifest, here: Container[str]) -> dict[str, int]:
    """Return the blobs that a node fetches, digest to bytes: not of files that are there already.

    A delta is taken where its base is there and it is smaller than the file's own blob. The node
    goes by it, and the centre's dry run.

    Args:
        manifest: of the release.
        here: digests of files that the node has.
    """
    deltas = {each.to_file: each for each in manifest.deltas if each.from_file in here}
    wanted = {}
    for entry in manifest.files:
        if entry.sha256 in here or not entry.size:
            continue
        delta = deltas.get(entry.sha256)
        if delta is not None and delta.size < entry.blob_size:
            wanted[delta.blob] = delta.size
        else:
            wanted[entry.blob] = entry.blob_size
    return wanted


def _check_files(manifest: Manifest) -> None:
    seen: set[str] = set()
    folders: set[str] = set()
    total = 0
    for index, entry in enumerate(manifest.files):
        field = f"files[{index}]"
        check_path(entry.path, field)
        folded = entry.path.casefold()
        if folded in seen:
            raise ProtocolError("duplicate", field=field, got=entry.path)
        seen.add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if entry.mode not in MODES:
            raise ProtocolError(
                "field", field=f"{field}.mode", bound="0644 or 0755", got=entry.mode
            )
        if entry.size > max(RATIO_FROM_BYTES, entry.blob_size * RATIO_MAX):
            raise ProtocolError("ratio", field=field, bound=RATIO_MAX, got=entry.path)
        total += entry.size
    if total > UNPACKED_BYTES_MAX or total != manifest.size_unpacked:
        bound = f"the sum of the files, at most {UNPACKED_BYTES_MAX}"
        raise ProtocolError("field", field="size_unpacked", bound=bound, got=manifest.size_unpacked)
    if clash := seen & folders:
        raise ProtocolError("duplicate", field="files", got=min(clash), detail="file and folder")


def check_path(path: str, field: str) -> None:
    """Refuse a path that could leave its folder or be taken for another.

    Raises:
        ProtocolError: it is named.
    """
    parts = path.split("/")
    if (
        len(path.encode(errors="replace")) > PATH_BYTES_MAX
        or len(parts) > DEPTH_MAX
        or any(part in {"", ".", ".."} for part in parts)
        or any(len(part.encode(errors="replace")) > NAME_BYTES_MAX for part in parts)
        or not path.isprintable()
        or "\\" in path
        or unicodedata.normalize("NFC", path) != path
    ):
        bound = "a relative path in NFC, without . and .., printable"
        raise ProtocolError("path", field=f"{field}.path", bound=bound, got=path)
