"""Queries over where something is: by the name and the labels of a site alone. Pure.

Who may see what, and whose a site is, must not come and go with a status: no other field is taken.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from roost_central.fleet.fields import ANY_KEY
from roost_central.fleet.query import Query, QueryError, parse
from roost_central.fleet.query_ast import And, Node, Not, Or, Text
from roost_central.fleet.query_match import Getter

FIELDS: Final = ("site", "label")
NOW_MS: Final = 0  # neither field has to do with time


class Place(Protocol):
    """What a site is called, and its labels."""

    @property
    def site(self) -> str:
        """Its name."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""


def parse_place(text: str, who: str) -> Query:
    """Return a query over places; ``who`` asks, as the refusal names it: ``a tenant``.

    Raises:
        QueryError: no query, or one that asks for more than names and labels.
    """
    query = parse(text)
    if _searches(query.root):
        message = (
            f"a bare word is searched for in many fields: {who}'s query says site: or label.K:"
        )
        raise QueryError("not-here", message, span=(0, len(text)))
    for use in query.uses:
        if use.field.name not in FIELDS and not use.field.is_label:
            message = (
                f'"{use.field.name}" may change by itself: '
                f"{who}'s query takes site and labels only"
            )
            raise QueryError("not-here", message, span=use.span)
    query.require_available("site")
    return query


def place_test(query: Query) -> Callable[[Place], bool]:
    """Return the test of a query that ``parse_place`` returned."""
    test = query.compile(_resolve)
    return lambda place: test(place, NOW_MS)


def _searches(node: Node) -> bool:
    """Say whether a query has a bare word; where it is asked of alarms it would find their text."""
    match node:
        case And(parts) | Or(parts):
            return any(map(_searches, parts))
        case Not(part):
            return _searches(part)
        case _:
            return isinstance(node, Text)


def _resolve(name: str, key: str | None) -> Getter[Place] | None:
    if name == "site":
        return lambda place: place.site
    if name == "label":
        if key == ANY_KEY:
            return lambda place: list(place.labels.values())
        return lambda place: place.labels.get(key or "")
    return None
