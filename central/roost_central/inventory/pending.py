"""A node's inventory as one transaction will leave it, and what is to be written for that. Pure.

Invariant: what is written in the end is what writing document by document would have left, with one
row for each section, value and head however often they changed, and each change by itself.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from roost_central.inventory.core import Applied, Known
from roost_central.inventory.facts import FieldChange, Section, StarredValue

Key = tuple[str, str, str]  # section, item, field


@dataclass(slots=True)
class Pending:
    """What documents come to so far.

    Attributes:
        gen: of the inventory; None where the node never said one.
        digests: of every section.
        has_parts: whether parts of a snapshot wait for the others.
        kept: rows of sections as storage has them, not decoded: most never are.
        sections: those that are decoded.
        removed: sections whose rows and values go before anything is written.
    """

    gen: int | None = None
    digest: bytes = b""
    as_of_ms: int = 0
    digests: dict[str, bytes] = field(default_factory=dict)
    has_parts: bool = False
    kept: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    put: dict[str, Section] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    values: dict[Key, StarredValue] = field(default_factory=dict)
    values_gone: dict[Key, StarredValue] = field(default_factory=dict)
    changes: list[tuple[int, FieldChange]] = field(default_factory=list)
    is_changed: bool = False

    def known(self) -> Known:
        """Return what the next document is applied to."""
        return Known(self.gen, self.digests, self.sections)

    def take(self, applied: Applied) -> None:
        """Add what one document came to."""
        self.is_changed = True
        self.gen, self.digest, self.as_of_ms = applied.gen, applied.digest, applied.as_of_ms
        self._remove(applied.removed)
        for section in applied.put:
            self.digests[section.name] = section.digest
            self.sections[section.name] = self.put[section.name] = section
        for value in applied.values_gone:
            key = _key(value)
            self.values.pop(key, None)
            self.values_gone[key] = value
        for value in applied.values:
            key = _key(value)
            self.values_gone.pop(key, None)
            self.values[key] = value
        self.changes += [(applied.gen, change) for change in applied.changes]

    def _remove(self, names: Collection[str]) -> None:
        if not names:
            return
        for name in names:
            del self.digests[name]
            self.sections.pop(name, None)
            self.put.pop(name, None)
        self.removed.update(names)
        for rows in (self.values, self.values_gone):
            for key in [key for key in rows if key[0] in names]:
                del rows[key]


def _key(value: StarredValue) -> Key:
    return value.section, value.item, value.field
