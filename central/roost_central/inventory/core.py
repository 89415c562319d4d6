"""Decides what a snapshot or a delta makes of a node's inventory. Pure.

Invariants: nothing is applied in part; what is kept always has the digest that the node said
(section by section, and of the whole); whatever does not fit ends in one resync, never in a guess.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import UNSET, UnsetType

from roost_central.inventory.facts import (
    REASON,
    WHOLE,
    FieldChange,
    Items,
    Reasons,
    Section,
    StarredValue,
)
from roost_central.inventory.index import index_changes
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import Delta, SectionDelta, SnapshotPart, Value

RESYNC_EVERY_MS: Final = 60_000  # a node: a lasting disagreement must not fill its uplink

_Flat = dict[tuple[str, str], Value]


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a node: the head, every section's digest, and the sections in question."""

    gen: int | None
    digests: Mapping[str, bytes]
    sections: Mapping[str, Section]


@dataclass(frozen=True, slots=True)
class Applied:
    """What to write: the new head, sections put and removed, changes, indexed values."""

    gen: int
    digest: bytes
    as_of_ms: int
    put: list[Section] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)
    values: list[StarredValue] = field(default_factory=list)
    values_gone: list[StarredValue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unfit:
    """It does not fit what is kept: the node must say it again in full. ``why`` is for the log."""

    why: str


def apply_snapshot(known: Known, parts: Sequence[SnapshotPart]) -> Applied | Unfit:
    """Apply a snapshot whose parts are all there.

    Args:
        known: with every section, where the snapshot is full; else with those it names.
        parts: all parts of one generation, in any order.
    """
    first = parts[0]
    sections: dict[str, Section] = {}
    for part in sorted(parts, key=lambda part: part.part):
        for name, piece in part.sections.items():
            before = sections.get(name)
            sections[name] = Section(
                name=name,
                gen=part.gen,
                digest=piece.digest,
                as_of_ms=piece.as_of_ms,
                cost_ms=piece.cost_ms,
                items={**before.items, **piece.items} if before else dict(piece.items),
                missing={**before.missing, **piece.missing} if before else dict(piece.missing),
            )
    removed = sorted(known.digests.keys() - sections.keys()) if first.full else []
    result = Applied(first.gen, first.digest, first.taken_ms, list(sections.values()), removed)
    return _check(known, result)


def apply_delta(known: Known, delta: Delta) -> Applied | Unfit:
    """Apply a delta to the generation it names.

    Args:
        known: with the sections that the delta names, as far as they are there.
        delta: the change.
    """
    if delta.base_gen != known.gen:
        return Unfit(f"delta on generation {delta.base_gen}, kept is {known.gen}")
    put: list[Section] = []
    removed: list[str] = []
    as_of_ms = 0
    for name, change in delta.sections.items():
        before = known.sections.get(name)
        if change.base != (before.digest if before else None):
            return Unfit(f"delta on another {name}")
        as_of_ms = max(as_of_ms, change.as_of_ms)
        if change.digest is None:
            removed.append(name)
        else:
            put.append(_patched(before, name, change, delta.gen))
    return _check(known, Applied(delta.gen, delta.digest, as_of_ms, put, removed))


def _patched(before: Section | None, name: str, change: SectionDelta, gen: int) -> Section:
    """Return the section after a change; items that it does not touch are the very same."""
    items = dict(before.items) if before else {}
    missing = before.missing if before else {}
    for item in change.gone:
        items.pop(item, None)
    for item, fields in change.put.items():
        items[item] = {**items.get(item, {}), **fields}
    for item, names in change.unset.items():
        if item in items:
            items[item] = {name: items[item][name] for name in items[item].keys() - set(names)}
    if change.found or change.missing:
        missing = {key: missing[key] for key in missing.keys() - set(change.found)}
        missing |= change.missing
    return Section(
        name=name,
        gen=gen,
        digest=change.digest or b"",
        as_of_ms=change.as_of_ms,
        cost_ms=before.cost_ms if before else 0,
        items=items,
        missing=missing,
    )


def _check(known: Known, result: Applied) -> Applied | Unfit:
    """Recompute every digest that the node claims, then say what changed."""
    digests = {name: known.digests[name] for name in known.digests.keys() - set(result.removed)}
    for section in result.put:
        if section_digest(section.items, section.missing) != section.digest:
            return Unfit(f"another digest of {section.name}")
        digests[section.name] = section.digest
    if node_digest(digests) != result.digest:
        return Unfit("another digest of the whole")
    changes: list[FieldChange] = []
    for name in result.removed:
        changes += changes_of(name, known.sections.get(name), None)
    for section in result.put:
        before = known.sections.get(section.name)
        if before is None or before.digest != section.digest:
            changes += changes_of(section.name, before, section)
    values, gone = index_changes(known.sections, result.put, changes)
    return replace(result, changes=changes, values=values, values_gone=gone)


def changes_of(name: str, before: Section | None, after: Section | None) -> list[FieldChange]:
    """Return one row for each field that differs; a section that appears is one row."""
    if before is None:
        return [FieldChange(name, *WHOLE, UNSET, True)] if after else []
    old, new = _differing(before, after)
    rows = [] if after else [FieldChange(name, *WHOLE, True, UNSET)]
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key, UNSET), new.get(key, UNSET)
        if type(was) is not type(now) or was != now:  # True is not 1
            rows.append(FieldChange(name, *key, was, now))
    return rows


def _differing(before: Section, after: Section | None) -> tuple[_Flat, _Flat]:
    """Return both sections flattened, without the items that are the very same in both."""
    if after is None:
        return flatten(before.items, before.missing), {}
    was, now = before.items, after.items
    some = [item for item in was.keys() | now.keys() if was.get(item) is not now.get(item)]
    is_same = before.missing is after.missing
    return (
        flatten({k: was[k] for k in some if k in was}, {} if is_same else before.missing),
        flatten({k: now[k] for k in some if k in now}, {} if is_same else after.missing),
    )


def flatten(items: Items, missing: Reasons) -> _Flat:
    """Return a section as one value for each (item, field), pseudo fields among them."""
    flat: _Flat = {(key, REASON): reason for key, reason in missing.items()}
    for item, fields in items.items():
        if not fields:
            flat[item, ""] = True
        for name, value in fields.items():
            flat[item, name] = value
    return flat


def rewind(
    sections: Mapping[str, tuple[Items, Reasons]], changes: Iterable[FieldChange]
) -> dict[str, tuple[Items, Reasons]]:
    """Return the sections as they were before ``changes``, which come newest first."""
    flat = {name: flatten(items, missing) for name, (items, missing) in sections.items()}
    for change in changes:
        if (change.item, change.field) == WHOLE:
            if change.old is UNSET:
                flat.pop(change.section, None)
            else:
                flat.setdefault(change.section, {})
        elif isinstance(change.old, UnsetType):
            flat.setdefault(change.section, {}).pop((change.item, change.field), None)
        else:
            flat.setdefault(change.section, {})[change.item, change.field] = change.old
    return {name: _unflatten(flat[name]) for name in sorted(flat)}


def _unflatten(flat: _Flat) -> tuple[Items, Reasons]:
    items: Items = {}
    missing: Reasons = {}
    for (item, name), value in sorted(flat.items()):
        if name == REASON:
            missing[item] = str(value)
        elif name == "":
            items.setdefault(item, {})
        else:
            items.setdefault(item, {})[name] = value
    return items, missing
