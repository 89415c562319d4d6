"""Compiles conditions of the query language to SQLAlchemy expressions.

Twin of fleet/query_match.py; tests/protocol/vectors/query.json holds it to the same answers on
SQLite and on PostgreSQL. How a field is read is a *reader*: given the test of one value it returns
the condition that some known value of the row in question passes.

Invariants: whatever an operator wrote becomes a bound parameter, never text of a statement; no
condition is ever NULL, so that a NOT around it means what it says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import ColumnElement, and_, collate, false, func, literal, not_, or_, true

from roost_central.fleet.fields import ANY_KEY, TEXT_FIELDS, Field, FieldTable
from roost_central.fleet.query_ast import (
    ORDERED_OPS,
    And,
    Comparison,
    Count,
    Inventory,
    Node,
    Not,
    Op,
    Or,
    Text,
)
from roost_central.fleet.query_glob import fold
from roost_central.fleet.query_kinds import KINDS
from roost_central.fleet.query_match import ORDERS
from roost_central.fleet.query_values import duration_ms, size_bytes, time_ms, version_place
from roost_central.storage.tables import without_nul

Condition: TypeAlias = ColumnElement[bool]
ESCAPE: Final = "\\"


@dataclass(frozen=True, slots=True)
class Values:
    """The columns of a value: its text, its number (truth is 0 or 1), a version's place."""

    text: ColumnElement[Any]
    number: ColumnElement[Any]
    place: ColumnElement[Any]


ValueTest: TypeAlias = Callable[[Values], Condition]
Reader: TypeAlias = Callable[[ValueTest], Condition]
Readers: TypeAlias = Callable[[str, str | None], Reader | None]
ItemCondition: TypeAlias = Callable[[Inventory | Count], Condition]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a condition is compiled against; ``lower`` folds ASCII letters only, as globs do."""

    fields: FieldTable
    readers: Readers
    items: ItemCondition
    now_ms: int
    dialect: str


def condition(node: Node, sight: Sight) -> Condition:
    """Return the condition of a tree."""
    match node:
        case And():
            return and_(true(), *(condition(part, sight) for part in node.parts))
        case Or():
            return or_(false(), *(condition(part, sight) for part in node.parts))
        case Not():
            return not_(condition(node.part, sight))
        case Text():
            return _text(node, sight)
        case Comparison():
            return _comparison(node, sight)
        case Inventory() | Count():
            return sight.items(node)
        case _:
            assert_never(node)


def value_test(node: Comparison, field: Field, sight: Sight) -> ValueTest | None:
    """Return the test of a field with one value, as an index can answer it; None: none can.

    A condition of these may be NULL, and stands where that is as good as false.
    """
    asked = [value for value in node.values if value is not None]
    if node.op == "=" and not asked:
        return lambda values: _column(values, field).is_(None)
    if node.op == "!=" or len(asked) < len(node.values):
        return None
    return _test(node, field, asked, sight)


def _text(node: Text, sight: Sight) -> Condition:
    asked = [*((name, None) for name in TEXT_FIELDS), ("label", ANY_KEY)]
    found = (sight.readers(name, key) for name, key in asked)
    return or_(
        false(),
        *(
            reader(lambda values: _like(values.text, f"*{node.text}*", sight))
            for reader in found
            if reader is not None
        ),
    )


def _comparison(node: Comparison, sight: Sight) -> Condition:
    field = sight.fields[node.field]
    some = (
        sight.readers("label", field.name)
        if field.is_label
        else sight.readers(node.field, node.key)
    )
    asks_unknown = node.op == "=" and None in node.values
    if some is None:
        return true() if asks_unknown else false()
    asked = [value for value in node.values if value is not None]
    is_known: ValueTest = lambda values: _column(values, field).is_not(None)  # noqa: E731
    if node.op not in {"=", "!="}:
        return some(_test(node, field, asked, sight))
    equals = some(_test(node, field, asked, sight)) if asked else false()
    if node.op == "!=":
        return and_(some(is_known), not_(equals))
    return or_(equals, not_(some(is_known))) if asks_unknown else equals


def _test(node: Comparison, field: Field, asked: list[str], sight: Sight) -> ValueTest:
    """Return the test of one known value; for ``!=`` the one whether it equals."""
    kind = KINDS[field.kind]
    if node.op == ":":
        if not kind.takes_globs:
            return lambda values: _column(values, field).is_not(None)  # only ``*`` is left
        return lambda values: or_(*(_like(values.text, glob, sight) for glob in asked))
    if node.op in ORDERED_OPS:
        return _order_test(node.op, field, asked[0], sight)
    if str in kind.types:
        return lambda values: values.text.in_(asked)
    operands = [_operand(field, text, sight.now_ms) for text in asked]
    return lambda values: _measured(values, field, sight).in_(operands)


def _order_test(op: Op, field: Field, asked: str, sight: Sight) -> ValueTest:
    """Return the test for an ordered operator."""
    if field.kind == "version":
        place = version_place(asked)
        return lambda values: ORDERS[op](values.place, place)
    if field.choices:
        rank, order = field.choices.index(asked), ORDERS[op]
        fitting = [name for other, name in enumerate(field.choices) if order(other, rank)]
        return lambda values: values.text.in_(fitting)
    operand = _operand(field, asked, sight.now_ms)
    return lambda values: ORDERS[op](_measured(values, field, sight), operand)


def _column(values: Values, field: Field) -> ColumnElement[Any]:
    return values.text if str in KINDS[field.kind].types else values.number


def _measured(values: Values, field: Field, sight: Sight) -> ColumnElement[Any]:
    """Return what is compared: of a moment that time runs from, the time since."""
    return literal(float(sight.now_ms)) - values.number if field.is_since else values.number


def _operand(field: Field, text: str, now_ms: int) -> float:
    """Return what a canonical value is compared as."""
    found: float | None
    match field.kind:
        case "duration":
            found = duration_ms(text)
        case "size":
            found = size_bytes(text)
        case "bool":
            found = text == "true"
        case "time":
            ago = duration_ms(text[1:]) if text.startswith("-") else None
            found = time_ms(text) if ago is None else now_ms - ago
        case _:
            found = float(text)
    return float(found or 0)


def _like(text: ColumnElement[Any], glob: str, sight: Sight) -> Condition:
    """Return whether a text fits a glob, ASCII letters in either case."""
    pattern = without_nul(fold(glob))
    for mark in (ESCAPE, "%", "_"):
        pattern = pattern.replace(mark, ESCAPE + mark)
    pattern = pattern.replace("*", "%").replace("?", "_")
    plain = collate(text, "C") if sight.dialect == "postgresql" else text
    return func.lower(plain).like(pattern, escape=ESCAPE)
