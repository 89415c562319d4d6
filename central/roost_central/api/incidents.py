"""Incidents over HTTP: lists, one of them, and what operators do with it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from roost_central.alarms.criteria import alarm_resolver
from roost_central.alarms.facts import Acted, Attached, Event
from roost_central.alarms.incident_row import IncidentNote, IncidentRow
from roost_central.alarms.row import Ack
from roost_central.api.acts import principal_of
from roost_central.api.alarm_acts import (
    BULK_MAX,
    IDS_MAX,
    SAYS_SOMETHING,
    Note,
    Reason,
    audited,
)
from roost_central.api.call import Call, NoQuery
from roost_central.api.cursor import Cursor, pack, scope_of, unpack
from roost_central.api.incident_answers import Incident, incident_answer
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText, FilterText
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.readers import parse_criteria
from roost_central.storage import incidents


class IncidentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which incidents, the newest first."""

    state: Literal["open", "closed", "all"] = "open"
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


class IncidentPage(msgspec.Struct, frozen=True):
    """Some incidents, and where the next ones are."""

    items: list[Incident]
    next: str | None


class IncidentAckBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for the timeline."""

    note: Note = ""


class IncidentNoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for the timeline."""

    text: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=SAYS_SOMETHING)]


class IncidentCloseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is over though not all are back."""

    reason: Reason


class IncidentSplitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which members become an incident of their own, by a filter over them or by id, and why."""

    filter: FilterText | None = None
    ids: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=IDS_MAX)] = []
    expect_count: Annotated[int, Meta(ge=0, le=BULK_MAX)] | None = None
    reason: Reason


