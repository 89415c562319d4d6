"""Holds a section to the wire's limits; what does not fit is dropped and counted.

Invariants of what comes out:
- strings are UTF-8 without surrogates and at most INVENTORY_STRING_BYTES_MAX long, cut between
  characters; integers fit 64 bits; there are no floats;
- a value is null exactly when ``missing`` has its reason: a null whose reason no longer fits is
  left out.
"""

from dataclasses import dataclass, field
from typing import Final

from roost_agent.discovery.section import TOO_BIG, UNSUPPORTED, Missing, Section, Value
from roost_protocol.limits import (
    INVENTORY_FIELDS_MAX,
    INVENTORY_ITEMS_MAX,
    INVENTORY_STRING_BYTES_MAX,
)

LIST_MAX: Final = INVENTORY_ITEMS_MAX  # members of one value: the CPUs of a node, say
REASONS_MAX: Final = INVENTORY_ITEMS_MAX  # entries of ``missing``
_INTEGERS: Final = range(-(1 << 63), 1 << 64)  # what MessagePack can hold


def bound(section: Section) -> tuple[Section, int]:
    """Return the section as the wire takes it, and how many values and items did not fit."""
    return _Bounding(section).run()


@dataclass(slots=True)
class _Bounding:
    """One pass over a section."""

    source: Section
    out: Section = field(default_factory=Section)
    dropped: int = 0

    def run(self) -> tuple[Section, int]:
        """Copy what fits."""
        if "*" in self.source.missing:
            self.out.missing["*"] = self._text(self.source.missing["*"])
        for item, row in self.source.items.items():
            if len(self.out.items) >= INVENTORY_ITEMS_MAX:
                self.dropped += len(self.source.items) - INVENTORY_ITEMS_MAX
                self.out.missing["*"] = TOO_BIG
                break
            self._copy_item(item, row)
        return self.out, self.dropped

    def _copy_item(self, item: str, row: dict[str, Value]) -> None:
        name = self._text(item)
        if name in self.out.items:  # two long ids alike after the cut
            self.dropped += 1
            return
        self.out.items[name] = {}
        for position, (label, value) in enumerate(row.items()):
            if position >= INVENTORY_FIELDS_MAX:
                self.dropped += len(row) - INVENTORY_FIELDS_MAX
                break
            if value is None:
                reason = self.source.missing.get(f"{item}.{label}", UNSUPPORTED)
                self._put(name, label, Missing(reason))
            else:
                self._put(name, label, self._value(value))

    def _put(self, item: str, label: str, value: Value | Missing) -> None:
        if isinstance(value, Missing) and len(self.out.missing) >= REASONS_MAX:
            self.dropped += 1
        else:
            self.out.put(item, label, value)

    def _value(self, value: Value) -> Value | Missing:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            if len(value) > LIST_MAX:
                self.dropped += 1
                return Missing(TOO_BIG)
            return [self._text(v) if isinstance(v, str) else v for v in value]  # type: ignore[return-value]  # a list keeps its members' type
        if not isinstance(value, int):  # a float, from a probe with a fault
            return Missing(UNSUPPORTED)
        if value not in _INTEGERS:
            self.dropped += 1
            return Missing(TOO_BIG)
        return value

    def _text(self, text: str) -> str:
        raw = text.encode("utf-8", "replace")
        if len(raw) > INVENTORY_STRING_BYTES_MAX:
            self.dropped += 1
            raw = raw[:INVENTORY_STRING_BYTES_MAX]
        return raw.decode("utf-8", "ignore")
