"""What the node last told of its inventory, and what to tell next.

Pure: a ``Known`` goes in, a ``Change`` comes out, and the caller keeps the new ``Known`` in the
same transaction as the documents, so that generation and outbox never part.

Invariants:
- a generation is given out once, and every one that is given out is sent;
- nothing is sent when nothing changed;
- a delta that does not fit one report is sent as a snapshot of the sections it is about.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from roost_agent.inventory.churn import Count, calmed, counted
from roost_agent.inventory.delta import diff
from roost_agent.inventory.snapshot import Sections, Taken, digest_of, merged, parts
from roost_protocol.codec import VERSION, Decoder, encode
from roost_protocol.digest import EMPTY_SET
from roost_protocol.inventory import Delta, InventoryDocument, Section, SectionDelta
from roost_protocol.limits import CHUNK_BYTES_MAX

KNOWN_BYTES_MAX: Final = 16 * 1024 * 1024  # 64 parts of a snapshot, and room


class Known(msgspec.Struct, frozen=True):
    """The inventory that central has once it has committed all we sent; generation 0 is none.

    ``counts`` are of fields that changed within the last day (churn.py).
    """

    gen: int = 0
    digest: bytes = EMPTY_SET
    sections: dict[str, Section] = {}
    counts: dict[str, dict[str, Count]] = {}


class Change(msgspec.Struct, frozen=True):
    """Documents to append, in order, and what is known once they are on disk."""

    documents: tuple[InventoryDocument, ...]
    known: Known


_known: Final = Decoder[Known](Known, limit=KNOWN_BYTES_MAX)


def dump(known: Known) -> bytes:
    """Return the bytes that ``load`` reads."""
    return encode(known)


def load(raw: bytes) -> Known:
    """Return what was known when ``raw`` was written.

    Raises:
        ProtocolError: the bytes are not a ``dump``'s.
    """
    return _known.decode(raw)


def probed(known: Known, found: Sections, *, boot_id: bytes, now_ms: int) -> Change | None:
    """Return what to tell after a probe of some sections, None when nothing changed."""
    sections = merged(known.sections, calmed(found, known.counts, now_ms))
    changed = diff(known.sections, sections)
    if not changed and known.gen:
        return None
    if not known.gen:
        return _snapshot(Known(0, EMPTY_SET, sections), None, boot_id=boot_id, now_ms=now_ms)
    counts = counted(known.counts, known.sections, changed, now_ms)
    after = Known(known.gen + 1, digest_of(sections), sections, counts)
    delta = Delta(
        v=VERSION, base_gen=known.gen, gen=after.gen, digest=after.digest, sections=changed
    )
    if len(encode(delta)) <= CHUNK_BYTES_MAX:
        return Change((delta,), after)
    names = None if _any_gone(changed) else sorted(changed)
    before = Known(known.gen, known.digest, sections, counts)
    return _snapshot(before, names, boot_id=boot_id, now_ms=now_ms)


def asked(
    known: Known, names: Sequence[str] | None, *, boot_id: bytes, now_ms: int
) -> Change | None:
    """Return a snapshot of all sections or of the named ones, None before the first probe.

    A name that the node does not have makes it a full one: only that tells that it is gone.
    """
    if not known.gen:
        return None
    if names is not None and not known.sections.keys() >= set(names):
        names = None
    return _snapshot(known, names or None, boot_id=boot_id, now_ms=now_ms)


def _any_gone(changed: dict[str, SectionDelta]) -> bool:
    return any(delta.digest is None for delta in changed.values())


def _snapshot(known: Known, names: Sequence[str] | None, *, boot_id: bytes, now_ms: int) -> Change:
    after = Known(known.gen + 1, digest_of(known.sections), known.sections, known.counts)
    taken = Taken(after.gen, boot_id, now_ms)
    return Change(tuple(parts(known.sections, taken, names)), after)
