"""Digests that two sides compute apart and compare: BLAKE2b-64 of canonical MessagePack."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from roost_protocol.codec import encode

DIGEST_BYTES: Final = 8


def digest(document: Any) -> bytes:  # noqa: ANN401 - whatever the codec can encode
    """Return the digest of a document in its canonical encoding."""
    return hashlib.blake2b(encode(document), digest_size=DIGEST_BYTES).digest()


def section_digest(items: Mapping[str, Any], missing: Mapping[str, str]) -> bytes:
    """Return a section's digest: its items and reasons, not its age or cost."""
    return digest([items, missing])


def node_digest(sections: Mapping[str, bytes]) -> bytes:
    """Return a node's inventory digest from its sections' digests."""
    return digest(sorted(sections.items()))


def alarm_digest(alarms: Iterable[tuple[str, str, int]]) -> bytes:
    """Return the digest of a node's alarm set: (type, entity as the node says it, severity)."""
    return digest(sorted(alarms))


EMPTY_SET: Final = digest([])
