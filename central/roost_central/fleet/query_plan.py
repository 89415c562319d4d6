"""Says where each part of a query is answered, and in which order. Pure.

A query that asks the inventory is answered in up to three steps: what the fleet in memory knows,
what the index of starred fields knows, and what only the documents of the nodes that are left say.
"""

from dataclasses import dataclass
from enum import StrEnum

from roost_central.fleet.fields import FieldTable
from roost_central.fleet.query import Query
from roost_central.fleet.query_ast import And, Count, Inventory, Node, conjunction
from roost_central.fleet.query_canonical import canonical
from roost_central.fleet.query_items import class_fields, leaves


class Place(StrEnum):
    """Where a part is answered, in the order of the steps."""

    MEMORY = "memory"
    INDEX = "index"
    DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query that must hold, and where it is answered."""

    node: Node
    place: Place

    @property
    def text(self) -> str:
        """Its canonical text."""
        return canonical(self.node)


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts in the order in which they are answered."""

    parts: tuple[Part, ...]

    @property
    def is_slow(self) -> bool:
        """Whether documents are read."""
        return any(part.place is Place.DOCUMENTS for part in self.parts)

    @property
    def before_documents(self) -> Node:
        """The parts that say of which nodes documents are read."""
        return conjunction([part.node for part in self.parts if part.place is not Place.DOCUMENTS])


def plan_of(query: Query) -> Plan:
    """Return the plan of a query."""
    root = query.root
    nodes = root.parts if isinstance(root, And) else (root,)
    parts = [Part(node, _place(node, query.fields)) for node in nodes]
    return Plan(tuple(sorted(parts, key=lambda part: list(Place).index(part.place))))


def is_indexed(leaf: Inventory | Count, fields: FieldTable) -> bool:
    """Whether the index has every field that a part names."""
    where = leaf.items if isinstance(leaf, Count) else leaf
    return not any(field.is_slow for field in class_fields(where, fields).values())


def _place(node: Node, fields: FieldTable) -> Place:
    asked = list(leaves(node))
    if not asked:
        return Place.MEMORY
    fast = all(is_indexed(leaf, fields) for leaf in asked)
    return Place.INDEX if fast else Place.DOCUMENTS
