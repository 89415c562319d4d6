"""Sections as the wire wants them: bounded, digested, and cut into parts.

Pure. Leaves to others: reading hardware (discovery), the generation's life (ledger).

Invariants:
- whatever a probe returns, the result passes the wire's bounds: what does not fit is null or left
  out, with the reason ``too-big``;
- the parts of one snapshot hold every item once, and each encodes to at most CHUNK_BYTES_MAX;
- a section's digest is of the whole section, in each of its parts.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from roost_protocol.codec import VERSION, encode
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import Section, SnapshotPart
from roost_protocol.limits import (
    CHUNK_BYTES_MAX,
    INVENTORY_FIELDS_MAX,
    INVENTORY_ITEMS_MAX,
    INVENTORY_PARTS_MAX,
    INVENTORY_SECTIONS_MAX,
    INVENTORY_STRING_BYTES_MAX,
)

Sections = Mapping[str, Section]
Fields = dict[str, Any]

TOO_BIG: Final = "too-big"
PART_BYTES_AIM: Final = CHUNK_BYTES_MAX - 8 * 1024  # room for the envelope and section headers


class Taken(msgspec.Struct, frozen=True):
    """Where and when a snapshot was made."""

    gen: int
    boot_id: bytes
    taken_ms: int


def section(
    items: Mapping[str, Mapping[str, Any]],
    missing: Mapping[str, str],
    *,
    as_of_ms: int,
    cost_ms: int = 0,
) -> Section:
    """Return what a probe found, within the wire's bounds and with its digest."""
    reasons = {key: why[:64] for key, why in missing.items() if _fits(key)}
    kept: dict[str, Fields] = {}
    for key in sorted(items):
        if len(kept) == INVENTORY_ITEMS_MAX or not _fits(key):
            reasons["*"] = TOO_BIG
        else:
            kept[key] = _fields(key, items[key], reasons)
    reasons = dict(sorted(reasons.items())[:INVENTORY_ITEMS_MAX])
    return Section(
        digest=section_digest(kept, reasons),
        as_of_ms=as_of_ms,
        cost_ms=cost_ms,
        items=kept,
        missing=reasons,
    )


def merged(old: Sections, probed: Sections) -> dict[str, Section]:
    """Return all sections after a probe of some of them."""
    both = {**old, **probed}
    return dict(sorted(both.items())[:INVENTORY_SECTIONS_MAX])


def digest_of(sections: Sections) -> bytes:
    """Return the node's inventory digest."""
    return node_digest({name: each.digest for name, each in sections.items()})


def parts(
    sections: Sections, taken: Taken, names: Sequence[str] | None = None
) -> list[SnapshotPart]:
    """Return a snapshot of all sections, or of the named ones, in parts that fit a report."""
    chosen = sorted(sections if names is None else sections.keys() & set(names))
    bins = list(_bins({name: sections[name] for name in chosen}))[:INVENTORY_PARTS_MAX]
    return [
        SnapshotPart(
            v=VERSION,
            gen=taken.gen,
            boot_id=taken.boot_id,
            taken_ms=taken.taken_ms,
            part=number,
            parts=len(bins),
            full=names is None,
            digest=digest_of(sections),
            sections=held,
        )
        for number, held in enumerate(bins, 1)
    ]


def _fits(text: str) -> bool:
    try:
        return len(text.encode()) <= INVENTORY_STRING_BYTES_MAX
    except UnicodeEncodeError:
        return False  # half a surrogate pair: raw bytes of a device, and no text


def _fields(item: str, fields: Mapping[str, Any], reasons: dict[str, str]) -> Fields:
    kept: Fields = {}
    for name in sorted(fields)[:INVENTORY_FIELDS_MAX]:
        value = fields[name]
        if _value_fits(value):
            kept[name] = value
        else:
            kept[name] = None
            reasons[f"{item}.{name}"] = TOO_BIG
    if len(fields) > INVENTORY_FIELDS_MAX:
        reasons[f"{item}.*"] = TOO_BIG
    return kept


def _value_fits(value: object) -> bool:
    match value:
        case None | bool():
            return True
        case int():
            return -(2**63) <= value < 2**64
        case str():
            return _fits(value)
        case list():
            plain = all(isinstance(each, int | str) and _value_fits(each) for each in value)
            return plain and len(value) <= INVENTORY_ITEMS_MAX and len(encode(value)) <= 64 * 1024
        case _:
            return False


def _bins(sections: Sections) -> Iterator[dict[str, Section]]:
    """Yield the sections of one part after another; a big section goes over several."""
    held: dict[str, Section] = {}
    room = PART_BYTES_AIM
    for name, whole in sections.items():
        for piece, size in _pieces(whole):
            if size > room and held:
                yield held
                held, room = {}, PART_BYTES_AIM
            held[name] = piece
            room -= size
    yield held


def _pieces(whole: Section) -> Iterator[tuple[Section, int]]:
    """Yield a section cut so that each piece fits a part, with its size in bytes."""
    items: dict[str, Fields] = {}
    missing: dict[str, str] = {}
    size = _HEADER_BYTES
    for target, key, value in _entries(whole, items, missing):
        grows = len(encode({key: value}))
        if size + grows > PART_BYTES_AIM:
            yield _piece(whole, dict(items), dict(missing)), size
            items.clear()
            missing.clear()
            size = _HEADER_BYTES
        target[key] = value
        size += grows
    yield _piece(whole, items, missing), size


_HEADER_BYTES: Final = 1024  # a section's name, digest, times and the heads of its maps


def _entries(
    whole: Section, items: dict[str, Any], missing: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], str, Any]]:
    for key, fields in whole.items.items():
        yield items, key, fields
    for key, why in whole.missing.items():
        yield missing, key, why


def _piece(whole: Section, items: dict[str, Fields], missing: dict[str, str]) -> Section:
    return Section(
        digest=whole.digest,
        as_of_ms=whole.as_of_ms,
        cost_ms=whole.cost_ms,
        items=items,
        missing=missing,
    )
