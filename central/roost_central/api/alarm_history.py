"""Alarms that were cleared: a page of JSON, or the whole result as a stream.

The newest first, in the order in which the centre took their ends in. A page looks at
SCAN_ROWS_MAX of them at most, so it may be empty and still have a next one; a stream looks at all.

Invariant: a stream reads page by page, each in a transaction of its own, so that a slow reader
holds none. What is cleared meanwhile is newer than where it began, and not in it.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from itertools import chain
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.alarms.criteria import alarm_resolver
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition
from roost_central.api.alarm_answers import Alarm
from roost_central.api.alarm_rows import AlarmAnswers
from roost_central.api.alarms import nodes_of_alarm
from roost_central.api.call import JSON, Call, Reply
from roost_central.api.cursor import Cursor, pack, place_of, scope_of
from roost_central.api.events import SCAN_ROWS_MAX
from roost_central.api.instants import parse_since
from roost_central.api.inventory_tests import inventory_tests_of_any
from roost_central.api.lists import (
    LIMIT,
    LIMIT_MAX,
    LIST_MEDIA,
    CursorText,
    FieldsText,
    FilterText,
    line_writer,
)
from roost_central.api.nodes import TimeText
from roost_central.api.outlet import choose_media, stream_parts
from roost_central.api.problem import FieldError, blame
from roost_central.api.readers import parse_filter
from roost_central.api.table import choose_fields, picked
from roost_central.fleet.query_match import Predicate
from roost_central.storage import alarms as storage

VARY: Final = "Accept, Accept-Encoding"


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which closed episodes, the newest first, and what of them."""

    filter: FilterText = ""
    since: Annotated[TimeText, Meta(description="RFC 3339, or a span such as 7d")] = ""
    until: Annotated[TimeText, Meta(description="RFC 3339, or a span such as 7d")] = ""
    fields: FieldsText = ""
    limit: (
        Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="JSON: 100; a stream: all")] | None
    ) = None
    cursor: CursorText = ""


async def list_history(call: Call[HistoryQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/alarms/history."""
    asked, api = call.query, call.api
    media = choose_media(call.request, LIST_MEDIA)
    fields = choose_fields(asked.fields, Alarm)
    query = parse_filter(asked.filter, "alarm")
    scope = scope_of("history", query.canonical(), asked.since, asked.until)
    resolver = alarm_resolver(api.view, api.book.catalogue)
    items = await inventory_tests_of_any(api.view, api.database, query, call.now_ms, nodes_of_alarm)
    walk = _Walk(
        call,
        query.compile(resolver, items),
        _span(call),
        place_of(asked.cursor, scope=scope),
    )
    answers = AlarmAnswers(api.alarms)
    if media != JSON:
        header, line = line_writer(media, Alarm, fields, api.view)
        parts = _lines(walk, asked.limit, lambda row: line(answers.alarm(row, call.now_ms)), header)
        return await stream_parts(call.request, media, parts)
    rows, place = await walk.page(asked.limit or LIMIT)
    page = {
        "items": [picked(answers.alarm(row, call.now_ms), fields) for row in rows],
        "next": None if place is None else pack(Cursor(scope, place, "")),
    }
    return Reply(page, headers={"Vary": VARY})


class _Walk:
    """Goes through ends of episodes, the newest first, and keeps those that match."""

    def __init__(
        self,
        call: Call[HistoryQuery, None],
        test: Predicate[AlarmRow],
        span: storage.Span,
        before: int | None,
    ) -> None:
        self._database = call.api.database
        self._sees = call.api.alarms.sees
        self._now_ms = call.now_ms
        self._test = test
        self._span = span
        self._before = before
        self.has_more = True

    async def step(self) -> list[Transition]:
        """Return what matches of the next PAGE_MAX."""
        most = storage.PAGE_MAX
        async with self._database.read() as connection:
            read = await storage.closed(connection, self._span, before=self._before, limit=most)
        self.has_more = len(read) == most
        if read:
            self._before = read[-1].seq
        sees = self._sees
        shown = [step for step in read if step.alarm is not None and sees(step.alarm.site)]
        return [step for step in shown if step.alarm and self._test(step.alarm, self._now_ms)]

    async def page(self, limit: int) -> tuple[list[AlarmRow], int | None]:
        """Return the rows of a page and the number after which the next begins, None: the last."""
        found: list[Transition] = []
        seen = 0
        while self.has_more and len(found) <= limit and seen < SCAN_ROWS_MAX:
            found += await self.step()
            seen += storage.PAGE_MAX
        shown = found[:limit]
        if len(found) > limit:
            return _rows(shown), shown[-1].seq
        return _rows(shown), self._before if self.has_more else None


async def _lines(
    walk: _Walk, limit: int | None, line: Callable[[AlarmRow], bytes], header: bytes
) -> AsyncIterator[Iterable[bytes]]:
    head = [header]
    left = limit
    while walk.has_more and left != 0:
        rows = _rows(await walk.step())[:left]
        if left is not None:
            left -= len(rows)
        yield chain(head, map(line, rows))
        head = []


def _rows(steps: Iterable[Transition]) -> list[AlarmRow]:
    return [step.alarm for step in steps if step.alarm]


def _span(call: Call[HistoryQuery, None]) -> storage.Span:
    since, until = _time(call, "since"), _time(call, "until")
    if since is not None and until is not None and until <= since:
        detail = "must be later than since"
        raise blame("bad-parameter", FieldError(field="until", code="invalid", detail=detail))
    return storage.Span(since, until)


def _time(call: Call[HistoryQuery, None], name: Literal["since", "until"]) -> int | None:
    text = getattr(call.query, name)
    if not text:
        return None
    found = parse_since(text, call.now_ms)
    if found is None:
        detail = f"{text[:64]!r} is neither an RFC 3339 time nor a span such as 7d"
        raise blame("bad-parameter", FieldError(field=name, code="invalid", detail=detail))
    return found