async def list_incidents(call: Call[IncidentQuery, None]) -> IncidentPage:
    """GET /api/v1/incidents."""
    asked = call.query
    scope = scope_of("incidents", asked.state)
    before = unpack(asked.cursor, scope=scope).name if asked.cursor else None
    state = None if asked.state == "all" else asked.state
    async with call.api.database.read() as connection:
        found = await incidents.page(connection, state, before=before, limit=asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    seen = [each for row in shown if (each := call.api.alarms.incident(row)) is not None]
    return IncidentPage(
        items=[_answer(call, row) for row in seen],
        next=pack(Cursor(scope, None, shown[-1].id)) if more else None,
    )


async def show_incident(call: Call[NoQuery, None]) -> Incident:
    """GET /api/v1/incidents/{incident}."""
    row = call.api.book.incidents.find(call.path("incident")) or await _kept(call)
    return _answer(call, _shown(call, row))


async def ack(call: Call[NoQuery, IncidentAckBody]) -> Incident:
    """POST /api/v1/incidents/{incident}:ack: members and future members too."""
    row, who, book = await _open(call), principal_of(call), call.api.book
    seen = Ack(who.name, call.now_ms, call.body.note)

    def act(draft: Any, now_ms: int) -> list[Event]:  # noqa: ANN401 - a draft of the book
        keys = book.incidents.acked(draft, row.id, seen, now_ms)
        return [Acted("ack", key_id, who.name, call.body.note) for key_id in keys]

    note = audited(call, "incident.ack", row.id, {"note": call.body.note})
    await book.change(list, note, act)
    return _answer(call, book.incidents.find(row.id) or row)


async def note(call: Call[NoQuery, IncidentNoteBody]) -> Incident:
    """POST /api/v1/incidents/{incident}:note."""
    row, who, book = await _open(call), principal_of(call), call.api.book
    words = IncidentNote(call.now_ms, who.name, call.body.text)

    def act(draft: Any, now_ms: int) -> list[Event]:  # noqa: ANN401 - a draft of the book
        book.incidents.noted(draft, row.id, words, now_ms)
        return []

    await book.change(list, audited(call, "incident.note", row.id, {"text": words.text}), act)
    return _answer(call, book.incidents.find(row.id) or row)


async def close(call: Call[NoQuery, IncidentCloseBody]) -> Incident:
    """POST /api/v1/incidents/{incident}:close; open members are alarms of their own again."""
    row, who, book = await _open(call), principal_of(call), call.api.book
    reason = call.body.reason

    def act(draft: Any, now_ms: int) -> list[Event]:  # noqa: ANN401 - a draft of the book
        return [Attached(book.incidents.close(draft, row.id, who.name, reason, now_ms), "")]

    await book.change(list, audited(call, "incident.close", row.id, {}, reason=reason), act)
    return _answer(call, await _kept(call))


async def split(call: Call[NoQuery, IncidentSplitBody]) -> Incident:
    """POST /api/v1/incidents/{incident}:split; the answer is the new incident."""
    row, who, book, body = await _open(call), principal_of(call), call.api.book, call.body
    chosen: list[str] = []
    made: list[str] = []

    def choose() -> list[Event]:
        """Look within the transaction, before anything is written: a refusal undoes nothing."""
        chosen.extend(_chosen(call, book.incidents.members(row.id)))
        return []

    def act(draft: Any, now_ms: int) -> list[Event]:  # noqa: ANN401 - a draft of the book
        keys = [key for key in chosen if (found := draft.get(key)) is not None and found.is_open]
        new = book.incidents.split(
            draft, row.id, keys, by=who.name, reason=body.reason, now_ms=now_ms
        )
        made.append(new)
        return [Attached(keys, new)]

    about: dict[str, object] = {"filter": body.filter, "ids": body.ids[:10]}
    said = audited(call, "incident.split", row.id, about, reason=body.reason)
    await book.change(choose, said, act)
    return _answer(call, book.incidents.find(made[-1]) or row)


def _chosen(call: Call[NoQuery, IncidentSplitBody], members: set[str]) -> list[str]:
    """Return the members that are meant: some, not all.

    Raises:
        ApiError: ``invalid`` for neither or both of filter and ids; ``conflict`` when there are
            others than were expected, none, or nothing would be left.
    """
    body, book = call.body, call.api.book
    if (body.filter is None) is not bool(body.ids):
        error = FieldError(field="filter", code="missing", detail="give filter or ids")
        raise blame("invalid", error)
    rows = [row for row in map(book.find, body.ids or members) if row is not None]
    if body.filter is not None:
        resolver = alarm_resolver(call.api.view, book.catalogue)
        test = parse_criteria(body.filter, "alarm").compile(resolver)
        rows = [row for row in rows if test(row, call.now_ms)]
    keys = sorted({row.key_id for row in rows} & members)
    expected = len(keys) if body.expect_count is None else body.expect_count
    if len(keys) != expected:
        raise _differs(len(keys), f"{len(keys)} of the members are meant now, not {expected}")
    if not 0 < len(keys) < len(members):
        detail = f"{len(keys)} of {len(members)} members are meant: take some, and leave some"
        raise _differs(len(keys), detail)
    return keys


def _differs(count: int, detail: str) -> ApiError:
    field = FieldError(field="expect_count", code="differs", detail=detail, bound=count)
    return ApiError("conflict", detail, errors=[field])


async def _open(call: Call[Any, Any]) -> IncidentRow:
    row = call.api.book.incidents.find(call.path("incident"))
    if row is None:
        kept = _shown(call, await _kept(call))
        raise ApiError("conflict", f"incident {kept.id} is {kept.state}: {kept.reason}")
    _shown(call, row)
    if not call.api.alarms.owns(row.id):
        raise ApiError("not-allowed", f"incident {row.id} hits sites that you may not act on")
    return row


def _shown(call: Call[Any, Any], row: IncidentRow) -> IncidentRow:
    """Return an incident as far as the caller may see it."""
    shown = call.api.alarms.incident(row)
    if shown is None:
        raise ApiError("not-found", f"there is no incident {row.id[:64]!r}")
    return shown


async def _kept(call: Call[Any, Any]) -> IncidentRow:
    name = call.path("incident")
    async with call.api.database.read() as connection:
        row = await incidents.find(connection, name)
    if row is None:
        raise ApiError("not-found", f"there is no incident {name[:64]!r}")
    return row


def _answer(call: Call[Any, Any], row: IncidentRow) -> Incident:
    return incident_answer(row, call.api.book.catalogue)
