"""Lists of fleet rows: filter, order, and the page after a cursor; pure, and shared by all lists.

Leaves HTTP to lists.py. Rows come in the order of their names, so a page in that order is a walk
from a bisected place that stops when the page is full; any other order looks at every row once.

A long walk gives way now and then: ``select`` is a generator that yields while it works, and its
result is what it returns.
"""

import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import islice
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from roost_central.api.cursor import Cursor, Key, pack, scope_of, unpack
from roost_central.api.table import unknown_name
from roost_central.fleet.fields import Carrier
from roost_central.fleet.query import Query
from roost_central.fleet.query_match import ItemTest, Resolver

R = TypeVar("R")

SLICE_ROWS: Final = 1_000  # about 2 ms with a filter: what a walk may hold the event loop for

Sortable: TypeAlias = tuple[bool, str, float, str]  # has no value, text, number, name


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """How the rows of one kind are named, filtered, ordered and shown.

    Attributes:
        carrier: what the query language calls such a row.
        answer: the type that a row is shown as.
        name: the unique name that breaks ties; the rows come in its order.
        build: makes the answer at a time.
        resolver: reads the fields of the query language.
        sorts: what ``sort=`` takes, without the one by name; the default comes first.
        nodes: the nodes that a row stands for where the inventory is asked.
    """

    carrier: Carrier
    answer: type[msgspec.Struct]
    name: Callable[[R], str]
    build: Callable[[R, int], msgspec.Struct]
    resolver: Resolver[R]
    sorts: Mapping[str, Callable[[R], str | float | None]]
    by_name: str
    nodes: Callable[[R], Collection[str]]

    @property
    def sort_names(self) -> list[str]:
        """Every name that ``sort=`` takes, the default first."""
        return [self.by_name, *self.sorts]


@dataclass(frozen=True, slots=True)
class Ask:
    """What part of a list is wanted; ``limit`` None is all of it."""

    query: Query
    sort: str = ""
    cursor: str = ""
    limit: int | None = None
    count: bool = False


@dataclass(frozen=True, slots=True)
class Selection(Generic[R]):
    """The rows of a page, the cursor of the next one, and the count of all when it was wanted."""

    rows: list[R]
    next: str | None
    count: int | None


def select(
    listing: Listing[R],
    rows: Sequence[R],
    ask: Ask,
    now_ms: int,
    items: ItemTest[R] | None = None,
) -> Generator[None, None, Selection[R]]:
    """Return the selection of ``rows``, which are in the order of their names.

    ``items`` makes the tests of what the query asks the inventory.

    Raises:
        ApiError: ``bad-parameter`` for an unknown sort, ``bad-cursor``.
    """
    order = _Order(listing, ask.sort)
    scope = scope_of(listing.carrier, ask.sort, ask.query.canonical())
    after = unpack(ask.cursor, scope=scope) if ask.cursor else None
    test = ask.query.compile(listing.resolver, items)

    def matches(row: R) -> bool:
        return test(row, now_ms)

    count = (yield from _count(rows, matches)) if ask.count else None
    wanted = len(rows) if ask.limit is None else ask.limit
    first = yield from (_walk if order.is_by_name else _pick)(
        order, rows, matches, after=after, most=wanted + 1
    )
    shown = first[:wanted]
    more = len(first) > wanted
    return Selection(shown, pack(order.cursor(scope, shown[-1])) if more else None, count)


class _Order(Generic[R]):
    """One order of a list; rows without a value come last, whichever way it runs."""

    def __init__(self, listing: Listing[R], text: str) -> None:
        self.is_descending = text.startswith("-")
        field = text.removeprefix("-") or listing.by_name
        if field not in listing.sort_names:
            raise unknown_name("sort", field, listing.sort_names)
        self.is_by_name = field == listing.by_name
        self.name = listing.name
        self._value = listing.sorts.get(field, listing.name)

    def key(self, row: R) -> Sortable:
        """Return what rows are compared by."""
        return self._sortable(self._value(row), self.name(row))

    def contenders(self, rows: list[R], worst: R) -> list[R]:
        """Return the rows that may come before ``worst`` by their value alone, cheaply."""
        value, bound = self._value, self._value(worst)
        if bound is None:
            return rows
        may_precede = operator.ge if self.is_descending else operator.le
        return [row for row in rows if (v := value(row)) is not None and may_precede(v, bound)]

    def cursor(self, scope: int, row: R) -> Cursor:
        """Return the place after a row."""
        return Cursor(scope, None if self.is_by_name else self._value(row), self.name(row))

    def place(self, cursor: Cursor) -> Sortable:
        """Return the key of the row that a cursor stands after."""
        return self._sortable(cursor.value, cursor.name)

    def _sortable(self, value: Key, name: str) -> Sortable:
        return (
            (value is None) is not self.is_descending,
            value if isinstance(value, str) else "",
            value if isinstance(value, int | float) else 0,
            name,
        )


def _count(rows: Sequence[R], matches: Callable[[R], bool]) -> Generator[None, None, int]:
    count = 0
    for part in _slices(iter(rows)):
        count += sum(map(matches, part))
        yield
    return count


def _walk(
    order: _Order[R],
    rows: Sequence[R],
    matches: Callable[[R], bool],
    *,
    after: Cursor | None,
    most: int,
) -> Generator[None, None, list[R]]:
    """Return the first rows that match, in the order of names."""
    found: list[R] = []
    for part in _slices(_rows_after(order, rows, after)):
        found += islice(filter(matches, part), most - len(found))
        if len(found) == most:
            break
        yield
    return found


def _rows_after(order: _Order[R], rows: Sequence[R], after: Cursor | None) -> Iterator[R]:
    if order.is_descending:
        end = len(rows) if after is None else bisect_left(rows, after.name, key=order.name)
        return (rows[place] for place in range(end - 1, -1, -1))
    start = 0 if after is None else bisect_right(rows, after.name, key=order.name)
    return islice(rows, start, None)


def _pick(
    order: _Order[R],
    rows: Sequence[R],
    matches: Callable[[R], bool],
    *,
    after: Cursor | None,
    most: int,
) -> Generator[None, None, list[R]]:
    """Return the first rows that match, in the order of a value."""
    place = None if after is None else order.place(after)
    pick = nlargest if order.is_descending else nsmallest
    found: list[R] = []
    for part in _slices(iter(rows)):
        if len(found) == most:
            part = order.contenders(part, found[-1])  # noqa: PLW2901 - the others are out
        new = [row for row in part if matches(row)]
        if place is not None:
            is_after = place.__gt__ if order.is_descending else place.__lt__
            new = [row for row in new if is_after(order.key(row))]
        found = pick(most, [*found, *new], key=order.key)
        yield
    return found


def _slices(rows: Iterator[R]) -> Iterator[list[R]]:
    while part := list(islice(rows, SLICE_ROWS)):
        yield part
