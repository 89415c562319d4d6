"""The difference between two inventories, and its application: ``apply(a, diff(a, b)) == b``.

Pure. Equal means equal on the wire: True is not 1, and neither age nor cost counts.
"""

from collections.abc import Mapping
from typing import Any

from roost_agent.inventory.snapshot import Sections, section
from roost_protocol.codec import encode
from roost_protocol.inventory import Section, SectionDelta

Fields = Mapping[str, Any]


class DeltaMismatchError(ValueError):
    """A delta that does not belong to what it was applied to."""


def diff(old: Sections, new: Sections) -> dict[str, SectionDelta]:
    """Return the delta of every section that changed; empty when none did."""
    changed: dict[str, SectionDelta] = {}
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if after is None and before is not None:
            changed[name] = SectionDelta(base=before.digest, digest=None, as_of_ms=before.as_of_ms)
        elif after is not None and (before is None or before.digest != after.digest):
            changed[name] = _section_diff(before, after)
    return changed


def apply(old: Sections, deltas: Mapping[str, SectionDelta]) -> dict[str, Section]:
    """Return the sections after the deltas.

    Raises:
        DeltaMismatchError: a base or the result has another digest.
    """
    sections = dict(old)
    for name, delta in deltas.items():
        before = sections.pop(name, None)
        if delta.base != (before.digest if before else None):
            raise DeltaMismatchError(f"{name}: the base is another one")
        if delta.digest is not None:
            sections[name] = _section_apply(name, before, delta)
    return dict(sorted(sections.items()))


def _section_diff(before: Section | None, after: Section) -> SectionDelta:
    old_items = before.items if before else {}
    old_missing = before.missing if before else {}
    put: dict[str, dict[str, Any]] = {}
    unset: dict[str, list[str]] = {}
    for item, fields in after.items.items():
        was: Fields = old_items.get(item, {})
        changed = {name: v for name, v in fields.items() if name not in was or _moved(was[name], v)}
        if changed or item not in old_items:
            put[item] = changed
        if removed := sorted(was.keys() - fields.keys()):
            unset[item] = removed
    return SectionDelta(
        base=before.digest if before else None,
        digest=after.digest,
        as_of_ms=after.as_of_ms,
        put=put,
        unset=unset,
        gone=sorted(old_items.keys() - after.items.keys()),
        missing={key: why for key, why in after.missing.items() if old_missing.get(key) != why},
        found=sorted(old_missing.keys() - after.missing.keys()),
    )


def _moved(before: object, after: object) -> bool:
    """Return whether a value differs on the wire, where True is not 1."""
    return before != after or encode(before) != encode(after)


def _section_apply(name: str, before: Section | None, delta: SectionDelta) -> Section:
    items = {item: dict(fields) for item, fields in (before.items if before else {}).items()}
    missing = dict(before.missing if before else {})
    for item in delta.gone:
        items.pop(item, None)
    for item, fields in delta.put.items():
        items.setdefault(item, {}).update(fields)
    for item, names in delta.unset.items():
        for each in names:
            items.get(item, {}).pop(each, None)
    for key in delta.found:
        missing.pop(key, None)
    missing.update(delta.missing)
    result = section(items, missing, as_of_ms=delta.as_of_ms)
    if result.digest != delta.digest:
        raise DeltaMismatchError(f"{name}: the result is another one than the sender's")
    return result
