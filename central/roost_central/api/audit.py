"""The audit log over HTTP: who did what, and all of it for whoever checks the chain."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.access.chain import START, Anchor, Entry
from roost_central.api.answers import Time
from roost_central.api.call import NDJSON, Call, NoQuery
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.events import SEQ_MAX
from roost_central.api.instants import instant, parse_since
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText
from roost_central.api.outlet import stream_parts
from roost_central.api.problem import FieldError, blame
from roost_central.storage import audit

NAME_CHARS_MAX: Final = 128

_encode: Final = msgspec.json.Encoder().encode


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose acts, which, since when, and which page; the newest first."""

    actor: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    action: Annotated[
        str, Meta(max_length=NAME_CHARS_MAX, description="alarm.ack, or alarm for all of them")
    ] = ""
    since: Annotated[str, Meta(max_length=40, description="RFC 3339, or a span such as 7d")] = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


class ExportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Past which number."""

    after: Annotated[int, Meta(ge=0, le=SEQ_MAX)] = 0


class AuditAnswer(msgspec.Struct, frozen=True):
    """Who did what; ``hash`` is over ``prev_hash`` and the other fields but ``at``."""

    seq: int
    at: Time | None
    at_ms: int
    actor: str
    role: str
    via: str
    source: str
    action: str
    object: str
    request_id: str
    reason: str
    detail: dict[str, Any]
    before: str
    after: str
    outcome: str
    prev_hash: str
    hash: str


class AuditPage(msgspec.Struct, frozen=True):
    """Some acts, newest first, and where the next ones are."""

    items: list[AuditAnswer]
    next: str | None


class AnchorAnswer(msgspec.Struct, frozen=True):
    """A place in the chain and the hash there, hex."""

    seq: int
    hash: str


class AuditHead(msgspec.Struct, frozen=True):
    """Where the chain ends, and what its first row follows."""

    head: AnchorAnswer
    start: AnchorAnswer
    at: Time | None


async def list_audit(call: Call[AuditQuery, None]) -> AuditPage:
    """GET /api/v1/audit."""
    asked = call.query
    scope = scope_of("audit", asked.actor, asked.action, asked.since)
    before = place_of(asked.cursor, scope=scope)
    since_ms = parse_since(asked.since, call.now_ms) if asked.since else None
    if asked.since and since_ms is None:
        detail = "is not a time such as 2026-11-01T03:00:00Z or 7d"
        raise blame("bad-parameter", FieldError(field="since", code="invalid", detail=detail))
    async with call.api.database.read() as connection:
        chosen = audit.Asked(asked.actor, asked.action, since_ms)
        limit = asked.limit + 1
        found = await audit.page(connection, before=before, limit=limit, asked=chosen)
    shown, following = page_of(found, asked.limit, scope=scope)
    return AuditPage(items=[_answer(row) for row in shown], next=following)


async def show_head(call: Call[NoQuery, None]) -> AuditHead:
    """GET /api/v1/audit/head."""
    async with call.api.database.read() as connection:
        head = await audit.anchor(connection, audit.HEAD) or START
        start = await audit.anchor(connection, audit.CUT) or START
    return AuditHead(_anchor(head), _anchor(start), instant(call.now_ms))


async def export(call: Call[ExportQuery, None]) -> web.StreamResponse:
    """GET /api/v1/audit/export: all rows, the oldest first; each part in its own transaction."""
    return await stream_parts(call.request, NDJSON, _lines(call))


async def _lines(call: Call[ExportQuery, None]) -> AsyncIterator[Iterable[bytes]]:
    place, more = call.query.after, True
    while more:
        async with call.api.database.read() as connection:
            rows = await audit.after(connection, place, audit.PAGE_MAX)
        more = len(rows) == audit.PAGE_MAX
        place = rows[-1].seq if rows else place
        yield [_encode(_answer(row)) + b"\n" for row in rows]


def _answer(row: Entry) -> AuditAnswer:
    act = row.act
    return AuditAnswer(
        seq=row.seq,
        at=instant(act.at_ms),
        at_ms=act.at_ms,
        actor=act.actor,
        role=act.role,
        via=act.via,
        source=act.source,
        action=act.action,
        object=act.object,
        request_id=act.request_id,
        reason=act.reason,
        detail=dict(act.detail),
        before=act.before,
        after=act.after,
        outcome=act.outcome,
        prev_hash=row.prev_hash.hex(),
        hash=row.hash.hex(),
    )


def _anchor(at: Anchor) -> AnchorAnswer:
    return AnchorAnswer(at.seq, at.hash.hex())
