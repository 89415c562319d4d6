"""Who is let in to which route, and where what he may do holds; what is refused leaves a row.

A refused write stands in the audit log, a few a minute of each person: who tries doors is told, and
cannot fill the log.
"""

import logging
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from roost_central.access.chain import REFUSED, Act
from roost_central.access.core import EVERYWHERE, Scope, role_for, scope_of
from roost_central.api.auth import SAFE_METHODS, Principal
from roost_central.api.call import REQUEST_ID
from roost_central.api.problem import ApiError
from roost_central.api.route import Auth, Route
from roost_central.api.service import Api
from roost_central.errors import StorageError
from roost_central.storage import audit

logger = logging.getLogger(__name__)

PATH_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in (None: nobody was asked), where, and by which role."""

    principal: Principal | None = None
    scope: Scope = EVERYWHERE
    role: str = ""


async def let_in(api: Api, route: Route, request: web.Request) -> Admission:
    """Return who is let in to a route.

    Raises:
        ApiError: ``unauthenticated``, ``csrf``, ``throttled`` or ``not-allowed``.
    """
    if route.auth not in {Auth.SELF, Auth.BEARER}:
        return Admission()
    who = await api.access.admit(request)
    if route.permission is None:
        return Admission(who)
    scope = scope_of(who.grants, route.permission)
    if scope is not None and (scope.is_whole or not route.whole):
        return Admission(who, scope, role_for(who.grants, route.permission))
    if request.method not in SAFE_METHODS:
        await _note_refusal(api, request, who, route)
    if scope is not None:
        detail = f"this belongs to no site: it needs {route.permission} over the whole fleet"
        raise ApiError("not-allowed", detail)
    detail = f"{who.name} by {who.via} has no grant with the permission {route.permission}"
    raise ApiError("not-allowed", detail)


async def _note_refusal(api: Api, request: web.Request, who: Principal, route: Route) -> None:
    key, now_ms = f"refused {who.name}", api.clock.mono_ms()
    if api.access.throttle.wait_ms(key, now_ms):
        return
    api.access.throttle.failed(key, now_ms)
    act = Act(
        at_ms=api.clock.wall_ms(),
        actor=who.name,
        role="",
        action="access.refused",
        object=request.path[:PATH_CHARS_MAX],
        detail={"method": request.method, "permission": str(route.permission)},
        via=who.via,
        source=request.remote or "",
        request_id=request[REQUEST_ID],
        outcome=REFUSED,
    )
    try:
        async with api.database.write() as connection:
            await audit.add(connection, act)
    except StorageError as err:  # it is refused all the same
        logger.warning("that %s was refused is not recorded: %s", who.name, err)
