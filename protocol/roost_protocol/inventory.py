"""Inventory on the wire: a snapshot in parts, and deltas against the generation before.

A section is one class (``cpu``, ``nic``); an item's id is hardware identity. ``missing`` holds a
reason for each null, under ``"id.field"``, and under ``"*"`` for an empty class.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, Digest8, Id16
from roost_protocol.limits import (
    INVENTORY_FIELDS_MAX,
    INVENTORY_ITEMS_MAX,
    INVENTORY_PARTS_MAX,
    INVENTORY_SECTIONS_MAX,
    INVENTORY_STRING_BYTES_MAX,
)

Text = Annotated[str, Meta(max_length=INVENTORY_STRING_BYTES_MAX)]
Value = bool | int | Text | Annotated[list[int | Text], Meta(max_length=4096)] | None
Fields = Annotated[dict[str, Value], Meta(max_length=INVENTORY_FIELDS_MAX)]
Items = Annotated[dict[Text, Fields], Meta(max_length=INVENTORY_ITEMS_MAX)]
Reasons = Annotated[dict[str, str], Meta(max_length=INVENTORY_ITEMS_MAX)]


class Section(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All items of one class.

    Attributes:
        digest: of the whole section, also where this part holds only some of its items.
        as_of_ms: node's UTC clock when it was read.
        cost_ms: time the probe took.
    """

    digest: Digest8
    as_of_ms: Count
    cost_ms: Count = 0
    items: Items = {}
    missing: Reasons = {}


class SnapshotPart(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="snapshot"):
    """One part of a snapshot; applied when all ``parts`` of ``gen`` are there.

    ``full`` is false for a snapshot of named sections only: the others stay as they are.
    """

    v: int
    gen: Count
    boot_id: Id16
    taken_ms: Count
    part: Annotated[int, Meta(ge=1, le=INVENTORY_PARTS_MAX)]
    parts: Annotated[int, Meta(ge=1, le=INVENTORY_PARTS_MAX)]
    full: bool
    digest: Digest8
    sections: Annotated[dict[Text, Section], Meta(max_length=INVENTORY_SECTIONS_MAX)]


class SectionDelta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changed in one section.

    Attributes:
        base: digest of the section this applies to; None where the section is new.
        digest: of the section after it was applied; None where the section is gone.
        put: fields set, by item.
        unset: fields removed, by item.
        gone: items removed.
        missing: reasons set, by ``"id.field"``.
        found: reasons removed.
    """

    base: Digest8 | None
    digest: Digest8 | None
    as_of_ms: Count
    put: Items = {}
    unset: Annotated[dict[Text, list[str]], Meta(max_length=INVENTORY_ITEMS_MAX)] = {}
    gone: Annotated[list[Text], Meta(max_length=INVENTORY_ITEMS_MAX)] = []
    missing: Reasons = {}
    found: Annotated[list[str], Meta(max_length=INVENTORY_ITEMS_MAX)] = []


class Delta(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="delta"):
    """The change from generation ``base_gen`` to ``gen``; ``digest`` is the node's after it."""

    v: int
    base_gen: Count
    gen: Count
    digest: Digest8
    sections: Annotated[dict[Text, SectionDelta], Meta(max_length=INVENTORY_SECTIONS_MAX)]


InventoryDocument = SnapshotPart | Delta
