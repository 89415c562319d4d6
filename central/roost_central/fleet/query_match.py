"""Compiles a query tree to one closure over objects.

Leaves to the objects how a field is read: the closure reads through a *resolver*, which is asked
once per field at compile time. What may stand in a field is told by its kind (query_kinds.py); a
list holds when one of its values does, for ``!=`` when none equals; an empty list, null and a value
of another type are unknown.

Invariant: a comparison with an unknown value is false, except ``=null``.
"""

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, Final, Protocol, TypeAlias, TypeVar, assert_never, cast

from roost_central.fleet.fields import ANY_KEY, TEXT_FIELDS, Field, FieldTable
from roost_central.fleet.query_ast import (
    ORDERED_OPS,
    And,
    Comparison,
    Count,
    Inventory,
    Node,
    Not,
    Or,
    Text,
)
from roost_central.fleet.query_glob import compile_glob
from roost_central.fleet.query_kinds import KINDS
from roost_central.fleet.query_values import duration_ms, size_bytes, time_ms, version_key

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | list[Scalar | None] | tuple[Scalar | None, ...] | None
T = TypeVar("T")
Getter: TypeAlias = Callable[[T], Value]
Resolver: TypeAlias = Callable[[str, str | None], Getter[T] | None]
Predicate: TypeAlias = Callable[[T, int], bool]

ItemTest: TypeAlias = Callable[[Inventory | Count], Predicate[T]]

_Test: TypeAlias = Callable[[Scalar], bool]  # of one known value of the field's kind
_TestAt: TypeAlias = Callable[[Scalar, int], bool]  # the same, where it depends on now
_Order: TypeAlias = Callable[..., Any]  # of columns it is a condition

