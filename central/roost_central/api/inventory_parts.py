"""Parts of the fleet: found by what is written on them, followed from node to node, compared."""

import re
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from roost_central.api.answers import Time
from roost_central.api.call import Call
from roost_central.api.instants import instant
from roost_central.api.moments import moment
from roost_central.api.problem import ApiError
from roost_central.fleet.fields import FIELDS
from roost_central.fleet.query import parse
from roost_central.fleet.query_ast import Inventory
from roost_central.inventory import history
from roost_central.inventory.compare import compare
from roost_central.storage import inventory_index, tables
from roost_central.storage.inventory import ChangeRecord
from roost_central.storage.inventory_index import FOUND_MAX, Hit
from roost_central.storage.inventory_query import InventoryQuery
from roost_protocol.inventory import Value

TEXT_CHARS_MAX: Final = 512  # the same bound as a value's
CHANGES_MAX: Final = 10_000  # of one comparison
CAME, WENT, CHANGED = "came", "went", "changed"
_PCI_ID: Final = re.compile(r"(?:0x)?([0-9a-f]{4}):(?:0x)?([0-9a-f]{4})")

Text = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS_MAX)]


class SearchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written on the part that is sought."""

    text: Annotated[Text, Meta(description="serial, MAC, WWN, PCI id, firmware, package")]


class PartHit(msgspec.Struct, frozen=True, rename={"item_class": "class"}):
    """Where it stands: a field of an item of a node; ``id`` is the item's key."""

    node: str
    site: str
    item_class: str
    item: str
    field: str
    value: str


class PartHits(msgspec.Struct, frozen=True):
    """What was found; ``more``: there is more than is shown, ask a query."""

    items: list[PartHit]
    more: bool


class PartQuery(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"item_class": "class"}
):
    """Which part: its class and its key."""

    item_class: Text
    item: Text


class PartStep(msgspec.Struct, frozen=True):
    """A part came to a node, went from it, or was changed in it."""

    at: Time | None
    node: str
    what: str
    field: str
    old: Value
    new: Value


class PartAnswer(msgspec.Struct, frozen=True, rename={"item_class": "class"}):
    """Where a part is now, and its life in the fleet, newest first."""

    item_class: str
    item: str
    nodes: list[str]
    steps: list[PartStep]


class CompareQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two inventories: of two nodes, or of one at two moments; a moment that is empty is now."""

    a: Text
    b: Text
    a_at: Annotated[str, Meta(max_length=40)] = ""
    b_at: Annotated[str, Meta(max_length=40)] = ""
    section: Annotated[str, Meta(max_length=2_048, description="a,b")] = ""


class Difference(msgspec.Struct, frozen=True):
    """One field that differs; null where it is not there."""

    section: str
    item: str
    field: str
    a: Value
    b: Value


class InventoryComparison(msgspec.Struct, frozen=True):
    """What differs; ``more``: there is more than is shown, name sections."""

    items: list[Difference]
    more: bool


async def search(call: Call[SearchQuery, None]) -> PartHits:
    """GET /api/v1/inventory/search."""
    text, nodes = call.query.text.strip(), call.api.view.nodes
    async with call.api.database.read() as connection:
        hits = await inventory_index.find_text(connection, {text, text.lower(), text.upper()})
        leaf = _pci_query(text)
        if leaf is not None:
            dialect = connection.dialect.name
            query = InventoryQuery(
                tables.inventory_value, FIELDS, now_ms=call.now_ms, dialect=dialect
            )
            found = await connection.execute(query.items(leaf).limit(FOUND_MAX))
            hits += [Hit(node, "pci", item, "device_id", text) for node, item in found]
    return PartHits(
        items=[
            PartHit(hit.node, nodes[hit.node].site, hit.item_class, hit.item, hit.field, hit.value)
            for hit in hits
            if hit.node in nodes
        ],
        more=len(hits) >= FOUND_MAX,
    )


def _pci_query(text: str) -> Inventory | None:
    """Return the condition of a PCI id such as 8086:1592, None for anything else."""
    found = _PCI_ID.fullmatch(text.lower())
    if found is None:
        return None
    root = parse(f"inv.pci{{vendor_id={found[1]} device_id={found[2]}}}").root
    return root if isinstance(root, Inventory) else None


async def show_part(call: Call[PartQuery, None]) -> PartAnswer:
    """GET /api/v1/inventory/part."""
    asked, seen = call.query, call.api.view.nodes
    async with call.api.database.read() as connection:
        nodes = await inventory_index.holders(connection, asked.item_class, asked.item)
        records = await inventory_index.life(connection, asked.item_class, asked.item)
    nodes = [node for node in nodes if node in seen]
    steps = _steps([record for record in records if record.node in seen])
    if not nodes and not steps:
        detail = f"no node has or had {asked.item[:80]!r} in {asked.item_class[:64]!r}"
        raise ApiError("not-found", detail)
    return PartAnswer(asked.item_class, asked.item, nodes, steps)


def _steps(records: list[ChangeRecord]) -> list[PartStep]:
    """Return the life of a part, newest first; that it came or went is one step."""
    groups: dict[tuple[int, str, int], list[ChangeRecord]] = {}
    for record in reversed(records):
        groups.setdefault((record.at_ms, record.node, record.gen), []).append(record)
    is_there: dict[str, bool] = {}  # by node, as far as it is known by then
    steps: list[PartStep] = []
    for (at_ms, node, _), group in groups.items():
        what = _what(group, is_there.get(node))
        is_there[node] = what != WENT
        told = group if what == CHANGED else [None]
        steps += [_step(at_ms, node, what, record) for record in told]
    return steps[::-1]


def _what(group: list[ChangeRecord], is_there: bool | None) -> str:
    """Return what happened to a part, by all that changed of it at once.

    Of one field alone nobody can tell whether the part came or the field; a part has several.
    """
    is_whole = len(group) > 1 or not group[0].field
    if all(record.old is UNSET for record in group) and not is_there:
        return CAME if is_whole or is_there is False else CHANGED
    if all(record.new is UNSET for record in group) and is_whole:
        return WENT
    return CHANGED


def _step(at_ms: int, node: str, what: str, record: ChangeRecord | None) -> PartStep:
    if record is None:
        return PartStep(instant(at_ms), node, what, "", None, None)
    old, new = _null(record.old), _null(record.new)
    return PartStep(instant(at_ms), node, what, record.field, old, new)


async def compare_nodes(call: Call[CompareQuery, None]) -> InventoryComparison:
    """GET /api/v1/inventory/compare."""
    asked = call.query
    wanted = {name for name in asked.section.split(",") if name}
    both = []
    async with call.api.database.read() as connection:
        for field, node, text in (("a", asked.a, asked.a_at), ("b", asked.b, asked.b_at)):
            if node not in call.api.view.nodes:
                raise ApiError("not-found", f"there is no node {node[:80]!r}")
            at_ms = moment(text, f"{field}_at", call.now_ms)
            both.append(await history.at(connection, node, at_ms))
    old, new = (
        {name: each for name, each in sections.items() if not wanted or name in wanted}
        for sections in both
    )
    found = compare(old, new, by_place=asked.a != asked.b)
    return InventoryComparison(
        items=[
            Difference(each.section, each.item, each.field, _null(each.old), _null(each.new))
            for each in found[:CHANGES_MAX]
        ],
        more=len(found) > CHANGES_MAX,
    )


def _null(value: Value | UnsetType) -> Value:
    return None if isinstance(value, UnsetType) else value
