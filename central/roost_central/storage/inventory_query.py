"""Compiles the inventory's part of a query to statements over the index of starred fields.

The index holds one row for each starred field of each item (inventory/index.py). A statement is
driven by one of them, the *anchor*: a condition that must hold, where there is one, so that the
index finds its rows; the other fields of the item are looked up by key.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, select
from sqlalchemy.sql.expression import FromClause

from roost_central.fleet.fields import INVENTORY, ITEM_ID, FieldTable
from roost_central.fleet.query_ast import And, Comparison, Count, Inventory, Node
from roost_central.fleet.query_items import class_fields, comparisons
from roost_central.fleet.query_match import ORDERS
from roost_central.inventory.index import NO_ITEM
from roost_central.storage.query_sql import (
    Condition,
    Reader,
    Sight,
    Values,
    ValueTest,
    condition,
    value_test,
)

_SELECTIVE: Final = ("=", "<", "<=", ">", ">=", ":")  # the best anchors first


class InventoryQuery:
    """Makes the statements for one moment, against one table of values.

    Args:
        table: columns node, class, item, field, text, number, place.
        fields: the field table.
        now_ms: UTC of the request.
        dialect: SQLAlchemy's name of it.
    """

    def __init__(self, table: FromClause, fields: FieldTable, *, now_ms: int, dialect: str) -> None:
        self._table = table
        self._fields = fields
        self._now_ms = now_ms
        self._dialect = dialect

    def nodes(self, node: Inventory) -> Select[Any]:
        """Return the statement for the nodes one of whose items fulfils a condition."""
        row, where = self._items(node)
        return select(row.c.node).where(where).distinct()

    def items(self, node: Inventory) -> Select[Any]:
        """Return the statement for the items that fulfil a condition, each with its node."""
        row, where = self._items(node)
        return select(row.c.node, row.c.item).where(where)

    def counted(self, node: Count) -> tuple[Select[Any], bool]:
        """Return the statement of a count, and whether the answer is all *other* nodes.

        A node without such an item is in no row: where none is enough, those are asked for that
        have a wrong number.
        """
        row, where = self._items(node.items)
        number = func.count()
        fits = ORDERS[node.op](number, node.number)
        is_inverted = ORDERS[node.op](0, node.number)
        statement = select(row.c.node).where(where).group_by(row.c.node)
        return statement.having(~fits if is_inverted else fits), is_inverted

    def of_class(self, node: Inventory) -> tuple[Select[Any], bool]:
        """Return the statement of ``inv.CLASS.reason``, and whether it is all *other* nodes."""
        row = self._table.alias()
        (comparison,) = comparisons(node.where)
        here = and_(
            row.c["class"] == node.item_class,
            row.c.item == NO_ITEM,
            row.c.field == comparison.field,
        )
        asks_unknown = comparison.op == "=" and None in comparison.values
        sight = self._sight(node, lambda _name: lambda test: test(_values(row)))
        holds = condition(comparison, sight)
        statement = select(row.c.node).where(here)
        return statement.where(~holds if asks_unknown else holds), asks_unknown

    def _items(self, node: Inventory) -> tuple[FromClause, Condition]:
        """Return the rows of the anchor, and the condition that their items fulfil all of it."""
        row = self._table.alias()
        parts = node.where.parts if isinstance(node.where, And) else (node.where,)
        fields = class_fields(node, self._fields)
        anchor = _anchor(parts, node.item_class, self._fields)
        of_anchor = lambda test: func.coalesce(test(_values(row)), false())  # noqa: E731

        def reader(name: str) -> Reader:
            if name == ITEM_ID:
                return lambda test: test(_of_text(row.c.item))
            if name == anchor:
                return of_anchor
            return lambda test: self._exists(row, node.item_class, name, test)

        sight = self._sight(node, reader)
        conditions: list[Condition] = []
        for part in parts:
            test = None
            if isinstance(part, Comparison) and part.field == anchor:
                test = value_test(part, fields[part.field], sight)
            # NULL does no harm at this level, and a plain comparison can use the index.
            conditions.append(condition(part, sight) if test is None else test(_values(row)))
        return row, and_(
            row.c["class"] == node.item_class,
            row.c.field == anchor,
            row.c.item != NO_ITEM,
            *conditions,
        )

    def _exists(
        self, row: FromClause, item_class: str, name: str, test: ValueTest
    ) -> ColumnElement[bool]:
        other = self._table.alias()
        return (
            select(literal(1))
            .where(
                other.c.node == row.c.node,
                other.c["class"] == item_class,
                other.c.item == row.c.item,
                other.c.field == name,
                test(_values(other)),
            )
            .exists()
        )

    def _sight(self, node: Inventory, reader: Callable[[str], Reader]) -> Sight:
        return Sight(
            fields=class_fields(node, self._fields),
            readers=lambda name, _key: reader(name),
            items=_no_items,
            now_ms=self._now_ms,
            dialect=self._dialect,
        )


def _anchor(parts: tuple[Node, ...], item_class: str, fields: FieldTable) -> str:
    """Return the field whose rows drive the statement."""
    found = [
        part
        for part in parts
        if isinstance(part, Comparison)
        and part.op in _SELECTIVE
        and None not in part.values
        and "." not in part.field
        and part.field != ITEM_ID
    ]
    if found:  # people write the general first: of a vendor and a device, the device
        return min(reversed(found), key=lambda part: _SELECTIVE.index(part.op)).field
    plain = [each.field for part in parts for each in comparisons(part)]
    named = [name for name in plain if "." not in name and name != ITEM_ID]
    return named[0] if named else _first_field(item_class, fields)


def _first_field(item_class: str, fields: FieldTable) -> str:
    """Return a field that every item of a class has a row of."""
    prefix = f"{INVENTORY}{item_class}."
    names = (
        name.removeprefix(prefix)
        for name, field in fields.items()
        if name.startswith(prefix) and not field.is_slow
    )
    return next((name for name in names if name != ITEM_ID), ITEM_ID)


def _values(row: FromClause) -> Values:
    return Values(row.c.text, row.c.number, row.c.place)


def _of_text(text: ColumnElement[Any]) -> Values:
    return Values(text, literal(None), literal(None))


def _no_items(node: Inventory | Count) -> Condition:
    raise AssertionError(node)
