"""The items of one class over the whole fleet: a page of JSON, or all of them as a stream."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.api.call import JSON, NDJSON, Call, Reply
from roost_central.api.cursor import Cursor, pack, scope_of, unpack
from roost_central.api.inventory_tests import inventory_tests
from roost_central.api.listing import Ask, select
from roost_central.api.lists import (
    LIMIT,
    LIMIT_MAX,
    LIST_MEDIA,
    CursorText,
    FilterText,
    nodes_listing,
    unhurried,
)
from roost_central.api.outlet import choose_media, stream_parts
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.readers import bad_filter, parse_filter
from roost_central.api.table import cells
from roost_central.fleet.fields import ANY_KEY, INVENTORY, ITEM_ID
from roost_central.fleet.inventory_fields import CLASSES, item_fields
from roost_central.fleet.query import Query, QueryError, parse
from roost_central.fleet.query_ast import Comparison, Inventory, conjunction
from roost_central.fleet.query_items import item_test
from roost_central.fleet.view import NodeRow
from roost_central.inventory.facts import Items, Reasons
from roost_central.inventory.search import item_view
from roost_central.inventory.starred import STARRED
from roost_central.storage import inventory
from roost_protocol.inventory import Value

NODES_AT_ONCE: Final = 100  # whose documents are decoded between two turns of the event loop
ITEMS_MAX: Final = 10_000  # of a page of JSON, which ends with the node that reaches it

ItemsOf = Callable[[Items, Reasons], list[str]]


class ItemsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which nodes, and which of their items; ``limit`` counts nodes."""

    filter: FilterText = ""
    where: Annotated[
        str, Meta(max_length=2_048, description="what stands in inv.CLASS{..}: driver=ice mtu>1500")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="nodes of a page")] = LIMIT
    cursor: CursorText = ""


class InventoryItem(msgspec.Struct, frozen=True):
    """One item of one node; ``missing`` says why a field is null."""

    node: str
    site: str
    id: str
    fields: dict[str, Value]
    missing: dict[str, str]


class ItemPage(msgspec.Struct, frozen=True):
    """Items of a class, in the order of their nodes."""

    items: list[InventoryItem]
    next: str | None


