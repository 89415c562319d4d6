"""Pages of a list in the order of a value, against a plain sort of all rows."""

import random
from types import SimpleNamespace

import pytest

from roost_central.api import listing
from roost_central.api.answers import Node
from roost_central.api.listing import Ask, Listing, select
from roost_central.fleet.query import parse

NODES = Listing(
    carrier="node",
    answer=Node,
    by_name="node",
    name=lambda row: row.name,
    build=lambda row, _now_ms: row,
    resolver=lambda _row, _field, _now_ms: [],
    sorts={"heard": lambda row: row.heard_ms},
    nodes=lambda row: (row.name,),
)


def finish(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def in_order(rows, *, is_descending):
    """Rows with a value by value and name, the others behind; all of it turned round but that."""
    heard = [row for row in rows if row.heard_ms is not None]
    silent = [row for row in rows if row.heard_ms is None]
    heard.sort(key=lambda row: (row.heard_ms, row.name), reverse=is_descending)
    silent.sort(key=lambda row: row.name, reverse=is_descending)
    return [row.name for row in heard + silent]


@pytest.mark.parametrize("sort", ["heard", "-heard"])
@pytest.mark.parametrize("values", [(1,), (None,), (1, 2, None), range(1_000)])
def test_pages_are_those_of_a_plain_sort_however_short_the_slices(monkeypatch, sort, values):
    monkeypatch.setattr(listing, "SLICE_ROWS", 5)
    chance = random.Random(7)  # noqa: S311 - any values will do
    rows = [
        SimpleNamespace(name=f"n{number:03}", heard_ms=chance.choice(values))
        for number in range(100)
    ]
    found, cursor = [], ""
    for _ in range(40):
        page = finish(select(NODES, rows, Ask(parse(""), sort, cursor, limit=3), 0))
        found += [row.name for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert found == in_order(rows, is_descending=sort.startswith("-"))
