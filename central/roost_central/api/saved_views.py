"""Views of the console that people keep: a page with its filter, under a name and a short link.

Everyone lists, changes and removes their own; who has the link of a view opens it. A view holds an
address and shows nothing by itself: what is on the page is asked for by whoever opens it.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.ulid import ulid
from roost_central.api.acts import act_of, principal_of
from roost_central.api.alarm_acts import ID_BYTES, SAYS_SOMETHING
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError, FieldError
from roost_central.api.view_query import ViewPageName, check_query
from roost_central.storage import audit, saved_views
from roost_central.storage.saved_views import ViewRecord

VIEWS_MAX: Final = 100  # of one person: more than anybody finds again
NAME_CHARS_MAX: Final = 64
QUERY_CHARS_MAX: Final = 4_096  # a filter of 2 KiB, percent-encoded where need be, and the rest


class ViewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the console and the query of its address, without the question mark."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX, pattern=SAYS_SOMETHING)]
    page: ViewPageName
    query: Annotated[str, Meta(max_length=QUERY_CHARS_MAX)] = ""


class ViewAnswer(msgspec.Struct, frozen=True):
    """One view; ``link`` is its address at this centre, which stays when the view is changed."""

    id: str
    name: str
    page: str
    query: str
    owner: str
    at: Time | None
    link: str


class ViewPage(msgspec.Struct, frozen=True):
    """All views of one person, by name."""

    items: list[ViewAnswer]


async def list_views(call: Call[NoQuery, None]) -> ViewPage:
    """GET /api/v1/views."""
    async with call.api.database.read() as connection:
        found = await saved_views.of_owner(connection, principal_of(call).name)
    return ViewPage([_answer(each) for each in found])


async def show_view(call: Call[NoQuery, None]) -> ViewAnswer:
    """GET /api/v1/views/{view}."""
    async with call.api.database.read() as connection:
        return _answer(await _found(connection, call.path("view")))


async def add_view(call: Call[NoQuery, ViewBody]) -> ViewAnswer:
    """POST /api/v1/views."""
    id_ = ulid(call.now_ms, call.api.entropy.token(ID_BYTES).hex())
    async with call.api.database.write() as connection:
        return await _save(call, connection, id_)


async def put_view(call: Call[NoQuery, ViewBody]) -> ViewAnswer:
    """PUT /api/v1/views/{view}."""
    async with call.api.database.write() as connection:
        return await _save(call, connection, (await _mine(call, connection)).id)


async def delete_view(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/views/{view}."""
    async with call.api.database.write() as connection:
        view = await _mine(call, connection)
        await saved_views.remove(connection, view.id)
        await audit.add(connection, act_of(call, "view.delete", view.id, {"name": view.name}))
    return Reply(status=204)


async def _save(call: Call[NoQuery, ViewBody], connection: AsyncConnection, id_: str) -> ViewAnswer:
    owner, body = principal_of(call).name, call.body
    check_query(body.page, body.query)
    name = body.name.strip()
    others = [each for each in await saved_views.of_owner(connection, owner) if each.id != id_]
    if any(each.name == name for each in others):
        detail = f"you have a view {name!r}: replace or remove that one, or choose another name"
        error = FieldError(field="name", code="taken", detail=detail)
        raise ApiError("conflict", detail, errors=[error])
    if len(others) >= VIEWS_MAX:
        raise ApiError("conflict", f"you keep {VIEWS_MAX} views, the most there may be: remove one")
    view = ViewRecord(id_, owner, name, body.page, body.query, call.now_ms)
    await saved_views.save(connection, view)
    await audit.add(connection, act_of(call, "view.put", id_, {"name": name, "page": body.page}))
    return _answer(view)


async def _mine(
    call: Call[NoQuery, ViewBody] | Call[NoQuery, None], connection: AsyncConnection
) -> ViewRecord:
    view = await _found(connection, call.path("view"))
    if view.owner != principal_of(call).name:
        raise ApiError("conflict", f"the view is {view.owner}'s: keep it under a name of your own")
    return view


async def _found(connection: AsyncConnection, id_: str) -> ViewRecord:
    view = await saved_views.find(connection, id_)
    if view is None:
        raise ApiError("not-found", f"there is no view {id_[:64]!r}; it may have been removed")
    return view


def _answer(view: ViewRecord) -> ViewAnswer:
    return ViewAnswer(
        id=view.id,
        name=view.name,
        page=view.page,
        query=view.query,
        owner=view.owner,
        at=instant(view.made_ms),
        link=f"/v/{view.id}",
    )
