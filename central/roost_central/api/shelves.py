"""Shelves and suppressions over HTTP: what is put aside, by whom, until when; and ending it."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.facts import (
    Shelf,
    ShelfTaken,
    Suppression,
    SuppressionPut,
    SuppressionTaken,
)
from roost_central.alarms.ulid import ulid
from roost_central.api.acts import principal_of
from roost_central.api.alarm_acts import (
    ID_BYTES,
    SHELF_S_MIN,
    Reason,
    audited,
    narrowed,
)
from roost_central.api.alarm_answers import ShelfAnswer, ShelfPage
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.instants import instant
from roost_central.api.lists import FilterText
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.service import Api
from roost_central.fleet.query_suggest import closest

SHELVES_MAX: Final = 1_000  # each is asked about each new alarm
SUPPRESS_S_MAX: Final = 365 * 86_400
TYPE_CHARS_MAX: Final = 64


class SuppressionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which type, where, why, and for how long; null: until somebody ends it."""

    type: Annotated[str, Meta(max_length=TYPE_CHARS_MAX)]
    reason: Reason
    filter: FilterText = ""
    for_s: Annotated[int, Meta(ge=SHELF_S_MIN, le=SUPPRESS_S_MAX)] | None = None


async def list_shelves(call: Call[NoQuery, None]) -> ShelfPage:
    """GET /api/v1/shelves."""
    return ShelfPage(
        [_shelf(call.api, each) for each in call.api.alarms.shelves(principal_of(call).name)]
    )


async def delete_shelf(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/shelves/{shelf}."""
    book, id_ = call.api.book, call.path("shelf")
    mine = call.api.alarms.shelves(principal_of(call).name)
    shelf = next((each for each in mine if each.id == id_), None)
    if shelf is None:
        raise ApiError("not-found", f"there is no shelf {id_[:64]!r}")
    taken = ShelfTaken(id_, principal_of(call).name)
    await book.change(lambda: [taken], audited(call, "shelf.delete", id_, {"filter": shelf.query}))
    return Reply(status=204)


async def list_suppressions(call: Call[NoQuery, None]) -> ShelfPage:
    """GET /api/v1/suppressions."""
    found = call.api.alarms.suppressions(principal_of(call).name)
    return ShelfPage([_suppression(call.api, each) for each in found])


async def put_suppression(call: Call[NoQuery, SuppressionBody]) -> ShelfAnswer:
    """POST /api/v1/suppressions."""
    body, api = call.body, call.api
    _check_type(api.book.catalogue, body.type)
    if len(api.book.core.suppressions) >= SHELVES_MAX:
        raise ApiError("conflict", f"there are {SHELVES_MAX} suppressions, the most there may be")
    query = narrowed(call, body.filter)
    one = Suppression(
        id=ulid(call.now_ms, api.entropy.token(ID_BYTES).hex()),
        type=body.type,
        by=principal_of(call).name,
        reason=body.reason,
        made_ms=call.now_ms,
        until_ms=None if body.for_s is None else call.now_ms + body.for_s * 1000,
        query=query,
        matches=api.book.shelving.matches(query),
    )
    about: dict[str, object] = {"filter": query, "for_s": body.for_s or 0}
    said = audited(call, "suppression.create", body.type, about, reason=body.reason)
    await api.book.change(lambda: [SuppressionPut(one)], said)
    return _suppression(api, one)


async def delete_suppression(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/suppressions/{suppression}."""
    book, id_ = call.api.book, call.path("suppression")
    mine = call.api.alarms.suppressions(principal_of(call).name)
    one = next((each for each in mine if each.id == id_), None)
    if one is None:
        raise ApiError("not-found", f"there is no suppression {id_[:64]!r}")
    taken = SuppressionTaken(id_, principal_of(call).name)
    await book.change(
        lambda: [taken], audited(call, "suppression.delete", one.type, {"filter": one.query})
    )
    return Reply(status=204)


def _check_type(catalogue: Catalogue, type_: str) -> None:
    """Refuse what is no type that may be suppressed; one that is called by its name is known.

    Raises:
        ApiError: ``invalid``.
    """
    record = catalogue.get(type_)
    if record is not None and record.suppressible:
        return
    detail, meant = "may not be suppressed", ""
    if record is None:
        names = {each.name: each.id for each in catalogue.values()}
        near = closest(type_, [*names, *names.values()])
        detail, meant = f"{type_!r} is not in the catalogue", names.get(near, near)
    raise blame(
        "invalid", FieldError(field="type", code="invalid", detail=detail, suggestion=meant)
    )


def _shelf(api: Api, shelf: Shelf) -> ShelfAnswer:
    rows = api.alarms.rows()
    return ShelfAnswer(
        id=shelf.id,
        type="",
        filter=shelf.query,
        alarms=sum(row.shelf is not None and row.shelf.id == shelf.id for row in rows),
        by=shelf.by,
        reason=shelf.reason,
        at=instant(shelf.made_ms),
        until=instant(shelf.until_ms),
    )


def _suppression(api: Api, one: Suppression) -> ShelfAnswer:
    return ShelfAnswer(
        id=one.id,
        type=one.type,
        filter=one.query,
        alarms=sum(row.suppressed_by == one.id for row in api.alarms.rows()),
        by=one.by,
        reason=one.reason,
        at=instant(one.made_ms),
        until=instant(one.until_ms),
    )
