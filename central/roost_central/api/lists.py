"""The lists of sites, nodes and paths: a page of JSON, or the whole result as a stream."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from itertools import chain
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.answers import Node, Path, Site
from roost_central.api.call import CSV, JSON, NDJSON, Call, Reply
from roost_central.api.inventory_tests import inventory_tests
from roost_central.api.listing import Ask, Listing, Selection, select
from roost_central.api.outlet import choose_media, stream_lines
from roost_central.api.readers import (
    NodePath,
    node_resolver,
    parse_filter,
    path_resolver,
    site_resolver,
)
from roost_central.api.rows import (
    last_heard,
    node_answer,
    nodes_of,
    path_answer,
    path_heard_ms,
    site_answer,
)
from roost_central.api.table import CsvWriter, choose_fields, picked
from roost_central.fleet.fields import PATH_STATES, PRESENCES, STATUSES
from roost_central.fleet.view import FleetView, NodeRow, SiteRow

R = TypeVar("R")
T = TypeVar("T")

LQ = TypeVar("LQ", bound="ListQuery")

LIMIT: Final = 100  # rows of a page where the caller does not say
LIMIT_MAX: Final = 1_000  # about 1 MB of nodes; who wants all of them takes a stream
LIST_MEDIA: Final = (JSON, CSV, NDJSON)
TEXT_CHARS_MAX: Final = 2_048  # a filter's own bound, in bytes, is the same
_STATUS_RANK: Final = {name: rank for rank, name in enumerate(STATUSES)}
_PRESENCE_RANK: Final = {name: rank for rank, name in enumerate(PRESENCES)}
_STATE_RANK: Final = {name: rank for rank, name in enumerate(PATH_STATES)}
_encode: Final = msgspec.json.Encoder().encode

FilterText = Annotated[str, Meta(max_length=TEXT_CHARS_MAX, description="query language")]
FieldsText = Annotated[str, Meta(max_length=TEXT_CHARS_MAX, description="a,b,c")]
CursorText = Annotated[str, Meta(max_length=TEXT_CHARS_MAX, description="`next` of a page")]


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows, in which order, and what of them."""

    filter: FilterText = ""
    sort: Annotated[str, Meta(max_length=64, description="field; -field: the other way")] = ""
    fields: FieldsText = ""
    limit: (
        Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="JSON: 100; a stream: all")] | None
    ) = None
    cursor: CursorText = ""
    count: Literal["exact", "estimate"] | None = None


async def list_sites(call: Call[ListQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/sites."""
    return await answer_list(call, sites_listing(call.api.alarms), call.api.order.sites())


async def list_nodes(call: Call[ListQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/nodes."""
    return await answer_list(call, nodes_listing(call.api.alarms), call.api.order.nodes())


async def list_paths(call: Call[ListQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/paths."""
    return await answer_list(call, _paths(call.api.alarms), call.api.order.paths())


def sites_listing(sight: AlarmSight) -> Listing[SiteRow]:
    """Return how sites are named, filtered, ordered and shown."""
    view = sight.view

    def heard_ms(row: SiteRow) -> int | None:
        last = last_heard(nodes_of(row, view))
        return last.heard_ms if last else None

    return Listing(
        carrier="site",
        answer=Site,
        by_name="site",
        name=lambda row: row.site,
        build=lambda row, now_ms: site_answer(row, sight, now_ms),
        resolver=site_resolver(sight),
        nodes=lambda row: row.nodes,
        sorts={
            "status": lambda row: _STATUS_RANK[row.status],
            "status_since": lambda row: row.status_since_ms,
            "heard": heard_ms,
            "nodes": lambda row: len(row.nodes),
            "revision": lambda row: row.revision,
        },
    )


def nodes_listing(sight: AlarmSight) -> Listing[NodeRow]:
    """Return how nodes are named, filtered, ordered and shown."""
    return Listing(
        carrier="node",
        answer=Node,
        by_name="node",
        name=lambda row: row.node,
        build=node_answer,
        resolver=node_resolver(sight),
        nodes=lambda row: (row.node,),
        sorts={
            "presence": lambda row: _PRESENCE_RANK[row.presence],
            "presence_since": lambda row: row.presence_since_ms,
            "heard": lambda row: row.heard_ms,
            "agent": lambda row: row.agent,
            "uptime_s": lambda row: row.uptime_s,
            "clock_skew_ms": lambda row: row.clock_skew_ms,
        },
    )


def _paths(sight: AlarmSight) -> Listing[NodePath]:
    return Listing(
        carrier="path",
        answer=Path,
        by_name="path",
        name=lambda row: f"{row[0].node} {row[1].name}",  # a space sorts before all of a name
        build=lambda row, now_ms: path_answer(*row, now_ms),
        resolver=path_resolver(sight),
        nodes=lambda row: (row[0].node,),
        sorts={
            "state": lambda row: _STATE_RANK[row[1].state],
            "rtt_us": lambda row: row[1].rtt_us,
            "loss_permille": lambda row: row[1].loss_permille,
            "heard": lambda row: path_heard_ms(row[1]),
        },
    )


async def answer_list(
    call: Call[LQ, None], listing: Listing[R], rows: Sequence[R], *, default_sort: str = ""
) -> Reply | web.StreamResponse:
    """Return a page of JSON, or the whole result as the stream that the caller wants."""
    media = choose_media(call.request, LIST_MEDIA)
    asked = call.query
    fields = choose_fields(asked.fields, listing.answer)
    ask = Ask(
        query=parse_filter(asked.filter, listing.carrier),
        sort=asked.sort or default_sort,
        cursor=asked.cursor,
        limit=(asked.limit or LIMIT) if media == JSON else asked.limit,
        count=asked.count is not None and media == JSON,
    )
    items = await inventory_tests(call.api.database, ask.query, call.now_ms, listing, rows)
    found = await unhurried(select(listing, rows, ask, call.now_ms, items))
    if media == JSON:
        return _page(listing, found, fields, call.now_ms)
    header, line = line_writer(media, listing.answer, fields, call.api.view)
    lines = (line(listing.build(row, call.now_ms)) for row in found.rows)
    return await stream_lines(call.request, media, chain([header], lines))


def line_writer(
    media: str, answer: type[msgspec.Struct], fields: Sequence[str], view: FleetView
) -> tuple[bytes, Callable[[msgspec.Struct], bytes]]:
    """Return the head of a stream, empty for NDJSON, and what makes a line of an answer."""
    if media == NDJSON:
        return b"", lambda each: _encode(picked(each, fields)) + b"\n"
    labelled = view.nodes if answer is Node else view.sites
    labels = {key for row in labelled.values() for key in row.labels}
    table = CsvWriter(answer, fields, labels if "labels" in fields else ())
    return table.header.encode(), lambda each: table.line(each).encode()


def _page(listing: Listing[R], found: Selection[R], fields: Sequence[str], now_ms: int) -> Reply:
    page: dict[str, object] = {
        "items": [picked(listing.build(row, now_ms), fields) for row in found.rows],
        "next": found.next,
    }
    if found.count is not None:
        page["count"] = found.count
    return Reply(page, headers={"Vary": "Accept, Accept-Encoding"})


async def unhurried(steps: Generator[None, None, T]) -> T:
    """Return what a long computation returns, letting others run between its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        await asyncio.sleep(0)
