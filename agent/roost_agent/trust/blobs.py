"""Fetches blobs by their digest, from any source, over as many interruptions as it takes.

A blob lies in the mirror as ``blobs/XX/DIGEST``, whole and checked, or as ``DIGEST.part``. What was
fetched before is hashed again before it is gone on with; a source that brings other bytes, or more
than there are, is left, and what it brought is forgotten (updates.md 8).
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from roost_agent.errors import AgentError
from roost_agent.trust.source import Source, SourceError

CHUNK_BYTES: Final = 1 << 20
FOLDER: Final = "blobs"


class BlobError(AgentError):
    """No source brought a blob; what came stays, to be gone on with."""


def url_of(digest: str) -> str:
    """Return where a blob lies in a repository and in the mirror."""
    return f"{FOLDER}/{digest[:2]}/{digest}"


def fetch(digest: str, size: int, sources: Sequence[Source], mirror: Path) -> Path:
    """Return the file of a blob, fetched where it is not there.

    Args:
        digest: SHA-256, hexadecimal.
        size: bytes, as the manifest says.
        sources: in the order in which they are asked.
        mirror: the folder.

    Raises:
        BlobError: no source has it.
        OSError: it cannot be written.
    """
    whole = mirror / url_of(digest)
    if whole.exists() and whole.stat().st_size == size:
        return whole
    whole.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    part = whole.with_name(f"{digest}.part")
    faults = []
    for source in sources:
        try:
            _append(source, digest, size, part)
        except SourceError as err:
            faults.append(str(err))
            continue
        part.replace(whole)
        return whole
    raise BlobError(f"blob {digest[:12]}: {'; '.join(faults) or 'there is no source'}"[:500])


def _append(source: Source, digest: str, size: int, part: Path) -> None:
    """Go on with a blob until it is whole; nothing that is wrong is left behind.

    Where what others brought does not go together with what this one brings, it brings all of it:
    a peer that lied at the beginning must not discredit the next one.
    """
    with part.open("ab+") as file:
        before = _filled(source, digest, size, file)
        if before and file.tell() == 0:
            before = _filled(source, digest, size, file)
        if file.tell() == 0:
            raise SourceError(f"{source.name}: what it brings is not {digest[:12]}")


def _filled(source: Source, digest: str, size: int, file: BinaryIO) -> int:
    """Fill a file up; it is empty afterwards if it is not the blob. Return how much it had."""
    file.seek(0)
    hashed, before = sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        hashed.update(chunk)
        before += len(chunk)
    have = before
    if have < size:
        for chunk in _rest(source, digest, have, size):
            file.write(chunk)
            hashed.update(chunk)
            have += len(chunk)
    if have < size:
        raise SourceError(f"{source.name}: it ended after {have} of {size} bytes")
    if have > size or hashed.hexdigest() != digest:
        file.seek(0)
        file.truncate(0)
    file.flush()
    return before


def _rest(source: Source, digest: str, have: int, size: int) -> Iterator[bytes]:
    """Yield what is missing, and no more than one byte past the end."""
    left = size + 1 - have
    for chunk in source.open(url_of(digest), have):
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
