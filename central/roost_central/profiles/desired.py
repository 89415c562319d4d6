"""What a node should be, as it is kept: shared documents, generations that rise. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost_protocol.codec import encode
from roost_protocol.profile.field import Path

KEY_BYTES: Final = 16  # of a document's own digest


@dataclass(frozen=True, slots=True)
class Document:
    """Settings, the profile that each is of, and the digest of the settings alone."""

    key: bytes
    digest: bytes
    sections: Mapping[str, Any]
    reasons: Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class DesiredRecord:
    """What a node should be now.

    Attributes:
        document: the key of its document.
        since_ms: UTC since when it is this generation.
        fault: why it has not what its profiles say now; empty: it has.
    """

    node: str
    generation: int
    document: bytes
    since_ms: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class DesiredChange:
    """One generation: who made it, and why."""

    node: str
    generation: int
    document: bytes
    at_ms: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What nodes should be by now, and the documents that this names."""

    heads: Mapping[str, DesiredRecord]
    documents: Mapping[bytes, Document]

    @property
    def digests(self) -> dict[bytes, bytes]:
        """The digest of each document's settings."""
        return {key: document.digest for key, document in self.documents.items()}


def document_of(
    sections: Mapping[str, Any], reasons: Mapping[Path, str], digest: bytes
) -> Document:
    """Return settings and their reasons under the key that they are kept by."""
    key = hashlib.blake2b(encode(body_of(sections, reasons)), digest_size=KEY_BYTES).digest()
    return Document(key, digest, sections, reasons)


def body_of(sections: Mapping[str, Any], reasons: Mapping[Path, str]) -> list[Any]:
    """Return what is kept of a document, in one order."""
    return [sections, sorted(reasons.items())]
