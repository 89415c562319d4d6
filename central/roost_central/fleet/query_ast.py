"""The parsed query: a small tree of frozen nodes, already in its one normal form.

Leaves text to query_parser and query_canonical, and meaning to query_match.

Invariants: an And or Or never holds its own kind and never one part alone (only the empty query is
``And(())``, which holds for everything); a Not never holds a Not; values are canonical texts,
``None`` is null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Op: TypeAlias = Literal[":", "=", "!=", "<", "<=", ">", ">="]
ORDERED_OPS: Final = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class And:
    """Holds when every part holds."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Holds when one part holds."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its part does not; a comparison with null does not hold, so its Not does."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Text:
    """Holds when one of the text fields or a label value contains the glob."""

    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator and the values of which one must fit (for ``!=``: none may)."""

    field: str
    key: str | None  # K of label.K
    op: Op
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Holds when one item of the class fulfils the whole condition."""

    item_class: str
    where: "Node"


@dataclass(frozen=True, slots=True)
class Count:
    """Compares the number of items of a class that fulfil a condition."""

    items: Inventory
    op: Op
    number: int


Node: TypeAlias = And | Or | Not | Text | Comparison | Inventory | Count


def conjunction(parts: Sequence[Node]) -> Node:
    """Return the AND of the parts in normal form."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(parts: Sequence[Node]) -> Node:
    """Return the OR of the parts in normal form."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negation(part: Node) -> Node:
    """Return the NOT of the part in normal form."""
    return part.part if isinstance(part, Not) else Not(part)
