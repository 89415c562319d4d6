"""What changes too often to be inventory: it is counted, and left out for the rest of a day. Pure.

Inventory is what changes by human hands (docs/inventory.md). A value that changes more than
CHANGES_MAX times within a day is told as unknown, ``volatile``, until that day is over: so it is in
no digest and no history, and a driver's whim costs a bounded number of bytes.

Invariant: of one field at most CHANGES_MAX + 2 changes are told within a day of its first.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from roost_agent.inventory.snapshot import Sections, section
from roost_protocol.inventory import Section, SectionDelta

CHANGES_MAX: Final = 20  # of one field, within DAY_MS of the first
DAY_MS: Final = 86_400_000
COUNTED_MAX: Final = 4_096  # fields that changed of late; more are not counted
VOLATILE: Final = "volatile"


class Count(msgspec.Struct, frozen=True, array_like=True):
    """Changes of one field since the first of a day."""

    since_ms: int
    changes: int


Counts: TypeAlias = Mapping[str, Mapping[str, Count]]  # by section and ``id.field``


def calmed(found: Sections, counts: Counts, now_ms: int) -> dict[str, Section]:
    """Return sections without the values that change too often."""
    return {
        name: _calmed(each, _volatile(counts.get(name, {}), now_ms)) for name, each in found.items()
    }


def counted(
    counts: Counts, old: Sections, changed: Mapping[str, SectionDelta], now_ms: int
) -> dict[str, dict[str, Count]]:
    """Return the counts with those changes of values that were known before; days that ended go."""
    fresh = {
        name: kept
        for name, fields in counts.items()
        if (kept := {key: each for key, each in fields.items() if _runs(each, now_ms)})
    }
    room = COUNTED_MAX - sum(map(len, fresh.values()))
    for name, delta in changed.items():
        before = old[name].items if name in old else {}
        for item, fields in delta.put.items():
            for each in fields:
                if before.get(item, {}).get(each) is None:
                    continue  # it comes, or becomes known
                key, of_section = f"{item}.{each}", fresh.setdefault(name, {})
                known = of_section.get(key)
                if known is None and room <= 0:
                    continue
                room -= known is None
                known = known or Count(now_ms, 0)
                of_section[key] = Count(known.since_ms, known.changes + 1)
    return {name: fields for name, fields in fresh.items() if fields}


def volatile(counts: Counts, now_ms: int) -> list[str]:
    """Return what is left out now, as ``section/id.field``."""
    return sorted(
        f"{name}/{key}" for name, fields in counts.items() for key in _volatile(fields, now_ms)
    )


def _volatile(fields: Mapping[str, Count], now_ms: int) -> set[str]:
    return {
        key for key, each in fields.items() if each.changes > CHANGES_MAX and _runs(each, now_ms)
    }


def _runs(count: Count, now_ms: int) -> bool:
    """Say whether a count's day is not over; a clock that was set back ends it."""
    return count.since_ms <= now_ms < count.since_ms + DAY_MS


def _calmed(found: Section, keys: set[str]) -> Section:
    if not keys:
        return found
    items = {
        item: {name: value for name, value in fields.items() if f"{item}.{name}" not in keys}
        for item, fields in found.items.items()
    }
    hidden = {key for item, fields in found.items.items() for key in _keys(item, fields) & keys}
    missing = {**found.missing, **dict.fromkeys(hidden, VOLATILE)}
    return section(items, missing, as_of_ms=found.as_of_ms, cost_ms=found.cost_ms)


def _keys(item: str, fields: Mapping[str, object]) -> set[str]:
    return {f"{item}.{name}" for name in fields}
