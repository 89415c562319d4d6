"""The event log and the refused messages over HTTP.

Events are read in the order they were received. A filter looks at SCAN_ROWS_MAX events at most: a
page may be empty and still have a next one, so that no query costs more than a bounded walk.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.answers import DeadLetter, DeadLetterPage, EventAnswer, EventPage
from roost_central.api.call import Call
from roost_central.api.cursor import Cursor, pack, page_of, place_of, scope_of
from roost_central.api.instants import instant
from roost_central.api.inventory_tests import inventory_tests_of_any
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText, FilterText
from roost_central.api.readers import event_resolver, parse_filter
from roost_central.fleet.fields import SEVERITIES
from roost_central.fleet.query_match import Predicate
from roost_central.storage import dead_letters, events
from roost_central.storage.events import EventQuery as Conditions
from roost_central.storage.events import EventRecord

SCAN_ROWS_MAX: Final = 10_000  # about 100 ms; a storm's hour fits
SEQ_MAX: Final = 2**53 - 1  # what JSON readers keep exactly


class EventQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events; with ``after`` the oldest first, else the newest first."""

    filter: FilterText = ""
    after: Annotated[int, Meta(ge=0, le=SEQ_MAX, description="a seq; fills gaps")] | None = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page, newest first."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


async def list_events(call: Call[EventQuery, None]) -> EventPage:
    """GET /api/v1/events."""
    asked = call.query
    query = parse_filter(asked.filter, "event")
    is_rising = asked.after is not None
    scope = scope_of("events", str(is_rising), query.canonical())
    place = place_of(asked.cursor, scope=scope) if asked.cursor else asked.after
    resolver, sees = event_resolver(call.api.view), call.api.alarms.sees
    items = await inventory_tests_of_any(
        call.api.view, call.api.database, query, call.now_ms, _nodes
    )
    fits = query.compile(resolver, items)

    def test(record: EventRecord, now_ms: int) -> bool:
        return sees(record.site) and fits(record, now_ms)

    async with call.api.database.read() as connection:
        walk = _Walk(connection, test, call.now_ms, is_rising=is_rising)
        page_rows = asked.limit if call.scope.is_whole and not asked.filter else events.PAGE_MAX
        found, last = await walk.run(place, asked.limit, page_rows)
    return EventPage(
        items=[event_answer(record) for record in found],
        next=None if last is None else pack(Cursor(scope, last, "")),
    )


async def list_dead_letters(call: Call[PageQuery, None]) -> DeadLetterPage:
    """GET /api/v1/dead-letters."""
    asked = call.query
    scope = scope_of("dead-letters")
    before = place_of(asked.cursor, scope=scope)
    async with call.api.database.read() as connection:
        found = await dead_letters.page(connection, before=before, limit=asked.limit + 1)
    shown, following = page_of(found, asked.limit, scope=scope)
    return DeadLetterPage(
        items=[
            DeadLetter(
                seq=letter.seq,
                received=instant(letter.received_ms),
                node=letter.node,
                topic=letter.topic,
                code=letter.code,
                detail=letter.detail,
                size_bytes=letter.size_bytes,
                payload=letter.payload,
            )
            for letter in shown
        ],
        next=following,
    )


def _nodes(record: EventRecord) -> tuple[str, ...]:
    return () if record.node is None else (record.node,)


class _Walk:
    """Reads events in one direction until enough of them fit."""

    def __init__(
        self,
        connection: AsyncConnection,
        test: Predicate[EventRecord],
        now_ms: int,
        *,
        is_rising: bool,
    ) -> None:
        self._connection = connection
        self._test = test
        self._now_ms = now_ms
        self._is_rising = is_rising

    async def run(
        self, place: int | None, limit: int, page_rows: int
    ) -> tuple[list[EventRecord], int | None]:
        """Return at most ``limit`` events past ``place``, and the place to go on from if any."""
        found: list[EventRecord] = []
        seen = 0
        while seen < SCAN_ROWS_MAX:
            page = await self._page(place, page_rows)
            for record in page:
                place = record.seq
                if self._test(record, self._now_ms):
                    found.append(record)
                    if len(found) == limit:
                        return found, place
            seen += len(page)
            if len(page) < page_rows:
                return found, None
        return found, place

    async def _page(self, place: int | None, rows: int) -> list[EventRecord]:
        after, before = (place, None) if self._is_rising else (None, place)
        return await events.page(
            self._connection, Conditions(), after=after, before=before, limit=rows
        )


def event_answer(record: EventRecord) -> EventAnswer:
    """Return an event as it is sent."""
    late_ms = record.received_ms - record.at_ms
    return EventAnswer(
        seq=record.seq,
        at=instant(record.at_ms),
        received=instant(record.received_ms),
        late_s=max(0, late_ms) / 1000,
        site=record.site,
        node=record.node,
        kind=record.kind,
        type=record.type,
        severity=SEVERITIES[record.severity],
        entity=record.entity,
        text=record.text,
        params=record.params,
    )