_LISTS: Final = (list, tuple)  # built once: `list | tuple` in the hot path would be each time
ORDERS: Final[dict[str, _Order]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Queryable(Protocol):
    """An object that a query can be asked about."""

    def field(self, name: str, key: str | None) -> Value:
        """Return a field's value, None when unknown or when this object has no such field.

        ``key`` is K of ``label.K`` and ``path.K`` and None elsewhere; for ``*`` the answer is the
        list of all values. A shortcut such as ``region`` arrives as ``("label", "region")``.
        Units: fields.py. The inventory is asked for as query_items.py says.
        """


def by_method(name: str, key: str | None) -> Getter[Queryable]:
    """Resolve a field through the object's own ``field`` method."""
    return lambda obj: obj.field(name, key)


def compile_node(
    node: Node, fields: FieldTable, resolver: Resolver[T], items: ItemTest[T]
) -> Predicate[T]:
    """Return the test of an object at a time (ms since 1970); ``items`` makes the inventory's."""
    match node:
        case And():
            return reduce(_both, _parts(node, fields, resolver, items) or [_always])
        case Or():
            return reduce(_either, _parts(node, fields, resolver, items))
        case Not():
            return _not(compile_node(node.part, fields, resolver, items))
        case Text():
            return _text(node, resolver)
        case Comparison():
            return _comparison(node, fields[node.field], resolver)
        case Inventory() | Count():
            return items(node)
        case _:
            assert_never(node)


def _parts(
    node: And | Or, fields: FieldTable, resolver: Resolver[T], items: ItemTest[T]
) -> list[Predicate[T]]:
    """Return the tests of the parts, the dear ones, which read every text of an object, last."""
    cheap_first = sorted(node.parts, key=lambda part: isinstance(part, Text))
    return [compile_node(part, fields, resolver, items) for part in cheap_first]


def _always(_obj: object, _now: int) -> bool:
    """Hold: what the query without terms means."""
    return True


def _both(first: Predicate[T], second: Predicate[T]) -> Predicate[T]:
    """Return the AND of two tests; a chain of these is faster than a loop."""
    return lambda obj, now: first(obj, now) and second(obj, now)


def _either(first: Predicate[T], second: Predicate[T]) -> Predicate[T]:
    """Return the OR of two tests."""
    return lambda obj, now: first(obj, now) or second(obj, now)


def _not(test: Predicate[T]) -> Predicate[T]:
    """Return the NOT of the test."""
    return lambda obj, now: not test(obj, now)


def _text(node: Text, resolver: Resolver[T]) -> Predicate[T]:
    """Return the test whether a text field or a label value contains the glob."""
    glob = compile_glob(f"*{node.text}*")
    asked = [*((name, None) for name in TEXT_FIELDS), ("label", ANY_KEY)]
    found = (resolver(name, key) for name, key in asked)
    getters = [getter for getter in found if getter is not None]

    def contains(obj: T, _now: int) -> bool:
        for getter in getters:
            value = getter(obj)
            if isinstance(value, str):
                if glob(value):
                    return True
            elif isinstance(value, _LISTS):
                for one in value:
                    if isinstance(one, str) and glob(one):
                        return True
        return False

    return contains


def _comparison(node: Comparison, field: Field, resolver: Resolver[T]) -> Predicate[T]:
    """Return the test of one field."""
    getter = resolver("label", field.name) if field.is_label else resolver(node.field, node.key)
    if_unknown = node.op == "=" and None in node.values
    if getter is None:
        return lambda _obj, _now: if_unknown
    answer = _answer(node, field, if_unknown=if_unknown)
    if field.is_since or field.kind == "time":
        test_at = _time_test(node, field)
        return lambda obj, now: answer(getter(obj), lambda value: test_at(value, now))
    test = _value_test(node, field)
    usual = KINDS[field.kind].types[0]

    def compare(obj: T, _now: int) -> bool:
        value = getter(obj)
        if value.__class__ is usual:  # this and None are nearly every value of every object
            return test(value)  # type: ignore[arg-type] # its class was just looked at
        return if_unknown if value is None else answer(value, test)

    return compare


def _answer(node: Comparison, field: Field, *, if_unknown: bool) -> Callable[[Value, _Test], bool]:
    """Return what applies a test to whatever an object answered: a list, null, another type."""
    types = KINDS[field.kind].types
    takes_bool = bool in types
    combine = all if node.op == "!=" else any

    def answer(value: Value, test: _Test) -> bool:
        known = [
            one
            for one in (value if isinstance(value, _LISTS) else (value,))
            if one is not None
            and isinstance(one, types)
            and (takes_bool or not isinstance(one, bool))
        ]
        return combine(map(test, known)) if known else if_unknown

    return answer


def _value_test(node: Comparison, field: Field) -> _Test:
    """Return the test of a known value."""
    asked = [value for value in node.values if value is not None]
    if node.op == ":":
        return _glob_test(asked, takes_globs=KINDS[field.kind].takes_globs)
    if node.op in ORDERED_OPS:
        return _order_test(ORDERS[node.op], field, asked[0])
    operands = frozenset(_operand(field, text) for text in asked)
    return operands.__contains__ if node.op == "=" else lambda value: value not in operands


def _time_test(node: Comparison, field: Field) -> _TestAt:
    """Return the test of a moment, which moves with now in ``age>1h`` and ``at>-1h``."""
    if field.is_since:
        test = _value_test(node, field)
        return lambda value, now: test(now - value)  # type: ignore[operator] # a number, by kind
    if node.op == ":":
        return lambda _value, _now: True  # only ``*`` is left: any known value
    moments = [_moment(value) for value in node.values if value is not None]
    wanted = node.op != "!="
    order = ORDERS[node.op if wanted else "="]
    return lambda value, now: any(order(value, moment(now)) for moment in moments) is wanted


def _glob_test(patterns: list[str], *, takes_globs: bool) -> _Test:
    """Return the test for ``:``; a kind without globs knows only ``*``: any known value."""
    if not takes_globs:
        return lambda _value: True
    globs = cast("list[_Test]", [compile_glob(pattern) for pattern in patterns])
    return globs[0] if len(globs) == 1 else lambda value: any(glob(value) for glob in globs)


def _order_test(order: _Order, field: Field, text: str) -> _Test:
    """Return the test for an ordered operator."""
    if field.kind == "version":
        version = version_key(text)
        return lambda value: order(version_key(cast("str", value)), version)
    if field.choices:
        ranks = {choice: rank for rank, choice in enumerate(field.choices)}
        fitting = frozenset(name for name, rank in ranks.items() if order(rank, ranks[text]))
        return fitting.__contains__
    operand = _operand(field, text)
    return lambda value: order(value, operand)


def _operand(field: Field, text: str) -> Scalar | None:
    """Return what a canonical value is compared as."""
    match field.kind:
        case "number":
            return float(text)
        case "duration":
            return duration_ms(text)
        case "size":
            return size_bytes(text)
        case "bool":
            return text == "true"
        case _:
            return text


def _moment(text: str) -> Callable[[int], int | None]:
    """Return the moment a time stands for, given now; ``-24h`` moves with it."""
    if text.startswith("-"):
        ago = duration_ms(text[1:]) or 0
        return lambda now: now - ago
    ms = time_ms(text)
    return lambda _now: ms
