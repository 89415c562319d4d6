"""What operators do with alarms, one or all that match; each act leaves a row in the audit log.

Invariants: a filter acts on the whole result and only when it has the size that the caller saw;
each alarm has its own outcome; the audit row is in the transaction of the act's first part.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.criteria import alarm_resolver
from roost_central.alarms.draft import Draft
from roost_central.alarms.facts import Acted, Event, Shelf, ShelfPut, ShelfTaken
from roost_central.alarms.row import CLEARED, AlarmRow
from roost_central.alarms.ulid import ulid
from roost_central.api.acts import act_of, principal_of
from roost_central.api.alarm_answers import BulkAnswer, Outcome
from roost_central.api.alarms import shows_hidden
from roost_central.api.call import Call
from roost_central.api.lists import FilterText
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.readers import parse_criteria
from roost_central.api.service import Api
from roost_central.storage import audit

BULK_MAX: Final = 100_000  # alarms of one act: all there may be
PART_MAX: Final = 2_000  # alarms of one transaction: ingest waits for it, some 100 ms
IDS_MAX: Final = 5_000  # named one by one; a body has 256 KiB
SHELF_S_MIN: Final = 60
SHELF_S_MAX: Final = 7 * 86_400
SHELF_S: Final = 2 * 3_600
ID_BYTES: Final = 8

Note = Annotated[str, Meta(max_length=1_000)]
SAYS_SOMETHING: Final = r"\S"  # a blank is no reason
Reason = Annotated[str, Meta(min_length=1, max_length=255, pattern=SAYS_SOMETHING)]
ShelfSeconds = Annotated[int, Meta(ge=SHELF_S_MIN, le=SHELF_S_MAX)]
Name = Annotated[str, Meta(max_length=64)]


class DryRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only say what would be acted on."""

    dry_run: bool = False


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which alarms: by id or key_id, or all that match a filter of the size that was seen."""

    filter: FilterText | None = None
    ids: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=IDS_MAX)] = []
    expect_count: Annotated[int, Meta(ge=0, le=BULK_MAX)] | None = None


class AckBody(Targets, frozen=True, forbid_unknown_fields=True):
    """Words for the timeline."""

    note: Note = ""


class NoteBody(Targets, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words for the timeline."""

    text: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=SAYS_SOMETHING)]


class AssignBody(Targets, frozen=True, forbid_unknown_fields=True):
    """Who takes care of it, and under which ticket; null: nobody, none."""

    assignee: Name | msgspec.UnsetType | None = msgspec.UNSET
    ticket: Name | msgspec.UnsetType | None = msgspec.UNSET


