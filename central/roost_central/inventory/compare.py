"""Compares two inventories: of a node at two moments, or of two nodes. Pure.

Two nodes never share serials, so between them items are matched by the place they are in: a NIC by
its interface's name, a disk by its device's. Of one node they are matched by what they are, so a
disk that was replaced is one that went and one that came.
"""

from collections.abc import Mapping
from typing import Final

from roost_central.inventory.core import changes_of
from roost_central.inventory.facts import FieldChange, Items, Reasons, Section

Sections = Mapping[str, tuple[Items, Reasons]]

PLACES: Final[Mapping[str, str]] = {  # class -> the field that names an item's place in a node
    "nic": "ifname",
    "disk": "name",
    "partition": "name",
    "raid": "name",
    "rdma": "name",
    "gpu": "pci",
    "filesystem": "mountpoint",
}


def compare(old: Sections, new: Sections, *, by_place: bool) -> list[FieldChange]:
    """Return every field that differs, class by class; a class of one side alone is one change."""
    found: list[FieldChange] = []
    for name in sorted(old.keys() | new.keys()):
        before, after = _section(name, old, by_place), _section(name, new, by_place)
        found += changes_of(name, before, after)
    return found


def _section(name: str, sections: Sections, by_place: bool) -> Section | None:
    if name not in sections:
        return None
    items, missing = sections[name]
    if by_place and name in PLACES:
        items, missing = _by_place(items, missing, PLACES[name])
    return Section(
        name=name, gen=0, digest=b"", as_of_ms=0, cost_ms=0, items=items, missing=missing
    )


def _by_place(items: Items, missing: Reasons, field: str) -> tuple[Items, Reasons]:
    """Return the items under the names of their places; one whose place is unknown keeps its id."""
    renamed: Items = {}
    names: dict[str, str] = {}
    for item, fields in items.items():
        place = fields.get(field)
        name = place if isinstance(place, str) and place not in renamed else item
        names[item] = name
        renamed[name] = fields
    reasons = {}
    for key, reason in missing.items():
        item, dot, last = key.rpartition(".")
        reasons[f"{names.get(item, item)}{dot}{last}"] = reason
    return renamed, reasons
