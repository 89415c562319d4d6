"""Finds the nodes for which a part of a query holds: by the index, or by reading documents.

Leaves to the caller of which nodes documents are read: it knows what else the query asks.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.fleet.fields import ITEM_ID, REASON, FieldTable
from roost_central.fleet.query_ast import And, Comparison, Count, Inventory, conjunction
from roost_central.fleet.query_items import class_fields, comparisons, is_of_class, item_test
from roost_central.fleet.query_match import ORDERS, compile_node
from roost_central.fleet.query_plan import is_indexed
from roost_central.inventory.facts import Items, Reasons
from roost_central.inventory.index import CLASS_EMPTY, NO_ITEM
from roost_central.storage import inventory, tables
from roost_central.storage.inventory_query import InventoryQuery

FOR_NOW: Final = frozenset(  # reasons that may be gone at the next probe, with nothing changed
    {"asleep", "busy", "io-error", "probe-error", "timeout"}
)
NODES_AT_ONCE: Final = 200  # documents of so many are decoded between two turns of the loop: 10 ms

Leaf = Inventory | Count
_Test = Callable[[Items, Reasons], bool]


@dataclass(frozen=True, slots=True)
class Holders:
    """The nodes for which a part holds; where ``others``, all but these."""

    nodes: frozenset[str]
    others: bool = False

    def __contains__(self, node: object) -> bool:
        return (node in self.nodes) is not self.others


def statement(
    leaf: Leaf, fields: FieldTable, *, now_ms: int, dialect: str
) -> tuple[Select[Any], bool]:
    """Return what is asked of the index, and whether the answer is all other nodes."""
    query = InventoryQuery(tables.inventory_value, fields, now_ms=now_ms, dialect=dialect)
    if isinstance(leaf, Count):
        return query.counted(leaf)
    return query.of_class(leaf) if is_of_class(leaf) else (query.nodes(leaf), False)


async def by_index(
    connection: AsyncConnection,
    leaf: Leaf,
    fields: FieldTable,
    now_ms: int,
    within: Collection[str] | None = None,
) -> Holders:
    """Return the nodes of a part whose fields are all in the index.

    Of ``within``, inventory.NODES_MAX nodes at most, where only those are asked for.
    """
    asked, others = statement(leaf, fields, now_ms=now_ms, dialect=connection.dialect.name)
    if within is not None:
        asked = asked.where(asked.selected_columns[0].in_(sorted(within)))
    found = await connection.execute(asked)
    return Holders(frozenset(found.scalars()), others)


async def unsure(
    connection: AsyncConnection, leaf: Leaf, within: Collection[str] | None = None
) -> frozenset[str]:
    """Return the nodes where something that a part asks for cannot be read for now.

    Of ``within``, as ``by_index``.
    """
    where, c = leaf.items if isinstance(leaf, Count) else leaf, tables.inventory_value.c
    names = {each.field for each in comparisons(where.where)}
    reasons = [f"{name}.{REASON}" for name in sorted(names - {ITEM_ID})]
    is_of_class = and_(c.item == NO_ITEM, c.field == REASON)
    asked = select(c.node).where(
        c["class"] == where.item_class,
        or_(is_of_class, c.field.in_(reasons)),
        c.text.in_(sorted(FOR_NOW)),
    )
    if within is not None:
        asked = asked.where(c.node.in_(sorted(within)))
    return frozenset((await connection.execute(asked)).scalars())


async def by_documents(
    connection: AsyncConnection,
    leaf: Leaf,
    fields: FieldTable,
    now_ms: int,
    within: Collection[str],
) -> Holders:
    """Return which of some nodes a part holds for; the index narrows them first where it can."""
    where = leaf.items if isinstance(leaf, Count) else leaf
    hint = _indexed_part(where, fields)
    if hint is not None and not (isinstance(leaf, Count) and ORDERS[leaf.op](0, leaf.number)):
        narrowed = await by_index(connection, hint, fields, now_ms)
        within = [node for node in within if node in narrowed]
    test = _test(leaf, fields, now_ms)
    found: list[str] = []
    left = iter(within)
    while some := list(islice(left, NODES_AT_ONCE)):
        kept = await inventory.bodies(connection, where.item_class, some)
        found += [node for node in some if test(*kept.get(node, ({}, {})))]
    return Holders(frozenset(found))


def _indexed_part(node: Inventory, fields: FieldTable) -> Inventory | None:
    """Return what must hold of an item by the index alone, None: nothing that it knows."""
    parts = node.where.parts if isinstance(node.where, And) else (node.where,)
    kept = [
        part
        for part in parts
        if isinstance(part, Comparison) and is_indexed(Inventory(node.item_class, part), fields)
    ]
    return Inventory(node.item_class, conjunction(kept)) if kept else None


def _test(leaf: Leaf, fields: FieldTable, now_ms: int) -> _Test:
    """Return the test of a section."""
    where = leaf.items if isinstance(leaf, Count) else leaf
    if is_of_class(where):
        of_class = compile_node(
            where.where, class_fields(where, fields), lambda _name, _key: _empty_reason, _never
        )
        return lambda _items, missing: of_class(missing, now_ms)
    test, view = item_test(where, fields), item_view(where)
    if isinstance(leaf, Count):
        order, number = ORDERS[leaf.op], leaf.number
        return lambda items, missing: order(
            sum(test(view(item, items, missing), now_ms) for item in items), number
        )
    return lambda items, missing: any(test(view(item, items, missing), now_ms) for item in items)


def _empty_reason(missing: Mapping[str, str]) -> str | None:
    return missing.get(CLASS_EMPTY)


def _never(node: Leaf) -> Any:  # noqa: ANN401 - what compile_node asks for
    raise AssertionError(node)


def item_view(node: Inventory) -> Callable[[str, Items, Reasons], Mapping[str, Any]]:
    """Return what makes of an item the mapping that its condition reads: the fields it names."""
    names = {each.field for each in comparisons(node.where)}
    plain = [name for name in names if "." not in name and name != ITEM_ID]
    reasons = [name for name in names if "." in name]
    ending = f".{REASON}"

    def view(item: str, items: Items, missing: Reasons) -> Mapping[str, Any]:
        fields = items[item]
        seen: dict[str, Any] = {name: fields.get(name) for name in plain}
        seen[ITEM_ID] = item
        for name in reasons:
            seen[name] = missing.get(f"{item}.{name.removesuffix(ending)}")
        return seen

    return view