class ShelveBody(Targets, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For how long, and why."""

    reason: Reason
    for_s: ShelfSeconds = SHELF_S


class ClearBody(Targets, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why; an alarm that its node still holds comes back."""

    reason: Reason


async def ack(call: Call[DryRun, AckBody]) -> BulkAnswer:
    """POST /api/v1/alarms:ack."""
    return await _act(call, "ack", _acted(call, "ack", note=call.body.note))


async def unack(call: Call[DryRun, AckBody]) -> BulkAnswer:
    """POST /api/v1/alarms:unack."""
    return await _act(call, "unack", _acted(call, "unack", note=call.body.note))


async def note(call: Call[DryRun, NoteBody]) -> BulkAnswer:
    """POST /api/v1/alarms:note."""
    return await _act(call, "note", _acted(call, "note", note=call.body.text))


async def assign(call: Call[DryRun, AssignBody]) -> BulkAnswer:
    """POST /api/v1/alarms:assign."""
    given = {
        name: value or ""
        for name in ("assignee", "ticket")
        if (value := getattr(call.body, name)) is not msgspec.UNSET
    }
    if not given:
        error = FieldError(field="assignee", code="missing", detail="give assignee or ticket")
        raise blame("invalid", error)
    return await _act(call, "assign", _acted(call, "assign", **given))


async def clear(call: Call[DryRun, ClearBody]) -> BulkAnswer:
    """POST /api/v1/alarms:clear."""
    return await _act(call, "clear", _acted(call, "clear", note=call.body.reason))


async def shelve(call: Call[DryRun, ShelveBody]) -> BulkAnswer:
    """POST /api/v1/alarms:shelve; by filter it covers what comes later too."""
    body, who = call.body, principal_of(call)
    keys = [row.key_id for row in _targets(call)]
    query = None if body.filter is None else narrowed(call, body.filter)
    shelf = Shelf(
        id=ulid(call.now_ms, call.api.entropy.token(ID_BYTES).hex()),
        by=who.name,
        reason=body.reason,
        made_ms=call.now_ms,
        until_ms=call.now_ms + body.for_s * 1000,
        query=query or "",
        key_ids=frozenset() if query else frozenset(keys),
        matches=call.api.book.shelving.matches(query) if query else None,
    )
    answer = await _do(call, "shelve", keys, lambda _part: [ShelfPut(shelf)], parts=1)
    return msgspec.structs.replace(answer, shelf="" if call.query.dry_run else shelf.id)


async def unshelve(call: Call[DryRun, AckBody]) -> BulkAnswer:
    """POST /api/v1/alarms:unshelve; those on a shelf by filter stay until that shelf goes."""
    book, who = call.api.book, principal_of(call)
    rows = _targets(call)
    chosen = {row.key_id for row in rows}

    def events(_part: Sequence[str]) -> list[Event]:
        found: list[Event] = []
        for shelf in book.core.shelves.values():
            left = shelf.key_ids - chosen
            if shelf.query or left == shelf.key_ids:
                continue
            put = ShelfPut(replace(shelf, key_ids=left))
            found.append(put if left else ShelfTaken(shelf.id, who.name))
        return found

    return await _do(call, "unshelve", [row.key_id for row in rows], events, parts=1)


def narrowed(call: Call[Any, Any], text: str) -> str:
    """Return the query of what comes later too, kept within where the caller may act."""
    query = parse_criteria(text, "alarm")
    return parse_criteria(call.scope.narrowed(query.canonical()), "alarm").canonical()


def _acted(
    call: Call[DryRun, Any],
    verb: Literal["ack", "unack", "note", "assign", "clear"],
    **more: str,
) -> Callable[[Sequence[str]], list[Event]]:
    by = principal_of(call).name
    return lambda part: [Acted(verb, key_id, by, **more) for key_id in part]


async def _act(
    call: Call[DryRun, Any], verb: str, events: Callable[[Sequence[str]], list[Event]]
) -> BulkAnswer:
    return await _do(call, verb, [row.key_id for row in _targets(call)], events)


async def _do(
    call: Call[DryRun, Any],
    verb: str,
    keys: list[str],
    events: Callable[[Sequence[str]], list[Event]],
    *,
    parts: int | None = None,
) -> BulkAnswer:
    """Do it in parts; ``parts`` 1: one event stands for all."""
    api, body = call.api, call.body
    missing = [name for name in body.ids if api.alarms.find(name) is None]
    results = [Outcome(name, name, "refused", "there is no such alarm") for name in missing]
    if call.query.dry_run:
        rows = [api.book.core.index.rows[key_id] for key_id in keys]
        results += [Outcome(row.id, row.key_id, "unchanged", "dry run") for row in rows]
        return BulkAnswer(len(keys), 0, results)
    size = PART_MAX if parts is None else max(1, len(keys))
    changed = 0
    for start in range(0, max(1, len(keys)), size):
        part = keys[start : start + size]
        also = _audited(call, verb, len(keys)) if start == 0 else None
        before = {key_id: api.book.core.index.rows.get(key_id) for key_id in part}
        draft = await api.book.change(lambda part=part: events(part), also)  # type: ignore[misc] # mypy: a default in a lambda
        done = {step.alarm.key_id for step in draft.transitions if step.alarm and step.actor}
        for key_id in part:
            results.append(_outcome(api, verb, before[key_id], key_id, is_done=key_id in done))
        changed += sum(key_id in done for key_id in part)
    return BulkAnswer(len(keys), changed, results)


def _outcome(api: Api, verb: str, row: AlarmRow | None, key_id: str, *, is_done: bool) -> Outcome:
    if row is None:
        return Outcome("", key_id, "refused", "it is over")
    if is_done:
        return Outcome(row.id, key_id, "done", "")
    if verb == "unshelve" and row.shelf is not None:
        shelf = api.book.core.shelves.get(row.shelf.id)
        if shelf is not None and shelf.query:
            return Outcome(row.id, key_id, "refused", f"is on shelf {shelf.id} by its filter")
    why = "it is cleared" if verb == "shelve" and row.state == CLEARED else "it is so already"
    return Outcome(row.id, key_id, "unchanged", why)


def _targets(call: Call[DryRun, Any]) -> list[AlarmRow]:
    """Return the alarms that are meant; a filter means those that the list shows for it.

    Raises:
        ApiError: ``invalid`` for neither or both of filter and ids, or a filter without a count;
            ``conflict`` when the count is another now.
    """
    body: Targets = call.body
    book, sight = call.api.book, call.api.alarms
    if (body.filter is None) is not bool(body.ids):
        raise blame(
            "invalid", FieldError(field="filter", code="missing", detail="give filter or ids")
        )
    if body.filter is None:
        found = (sight.find(name) for name in body.ids)
        return list({row.key_id: row for row in found if row is not None}.values())
    if body.expect_count is None:
        detail = "is needed with a filter: how many alarms you saw"
        raise blame("invalid", FieldError(field="expect_count", code="missing", detail=detail))
    query = parse_criteria(body.filter, "alarm")
    test = query.compile(alarm_resolver(call.api.view, book.catalogue))
    shows_all = shows_hidden(query)
    rows = [row for row in sight.rows() if (shows_all or row.is_visible) and test(row, call.now_ms)]
    if len(rows) != body.expect_count:
        detail = f"the filter matches {len(rows)} alarms now, not {body.expect_count}"
        error = FieldError(field="expect_count", code="differs", detail=detail, bound=len(rows))
        raise ApiError("conflict", detail, errors=[error])
    return rows


def _audited(
    call: Call[DryRun, Any], verb: str, matched: int
) -> Callable[[AsyncConnection, Draft], Any]:
    body: Targets = call.body
    detail: dict[str, object] = {"matched": matched}
    for name in ("note", "text", "for_s", "assignee", "ticket", "expect_count"):
        value = getattr(body, name, None)
        if value not in (None, "", msgspec.UNSET):
            detail[name] = value
    about = body.filter if body.filter is not None else ",".join(body.ids[:10])
    words = getattr(body, "reason", "")
    return audited(call, f"alarm.{verb}", re.sub(r"\s+", " ", about or ""), detail, reason=words)


def audited(
    call: Call[Any, Any], action: str, about: str, detail: dict[str, object], *, reason: str = ""
) -> Callable[[AsyncConnection, Draft], Any]:
    """Return what writes the audit row of an act, in the act's transaction."""
    act = act_of(call, action, about, detail, reason=reason)
    return lambda connection, _draft: audit.add(connection, act)
