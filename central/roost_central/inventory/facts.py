"""The shapes of inventory at the centre: sections as kept, and what changed in them. Pure."""

from dataclasses import dataclass
from typing import Final

from msgspec import UnsetType

from roost_protocol.inventory import Value

WHOLE: Final = ("", "")  # the pseudo field that a section has while it is there
REASON: Final = "?"

Items = dict[str, dict[str, Value]]
Reasons = dict[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """One class of one node as last reported; ``as_of_ms`` is the node's clock at the probe."""

    name: str
    gen: int
    digest: bytes
    as_of_ms: int
    cost_ms: int
    items: Items
    missing: Reasons
    received_ms: int = 0


@dataclass(frozen=True, slots=True)
class NodeInventory:
    """A node's whole inventory of now."""

    node: str
    gen: int
    digest: bytes
    as_of_ms: int
    sections: dict[str, Section]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one item before and after; UNSET where it was not there.

    Three fields are not the node's: ``""`` of item ``""`` is true while the section is there,
    ``""`` of an item while the item has no fields, and ``"?"`` is the reason why the value that
    ``item`` names (``"id.field"``) is missing.
    """

    section: str
    item: str
    field: str
    old: Value | UnsetType
    new: Value | UnsetType


@dataclass(frozen=True, slots=True)
class StarredValue:
    """One indexed field of one item: a number for numbers and booleans, else a text.

    Neither is there where the value is unknown. ``place`` orders a version among versions.
    """

    section: str
    item: str
    field: str
    text: str | None = None
    number: float | None = None
    place: bytes | None = None
