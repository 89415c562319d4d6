"""The fleet's one query language: parse text, write it canonically, ask it of objects.

Design: console.md section 6; the same language runs in the browser (static/app/query.js) and both
are held to tests/protocol/vectors/query.json. Leaves SQL to storage and the sentences around an
error to whoever shows it.

Example:
    >>> query = parse('region:r0* status>=degraded')
    >>> down = [site for site in sites if query.match(site, now_ms)]

Invariants: ``parse`` raises QueryError and nothing else; ``parse(q.canonical()) == q``; a query
that names a field outside this release raises, it never quietly matches nothing.
"""

from roost_central.fleet.fields import FIELDS, Carrier, FieldTable
from roost_central.fleet.query_ast import Node
from roost_central.fleet.query_canonical import canonical
from roost_central.fleet.query_error import QueryError
from roost_central.fleet.query_items import carried, leaves
from roost_central.fleet.query_match import (
    ItemTest,
    Predicate,
    Queryable,
    Resolver,
    T,
    by_method,
    compile_node,
)
from roost_central.fleet.query_parser import Use, parse_query

__all__ = ["FIELDS", "Query", "QueryError", "Queryable", "parse"]


def parse(text: str, fields: FieldTable = FIELDS) -> "Query":
    """Parse query text; blank text is the query that holds for everything.

    Raises:
        QueryError: not a query, an unknown field, a value that its field does not take, or one of
            the bounds of query_error.py passed.
    """
    root, uses = parse_query(text, fields)
    return Query(root, uses, fields)


class Query:
    """A parsed query; equal to another when their trees are."""

    __slots__ = ("_test", "fields", "root", "uses")

    def __init__(self, root: Node, uses: tuple[Use, ...], fields: FieldTable) -> None:
        self.root = root
        self.uses = uses
        self.fields = fields
        self._test: Predicate[Queryable] | None = None

    def __eq__(self, other: object) -> bool:
        return self.root == other.root if isinstance(other, Query) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.root)

    def __repr__(self) -> str:
        return f"parse({self.canonical()!r})"

    def canonical(self) -> str:
        """Return the one text of this query, never longer than the one it was parsed from."""
        return canonical(self.root)

    def match(self, obj: Queryable, now_ms: int) -> bool:
        """Whether the query holds for an object; ``now_ms`` is UTC since 1970.

        Raises:
            QueryError: not-yet, as ``require_available``.
        """
        if self._test is None:
            self._test = self.compile(by_method)
        return self._test(obj, now_ms)

    @property
    def asks_inventory(self) -> bool:
        """Whether some part of it is asked of the inventory."""
        return next(leaves(self.root), None) is not None

    def compile(self, resolver: Resolver[T], items: ItemTest[T] | None = None) -> Predicate[T]:
        """Return ``match`` for one kind of object, reading it the fastest way there is.

        ``resolver(name, key)`` is asked once for each field and returns the function that reads it
        from an object, or None when such objects never have it. Name and key are as in
        ``Queryable.field``. ``items(part)`` makes the test of a part that asks the inventory; by
        default the objects carry their items (query_items.py).

        Raises:
            QueryError: not-yet, as ``require_available``; not-here, where the inventory is asked
                and neither ``items`` nor the objects know it.
        """
        self.require_available()
        return compile_node(
            self.root, self.fields, resolver, items or carried(self.fields, resolver)
        )

    def require_available(self, on: Carrier | None = None) -> None:
        """Refuse fields that come with a later release or that ``on`` objects do not carry.

        Raises:
            QueryError: not-yet, or not-here.
        """
        for use in self.uses:
            name, carriers = use.field.name, use.field.carriers
            if not use.field.available:
                message = f'"{name}" comes with {use.field.comes_with}'
                raise QueryError("not-yet", message, span=use.span)
            if on is not None and on not in carriers:
                message = f'"{name}" is a field of {" and ".join(carriers)}, not of {on}'
                raise QueryError("not-here", message, span=use.span)
