"""The live stream over server-sent events: one writer per client, none of them waited for.

Leaves what is sent to stream/ and live.py. ``id:`` is ``<epoch>-<n>``, so that a browser's own
``Last-Event-ID`` resumes; ``epoch=<epoch>-<n>`` does the same for a client that has just read the
snapshot of frame n.
"""

import asyncio
from typing import Annotated, Final, assert_never

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.access.core import Permission, scope_of
from roost_central.api.alarm_stream import AlarmStream
from roost_central.api.answers import Node
from roost_central.api.call import EVENT_STREAM, Call, Reply
from roost_central.api.lists import TEXT_CHARS_MAX
from roost_central.api.live import Client
from roost_central.api.outlet import takes_gzip, write
from roost_central.api.problem import FieldError, blame
from roost_central.stream.core import FRAME_INTERVAL_MS, Action, Frame, Resync
from roost_protocol.patterns import END

WATCHED_SITES_MAX: Final = 16  # what one screen shows in detail
RECHECK_MS: Final = 60_000  # how long a revoked token may go on reading
RETRY_MS: Final = 2_000  # what a browser waits before it comes back
NO_FILTER: Final = (  # its frames are the same bytes for all who stream
    "the stream is of all sites that you see: ask GET /api/v1/sites?filter=.. again when a frame "
    "comes, or follow GET /api/v1/events?after=SEQ&filter=.."
)

_encode: Final = msgspec.json.Encoder().encode


class SnapshotQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns; there is one set."""

    view: Annotated[str, Meta(pattern="^fleet" + END)] = "fleet"


class StreamQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the client stands, and whose nodes it shows."""

    epoch: Annotated[str, Meta(max_length=64, description="EPOCH or EPOCH-FRAME")] = ""
    watch: Annotated[str, Meta(max_length=1_024, description="site,site")] = ""
    alarms: bool = False
    filter: Annotated[
        str, Meta(max_length=TEXT_CHARS_MAX, description="refused: see docs/api.md")
    ] = ""


class FrameData(msgspec.Struct, frozen=True, omit_defaults=True):
    """The data of a frame: the server's UTC ms, changed cells, nodes of watched sites."""

    t: int
    f: msgspec.Raw
    nodes: list[Node] = []


class ResyncData(msgspec.Struct, frozen=True):
    """The data of a resync: the validator of the snapshot to read, and why."""

    etag: str
    reason: str


async def show_snapshot(call: Call[SnapshotQuery, None]) -> Reply:
    """GET /api/v1/snapshot."""
    snapshot = await call.api.live.snapshots.get()
    headers = {"ETag": snapshot.etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
    if snapshot.etag in call.request.headers.get("If-None-Match", ""):
        return Reply(status=304, headers=headers)
    is_gzipped = takes_gzip(call.request)
    body = snapshot.gzipped if is_gzipped else snapshot.body
    return Reply(body, headers=headers, is_encoded=True, is_gzipped=is_gzipped)


async def stream(call: Call[StreamQuery, None]) -> web.StreamResponse:
    """GET /api/v1/stream."""
    if call.query.filter:
        error = FieldError(field="filter", code="not-here", detail=NO_FILTER)
        raise blame("bad-parameter", error)
    watch = frozenset(site for site in call.query.watch.split(",") if site)
    if len(watch) > WATCHED_SITES_MAX:
        detail = "names too many sites"
        raise blame(
            "bad-parameter",
            FieldError(field="watch", code="too-many", detail=detail, bound=WATCHED_SITES_MAX),
        )
    position = call.request.headers.get("Last-Event-ID") or call.query.epoch
    with call.api.live.client(position, watch) as client:
        if call.query.alarms:
            client.alarms_seq = -1
        response = web.StreamResponse(
            headers={
                "Content-Type": EVENT_STREAM,
                "Cache-Control": "no-store, no-transform",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(call.request)
        await write(response, f"retry: {RETRY_MS}\n\n".encode())
        await _pump(call, client, response)
    return response


async def _pump(
    call: Call[StreamQuery, None], client: Client, response: web.StreamResponse
) -> None:
    """Send what waits for as long as the caller may read; frames come every KEEPALIVE_MS."""
    live, clock = call.api.live, call.api.clock
    checked_ms = clock.mono_ms()
    alarms = AlarmStream(call.api)
    while True:
        await client.wake.wait()
        client.wake.clear()
        while (action := live.next_action(client)) is not None:
            await write(response, _event(call, client, action))
        if client.alarms_seq is not None:
            data = alarms.news(client, clock.mono_ms())
            if data is not None:
                await write(response, b"event: alarms\ndata: %s\n\n" % _encode(data))
        if clock.mono_ms() - checked_ms >= RECHECK_MS:
            checked_ms = clock.mono_ms()
            if not await _may_go_on(call):
                return
        await asyncio.sleep(FRAME_INTERVAL_MS / 1000)


async def _may_go_on(call: Call[StreamQuery, None]) -> bool:
    """Say whether who began may still read the same: another scope begins a stream of its own."""
    who = call.principal
    now = None if who is None else await call.api.access.recheck(who.proof)
    return now is not None and scope_of(now.grants, Permission.READ) == call.scope


def _event(call: Call[StreamQuery, None], client: Client, action: Action) -> bytes:
    live = call.api.live
    name: bytes
    match action:
        case Frame(n, cells):
            name = b"frame"
            data = _encode(
                FrameData(call.api.clock.wall_ms(), msgspec.Raw(cells), live.take_nodes(client))
            )
        case Resync(n, reason):
            name, data = b"resync", _encode(ResyncData(live.snapshots.etag, reason))
        case _:
            assert_never(action)
    return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (live.epoch.encode(), n, name, data)
