"""Queries over where something is: by the name and the labels of a site alone. Pure.

Who may see what, and whose a site is, must not come and go with a status: no other field is taken.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, Protocol

from roost_central.fleet.fields import ANY_KEY, INVENTORY, Carrier
from roost_central.fleet.query import Query, QueryError, parse
from roost_central.fleet.query_ast import And, Node, Not, Or, Text
from roost_central.fleet.query_match import Getter

FIELDS: Final = ("site", "label")
NOW_MS: Final = 0  # neither field has to do with time


class Labelled(Protocol):
    """What has labels."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""


class Place(Labelled, Protocol):
    """What a site is called, and its labels."""

    @property
    def site(self) -> str:
        """Its name."""


def parse_place(text: str, who: str) -> Query:
    """Return a query over places; ``who`` asks, as the refusal names it: ``a tenant``.

    Raises:
        QueryError: no query, or one that asks for more than names and labels.
    """
    says = f"{who}'s query says site: or label.K:"
    return parse_steady(text, "site", FIELDS, says, f"{who}'s query takes site and labels only")


def parse_steady(
    text: str,
    carrier: Carrier,
    fields: Collection[str],
    says: str,
    takes: str,
) -> Query:
    """Return a query over fields that do not change by themselves.

    Args:
        text: the query.
        carrier: what it is asked of.
        fields: which it may name, beside labels; ``inv.`` stands for all of the inventory.
        says: what to write instead of a bare word, for the refusal.
        takes: which fields it takes, for the refusal.

    Raises:
        QueryError: no query, or one that asks for more.
    """
    query = parse(text)
    if _searches(query.root):
        message = f"a bare word is searched for in many fields: {says}"
        raise QueryError("not-here", message, span=(0, len(text)))
    for use in query.uses:
        name = use.field.name
        is_of_inventory = INVENTORY in fields and name.startswith(INVENTORY)
        if name not in fields and not use.field.is_label and not is_of_inventory:
            message = f'"{name}" may change by itself: {takes}'
            raise QueryError("not-here", message, span=use.span)
    query.require_available(carrier)
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
    return of_labels(key) if name == "label" else None


def of_labels(key: str | None) -> Getter[Labelled]:
    """Return what gives the value of a label, or of all."""
    if key == ANY_KEY:
        return lambda one: list(one.labels.values())
    return lambda one: one.labels.get(key or "")
