"""Alarms over HTTP: lists, one alarm, its life, counts, the catalogue.

Acts are alarm_acts.py, what was cleared is alarm_history.py.
"""

from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.criteria import alarm_resolver, labels_of
from roost_central.alarms.row import AlarmRow
from roost_central.api.alarm_answers import (
    Alarm,
    AlarmDetail,
    Summary,
    Timeline,
    TransitionPage,
    TypePage,
)
from roost_central.api.alarm_rows import (
    AlarmAnswers,
    counts_answer,
    groups_of,
    step_answer,
    type_answer,
)
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.events import SEQ_MAX
from roost_central.api.incident_answers import NoteAnswer
from roost_central.api.instants import instant
from roost_central.api.listing import Listing
from roost_central.api.lists import (
    LIMIT,
    LIMIT_MAX,
    CursorText,
    ListQuery,
    answer_list,
)
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.readers import parse_filter
from roost_central.fleet.fields import ANY_KEY, is_key
from roost_central.fleet.query import Query
from roost_central.storage import alarms as storage

SHOWS_HIDDEN: Final = frozenset({"masked", "shelved", "suppressed", "incident", "op"})
MASKS_MAX: Final = 100  # of one alarm's detail: the list has all of them
NOTES_MAX: Final = 1_000  # steps of an alarm that are searched for notes
SUMMARY_FIELDS: Final = ("severity", "type", "site", "incident", "region")
_LABEL: Final = "label."


class AlarmListQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which alarms; ``hidden`` adds what is masked, shelved or suppressed."""

    hidden: bool = False


class StepsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of steps."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


class TransitionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Past which number."""

    after: Annotated[int, Meta(ge=0, le=SEQ_MAX)] = 0
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT


class SummaryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what."""

    by: Annotated[str, Meta(max_length=64, description="severity, type, site, label.K")] = (
        "severity"
    )


async def list_alarms(call: Call[AlarmListQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/alarms."""
    sight = call.api.alarms
    shows_all = call.query.hidden or shows_hidden(parse_filter(call.query.filter, "alarm"))
    tally, _ = sight.counts()
    if shows_all or not (tally.masked or tally.shelved or tally.suppressed):
        rows = list(sight.rows())
    else:
        rows = [row for row in sight.rows() if row.is_visible]
    return await answer_list(call, listing_of(sight), rows, default_sort="-rank")


def nodes_of_alarm(row: AlarmRow) -> tuple[str, ...]:
    """Return the node that an alarm is about, none where it is about a site or the centre."""
    return () if row.node is None else (row.node,)


def shows_hidden(query: Query) -> bool:
    """Whether a query asks by itself for what is masked, shelved or suppressed."""
    return any(use.field.name in SHOWS_HIDDEN for use in query.uses)


def listing_of(sight: AlarmSight) -> Listing[AlarmRow]:
    """Return how alarms are named, filtered, ordered and shown."""
    answers = AlarmAnswers(sight)
    return Listing(
        carrier="alarm",
        answer=Alarm,
        by_name="rank",
        name=lambda row: row.order,
        build=answers.alarm,
        resolver=alarm_resolver(sight.view, sight.book.catalogue),
        nodes=nodes_of_alarm,
        sorts={
            "severity": lambda row: row.severity,
            "raised": lambda row: row.raised_ms,
            "changed": lambda row: row.changed_ms,
            "type": lambda row: row.type,
            "site": lambda row: row.site,
            "count": lambda row: row.count,
            "explained": lambda row: None if row.explained is None else int(row.explained),
        },
    )


