"""Compiles the inventory's part of a query for objects that carry their items with them.

Such an object answers ``("inv", CLASS)`` with the list of its items, each a mapping of its fields,
its ``id`` and ``FIELD.reason`` among them, and ``("inv.reason", CLASS)`` with why the class is
empty. Where the items lie in a database, storage/query_sql.py and inventory/search.py take this
file's place.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from roost_central.fleet.fields import REASON, Field, FieldTable, inventory_field
from roost_central.fleet.query_ast import And, Comparison, Count, Inventory, Node, Not, Or
from roost_central.fleet.query_error import QueryError
from roost_central.fleet.query_match import (
    ORDERS,
    Getter,
    ItemTest,
    Predicate,
    Resolver,
    compile_node,
)

T = TypeVar("T")
Item = Mapping[str, Any]

OF_ITEMS: Final = "inv"
OF_CLASS: Final = "inv.reason"


def carried(fields: FieldTable, resolver: Resolver[T]) -> ItemTest[T]:
    """Return the tests for objects that carry their items.

    A test's making raises QueryError ``not-here`` where the resolver knows of no items.
    """

    def test(node: Inventory | Count) -> Predicate[T]:
        if isinstance(node, Count):
            return _count(node, fields, _getter(resolver, OF_ITEMS, node.items.item_class))
        if is_of_class(node):
            get = _getter(resolver, OF_CLASS, node.item_class)
            return compile_node(
                node.where, class_fields(node, fields), lambda _name, _key: get, no_items
            )
        return _any_item(node, fields, _getter(resolver, OF_ITEMS, node.item_class))

    return test


def is_of_class(node: Inventory) -> bool:
    """Whether this is ``inv.CLASS.reason``, which is asked of the class and not of its items."""
    return isinstance(node.where, Comparison) and node.where.field == REASON


def item_test(node: Inventory, fields: FieldTable) -> Predicate[Item]:
    """Return the test of one item."""
    return compile_node(
        node.where, class_fields(node, fields), lambda name, _key: _reader(name), no_items
    )


def class_fields(node: Inventory, fields: FieldTable) -> dict[str, Field]:
    """Return the fields that a condition names, under the names it gives them."""
    named = {each.field for each in comparisons(node.where)}
    found = {name: inventory_field(node.item_class, name, fields) for name in named}
    return {name: field for name, field in found.items() if field is not None}


def comparisons(node: Node) -> Iterator[Comparison]:
    """Yield every comparison of a condition on items."""
    match node:
        case Comparison():
            yield node
        case And() | Or():
            for part in node.parts:
                yield from comparisons(part)
        case Not():
            yield from comparisons(node.part)
        case _:
            raise AssertionError(node)  # the parser lets nothing else stand inside braces


def leaves(node: Node) -> Iterator[Inventory | Count]:
    """Yield every part of a query that asks the inventory."""
    match node:
        case Inventory() | Count():
            yield node
        case And() | Or():
            for part in node.parts:
                yield from leaves(part)
        case Not():
            yield from leaves(node.part)
        case _:
            pass


def no_items(node: Inventory | Count) -> Predicate[Any]:
    """Refuse to ask an item for items; the parser keeps that out."""
    raise AssertionError(node)


def _getter(resolver: Resolver[T], name: str, item_class: str) -> Getter[T]:
    found = resolver(name, item_class)
    if found is None:
        message = f'"inv.{item_class}" is a field of lists: the inventory is not at hand here'
        raise QueryError("not-here", message, span=(0, 0))
    return found


def _reader(name: str) -> Getter[Item]:
    return lambda item: item.get(name)


def _any_item(node: Inventory, fields: FieldTable, get: Callable[[T], Any]) -> Predicate[T]:
    test = item_test(node, fields)
    return lambda obj, now: any(test(item, now) for item in get(obj) or ())


def _count(node: Count, fields: FieldTable, get: Callable[[T], Any]) -> Predicate[T]:
    test, order, number = item_test(node.items, fields), ORDERS[node.op], node.number
    return lambda obj, now: order(sum(test(item, now) for item in get(obj) or ()), number)
