"""Answers the inventory's part of a list's filter before the list is walked.

Each part becomes the set of nodes it holds for; a row then only has to say which nodes it stands
for. Documents are read last, of the nodes that everything else leaves.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Final, TypeVar

from roost_central.api.listing import Listing
from roost_central.fleet.query import Query
from roost_central.fleet.query_ast import Count, Inventory
from roost_central.fleet.query_items import leaves
from roost_central.fleet.query_match import ItemTest, Predicate, compile_node
from roost_central.fleet.query_plan import is_indexed, plan_of
from roost_central.fleet.view import FleetView
from roost_central.inventory.search import Holders, by_documents, by_index
from roost_central.storage.engine import Database

R = TypeVar("R")
NodesOf = Callable[[R], Collection[str]]  # the nodes that a row stands for

SLICE_ROWS: Final = 1_000  # tested between two turns of the event loop
_Found = dict[Inventory | Count, Holders]


async def inventory_tests(
    database: Database, query: Query, now_ms: int, listing: Listing[R], rows: Iterable[R]
) -> ItemTest[R]:
    """Return what makes the tests of a query's parts that ask the inventory.

    ``rows`` are those of the list: of their nodes alone documents are read.
    """
    found: _Found = {}
    parts = dict.fromkeys(leaves(query.root))
    slow = [part for part in parts if not is_indexed(part, query.fields)]
    if not parts:
        return _tests(found, listing.nodes)
    async with database.read() as connection:
        for part in parts:
            if part not in slow:
                found[part] = await by_index(connection, part, query.fields, now_ms)
        if slow:
            before = compile_node(
                plan_of(query).before_documents,
                query.fields,
                listing.resolver,
                _tests(found, listing.nodes),
            )
            within = await _nodes_left(rows, before, now_ms, listing.nodes)
            for part in slow:
                found[part] = await by_documents(connection, part, query.fields, now_ms, within)
    return _tests(found, listing.nodes)


async def inventory_tests_of_any(
    view: FleetView, database: Database, query: Query, now_ms: int, nodes_of: NodesOf[R]
) -> ItemTest[R]:
    """Return the same for rows that are not known yet, such as a log's: any node may be theirs."""
    found: _Found = {}
    if not query.asks_inventory:
        return _tests(found, nodes_of)
    async with database.read() as connection:
        for part in dict.fromkeys(leaves(query.root)):
            if is_indexed(part, query.fields):
                found[part] = await by_index(connection, part, query.fields, now_ms)
            else:
                found[part] = await by_documents(
                    connection, part, query.fields, now_ms, list(view.nodes)
                )
    return _tests(found, nodes_of)


def _tests(found: _Found, nodes_of: NodesOf[R]) -> ItemTest[R]:
    def test(part: Inventory | Count) -> Predicate[R]:
        nodes = found[part].nodes
        if found[part].others:
            return lambda row, _now: not nodes.issuperset(nodes_of(row))
        return lambda row, _now: not nodes.isdisjoint(nodes_of(row))

    return test


async def _nodes_left(
    rows: Iterable[R], test: Predicate[R], now_ms: int, nodes_of: NodesOf[R]
) -> list[str]:
    """Return the nodes of the rows that everything but the documents leaves."""
    left: dict[str, None] = {}
    walk = iter(rows)
    while some := list(islice(walk, SLICE_ROWS)):
        for row in some:
            if test(row, now_ms):
                left.update(dict.fromkeys(nodes_of(row)))
        await asyncio.sleep(0)
    return list(left)