async def show_alarm(call: Call[NoQuery, None]) -> AlarmDetail:
    """GET /api/v1/alarms/{alarm}; of a closed one its last state."""
    api = call.api
    row = api.alarms.find(call.path("alarm"))
    async with api.database.read() as connection:
        if row is None:
            row = await _closed(call, connection)
        if row is None:
            raise ApiError("not-found", f"there is no alarm {call.path('alarm')[:64]!r}")
        steps = await storage.of_alarm(connection, row.key_id, before=None, limit=NOTES_MAX)
    answers = AlarmAnswers(api.alarms)
    notes = [
        NoteAnswer(instant(step.at_ms), step.actor, step.note)
        for step in reversed(steps)
        if step.event == "note" and step.alarm is not None and step.alarm.id == row.id
    ]
    return AlarmDetail(
        **answers.fields(row, call.now_ms),
        causes=[answers.alarm(each, call.now_ms) for each in answers.causes_of(row)],
        masks=[answers.alarm(each, call.now_ms) for each in answers.masked_by(row)[:MASKS_MAX]],
        note_list=notes,
    )


async def show_timeline(call: Call[StepsQuery, None]) -> Timeline:
    """GET /api/v1/alarms/{alarm}/timeline: all episodes of its key."""
    name, api = call.path("alarm"), call.api
    row = api.alarms.find(name)
    async with api.database.read() as connection:
        if row is None:
            row = await _closed(call, connection)
        key_id = row.key_id if row else name
        scope = scope_of("timeline", key_id)
        before = place_of(call.query.cursor, scope=scope)
        limit = call.query.limit + 1
        steps = await storage.of_alarm(connection, key_id, before=before, limit=limit)
    steps = [step for step in steps if api.alarms.tells(step)]
    if not steps and before is None:
        raise ApiError("not-found", f"there is no alarm {name[:64]!r}")
    shown, following = page_of(steps, call.query.limit, scope=scope)
    return Timeline(items=[step_answer(step) for step in shown], next=following)


async def _closed(call: Call[Any, None], connection: AsyncConnection) -> AlarmRow | None:
    """Return the last state of an episode that is over, None where there is none to be shown."""
    last = await storage.last_of_episode(connection, call.path("alarm"))
    row = last.alarm if last else None
    return row if row is not None and call.api.alarms.sees(row.site) else None


async def list_transitions(call: Call[TransitionsQuery, None]) -> TransitionPage:
    """GET /api/v1/alarms/transitions."""
    api = call.api
    steps = await api.book.transitions(call.query.after, call.query.limit)
    answers = AlarmAnswers(api.alarms)
    return TransitionPage(
        items=[answers.transition(step, call.now_ms) for step in steps if api.alarms.tells(step)],
        last_seq=api.book.last_seq,
    )


async def show_summary(call: Call[SummaryQuery, None]) -> Summary:
    """GET /api/v1/alarms/summary."""
    api, by = call.api, call.query.by
    keys = {
        "severity": lambda row: row.severity.word,
        "type": lambda row: row.type,
        "site": lambda row: row.site or "",
        "incident": lambda row: row.incident,
        "region": lambda row: labels_of(api.view, row).get("region", ""),
    }
    key = keys.get(by)
    label = by.removeprefix(_LABEL)
    if key is None and label != by and is_key(label) and label != ANY_KEY:
        key = lambda row: labels_of(api.view, row).get(label, "")  # noqa: E731 - one of a table
    if key is None:
        detail = f"{by[:64]!r} is not one of {', '.join(SUMMARY_FIELDS)}, label.K"
        raise blame("bad-parameter", FieldError(field="by", code="unknown-field", detail=detail))
    return Summary(
        counts=counts_answer(api.alarms),
        groups=groups_of(list(api.alarms.rows()), key),
        seq=api.book.last_seq,
    )


async def list_types(call: Call[NoQuery, None]) -> TypePage:
    """GET /api/v1/alarm-types."""
    counted: dict[str, int] = {}
    for row in call.api.alarms.rows():
        if row.is_open:
            counted[row.type] = counted.get(row.type, 0) + 1
    records = call.api.book.catalogue.values()
    return TypePage([type_answer(record, counted.get(record.id, 0)) for record in records])
