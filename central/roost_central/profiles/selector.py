"""Which nodes a profile is for: a query over what does not change by itself.

That is names, labels, place, and what the machine is made of. A node's settings must not come and
go with its presence or its alarms, nor with what they themselves bring about, so no other field is
taken. Pure.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from roost_central.fleet.fields import ANY_KEY, INVENTORY, REASON, Field
from roost_central.fleet.place import of_labels, parse_steady
from roost_central.fleet.query import Query, QueryError
from roost_central.fleet.query_ast import Count, Inventory
from roost_central.fleet.query_items import comparisons, leaves
from roost_central.fleet.query_match import Getter, Predicate

FIELDS: Final = ("site", "node", "name", "label", "lat", "lon")
OF_A_NODE: Final = ("node", "name", INVENTORY)
NOT_STEADY: Final[Mapping[str, str]] = {  # starred fields that are no reason for settings
    "inv.hugepages.count": "profiles set it",
    "inv.sriov.num_vfs": "profiles set it",
    "inv.nic.speed_mbps": "it follows the other end of the cable",
}
_NOW_MS: Final = 0  # no field has to do with time

Part = Inventory | Count


@dataclass(frozen=True, slots=True)
class Subject:
    """A node as selectors see it."""

    node: str
    site: str
    name: str
    labels: Mapping[str, str]
    lat: float | None = None
    lon: float | None = None
    has_inventory: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What the inventory answers to selectors.

    Attributes:
        holders: the nodes that each part of them holds for.
        unsure: nodes of which something that is asked for cannot be read for now.
    """

    holders: Mapping[Part, Container[str]] = field(default_factory=dict)
    unsure: Container[str] = frozenset()


NOTHING_ASKED: Final = Answers()
Test = Callable[[Subject], bool]
Read = tuple[str, str | None]  # a field and, of labels, the key


@dataclass(frozen=True, slots=True)
class Selector:
    """What a selector holds for, and what it looks at."""

    test: Test
    reads: frozenset[Read]

    @property
    def labels(self) -> frozenset[str] | None:
        """The labels that alone decide; None: other things do as well."""
        keys = [key for name, key in self.reads if name == "label"]
        if len(keys) < len(self.reads) or ANY_KEY in keys:
            return None
        return frozenset(key for key in keys if key is not None)

    @property
    def is_of_sites(self) -> bool:
        """Whether it holds for all nodes of a site or for none."""
        return not any(name in OF_A_NODE for name, _ in self.reads)


def parse_selector(text: str) -> Query:
    """Return the query of a selector.

    Raises:
        QueryError: no query, one of no words, or one over what may change by itself.
    """
    if not text.strip():
        raise QueryError("empty", "a selector says which nodes; for all: fleet = true", span=(0, 0))
    takes = f"a selector takes {', '.join(FIELDS)} and starred fields of the inventory only"
    says = "say site:, node: or label.K:"
    query = parse_steady(text, "node", (*FIELDS, INVENTORY), says, takes)
    for use in query.uses:
        if use.field.name.startswith(INVENTORY) and (why := _not_steady(use.field)):
            raise QueryError("not-here", f'"{use.field.name}": {why}', span=use.span)
    for part in leaves(query.root):
        where = part.items if isinstance(part, Count) else part
        if any(None in each.values for each in comparisons(where.where)):
            message = (
                "null: what is unknown may be known a moment later; a selector asks for values"
            )
            raise QueryError("not-here", message, span=(0, len(text)))
    return query


def _not_steady(asked: Field) -> str:
    """Return why a field of the inventory is no reason for settings; empty: it is one."""
    if asked.name.endswith(f".{REASON}"):
        return "why a value is unknown may change by itself"
    if asked.is_slow:
        return "has no star; a selector takes what is kept one by one (docs/query.md)"
    return NOT_STEADY.get(asked.name, "")


def compile_selector(query: Query, answers: Answers = NOTHING_ASKED) -> Selector:
    """Return the selector of a query that ``parse_selector`` returned.

    A node that told no inventory yet is in none that asks for it, whatever is asked.
    """
    reads: set[Read] = set()

    def items(part: Part) -> Predicate[Subject]:
        holders = answers.holders[part]
        return lambda subject, _now: subject.node in holders

    def resolve(name: str, key: str | None) -> Getter[Subject] | None:
        reads.add((name, key))
        return _resolve(name, key)

    test = query.compile(resolve, items)
    if query.asks_inventory:
        reads.add((INVENTORY, None))
        return Selector(lambda one: one.has_inventory and test(one, _NOW_MS), frozenset(reads))
    return Selector(lambda subject: test(subject, _NOW_MS), frozenset(reads))


def _resolve(name: str, key: str | None) -> Getter[Subject] | None:
    return of_labels(key) if name == "label" else _PLAIN.get(name)


_PLAIN: Final[Mapping[str, Getter[Subject]]] = {
    "site": lambda subject: subject.site,
    "node": lambda subject: subject.node,
    "name": lambda subject: subject.name,
    "lat": lambda subject: subject.lat,
    "lon": lambda subject: subject.lon,
}