async def list_items(call: Call[ItemsQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/inventory/classes/{class}: a page of JSON, or all of it as a stream."""
    media = choose_media(call.request, LIST_MEDIA)
    walk = await _walk(call)
    if media != JSON:
        return await stream_parts(call.request, media, _lines(walk, media))
    page = await _page(walk, call.query.limit)
    return Reply(page, headers={"Vary": "Accept, Accept-Encoding"})


async def _page(walk: "_Walk", limit: int) -> ItemPage:
    """Return the items of the next nodes: so many, or until ITEMS_MAX is reached."""
    found: list[InventoryItem] = []
    for some in walk.batches(limit):
        for node, items in await walk.read(some):
            found += items
            if len(found) >= ITEMS_MAX and node != walk.nodes[-1].node:
                return ItemPage(found, pack(Cursor(walk.scope, None, node)))
    last = walk.nodes[limit - 1].node if len(walk.nodes) > limit else None
    return ItemPage(found, None if last is None else pack(Cursor(walk.scope, None, last)))


class _Walk:
    """Goes through the nodes that match, and reads the items that do."""

    def __init__(
        self,
        call: Call[ItemsQuery, None],
        nodes: Sequence[NodeRow],
        keep: ItemsOf,
        scope: int,
    ) -> None:
        self.item_class = call.path("class")
        self.nodes = nodes
        self.scope = scope
        self._database = call.api.database
        self._keep = keep

    def batches(self, limit: int | None = None) -> Iterator[list[NodeRow]]:
        """Yield the nodes in the numbers that are read at once."""
        left = iter(self.nodes if limit is None else self.nodes[:limit])
        while some := list(islice(left, NODES_AT_ONCE)):
            yield some

    async def read(self, nodes: list[NodeRow]) -> list[tuple[str, list[InventoryItem]]]:
        """Return each node with its items."""
        async with self._database.read() as connection:
            names = [row.node for row in nodes]
            kept = await inventory.bodies(connection, self.item_class, names)
        return [(row.node, self._items(row, *kept.get(row.node, ({}, {})))) for row in nodes]

    def _items(self, row: NodeRow, items: Items, missing: Reasons) -> list[InventoryItem]:
        reasons: dict[str, dict[str, str]] = {}
        for key, reason in missing.items():
            name, _, field = key.rpartition(".")
            reasons.setdefault(name, {})[field] = reason
        return [
            InventoryItem(row.node, row.site, name, items[name], reasons.get(name, {}))
            for name in self._keep(items, missing)
        ]


async def _walk(call: Call[ItemsQuery, None]) -> _Walk:
    """Return the walk over what a request asks for."""
    item_class, asked, api = call.path("class"), call.query, call.api
    if item_class not in CLASSES:
        detail = f"there is no class {item_class[:64]!r}; there are {', '.join(CLASSES)}"
        raise ApiError("not-found", detail)
    query = parse_filter(asked.filter, "node")
    where = item_condition(item_class, asked.where)
    wanted = where or _any_item(item_class)
    if wanted is not None:
        query = Query(conjunction([query.root, wanted]), query.uses, query.fields)
    scope = scope_of("items", item_class, query.canonical())
    after = unpack(asked.cursor, scope=scope).name if asked.cursor else ""
    listing, rows = nodes_listing(api.alarms), api.order.nodes()
    items = await inventory_tests(api.database, query, call.now_ms, listing, rows)
    found = await unhurried(select(listing, rows, Ask(query), call.now_ms, items))
    nodes = [row for row in found.rows if row.node > after]
    return _Walk(call, nodes, _keeper(where, query, call.now_ms), scope)


def _any_item(item_class: str) -> Inventory | None:
    """Return the condition that a node has an item, where the index can tell."""
    if item_class not in STARRED:
        return None
    return Inventory(item_class, Comparison(ITEM_ID, None, ":", (ANY_KEY,)))


def item_condition(item_class: str, text: str) -> Inventory | None:
    """Return the condition on items in ``where=``; it is one, and ends where the text does.

    Raises:
        ApiError: ``bad-filter``.
    """
    if not text:
        return None
    written = f"{INVENTORY}{item_class}{{{text}}}"
    try:
        root = parse(written).root
    except QueryError as err:
        err.offset = max(err.offset - len(written) + len(text) + 1, 0)  # behind the brace
        if _chooses_nodes(text):
            err.message += (
                f". This chooses nodes: it is the filter (-q of the CLI); here stand fields of one "
                f"item of {item_class}, by their own names, such as firmware<4.20"
            )
        raise bad_filter(err, field="where") from None
    if not isinstance(root, Inventory):
        detail = "is not what stands in inv.CLASS{..}, such as: driver=ice mtu>1500"
        raise blame("bad-filter", FieldError(field="where", code="invalid", detail=detail))
    return root


def _chooses_nodes(text: str) -> bool:
    try:
        parse_filter(text, "node")
    except ApiError:
        return False
    return True


def _keeper(where: Inventory | None, query: Query, now_ms: int) -> ItemsOf:
    """Return what chooses the items that are shown."""
    if where is None:
        return lambda items, _missing: list(items)
    test, view = item_test(where, query.fields), item_view(where)
    return lambda items, missing: [
        name for name in items if test(view(name, items, missing), now_ms)
    ]


async def _lines(walk: _Walk, media: str) -> AsyncIterator[list[bytes]]:
    """Yield the lines of a stream: NDJSON, or CSV with the class's fields as columns."""
    encode = msgspec.json.Encoder().encode
    names = [each.name for each in item_fields() if each.item_class == walk.item_class]
    if media != NDJSON:
        yield [cells(["node", "site", *names])]
    for some in walk.batches():
        found = [items for _, items in await walk.read(some)]
        if media == NDJSON:
            yield [encode(item) + b"\n" for item in chain.from_iterable(found)]
        else:
            yield [_csv(item, names) for item in chain.from_iterable(found)]


def _csv(item: InventoryItem, names: Sequence[str]) -> bytes:
    values = [item.id if name == ITEM_ID else item.fields.get(name) for name in names]
    return cells([item.node, item.site, *values])
