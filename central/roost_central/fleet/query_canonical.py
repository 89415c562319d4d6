"""Writes a query tree as its one canonical text.

Leaves the normal form of the tree to query_ast. Invariant: parsing the text gives the same tree
again, and the text is never longer than the one the tree was parsed from, so it keeps every bound.
"""

from typing import assert_never

from roost_central.fleet.query_ast import And, Comparison, Count, Inventory, Node, Not, Or, Text
from roost_central.fleet.query_lexer import NULL, is_bare_text, is_bare_value, quote


def canonical(node: Node) -> str:
    """Return the canonical text of a tree."""
    match node:
        case And():
            text = " ".join(_enclosed(part, Or) for part in node.parts)
        case Or():
            text = " OR ".join(canonical(part) for part in node.parts)
        case Not():
            text = f"!{_enclosed(node.part, (And, Or))}"
        case Text():
            text = node.text if is_bare_text(node.text) else quote(node.text)
        case Comparison():
            text = _comparison(node)
        case Inventory(item_class, Comparison() as where):
            text = f"inv.{item_class}.{_comparison(where)}"
        case Inventory():
            text = _items(node)
        case Count():
            text = f"count({_items(node.items)}){node.op}{node.number}"
        case _:
            assert_never(node)
    return text


def _enclosed(node: Node, loose: type[Node] | tuple[type[Node], ...]) -> str:
    """Return the text of a part, in parentheses where it would bind too loosely."""
    return f"({canonical(node)})" if isinstance(node, loose) else canonical(node)


def _items(node: Inventory) -> str:
    """Return inv.CLASS{..}, between whose braces an OR needs parentheses."""
    return f"inv.{node.item_class}{{{_enclosed(node.where, Or)}}}"


def _comparison(node: Comparison) -> str:
    """Return field, operator and values."""
    name = node.field if node.key is None else f"{node.field}.{node.key}"
    return f"{name}{node.op}{','.join(map(_value, node.values))}"


def _value(value: str | None) -> str:
    """Return one value; null is bare and the text "null" is not."""
    if value is None:
        return NULL
    return value if is_bare_value(value) and value != NULL else quote(value)
