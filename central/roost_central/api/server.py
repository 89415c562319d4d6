"""The HTTP application: aiohttp made to speak only what the route table says, within bounds.

Every request gets an id, an answer with the security headers, and one line in the log; every
failure becomes a problem document. Leaves what is answered to the handlers, sockets to listener.py.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from roost_central.api.admission import let_in
from roost_central.api.auth import SAFE_METHODS
from roost_central.api.call import HTML, REQUEST_ID, UNLOGGED, Call
from roost_central.api.intake import parse_query, read_json
from roost_central.api.outlet import SECURITY_HEADERS, WRITE_S_MAX, respond
from roost_central.api.problem import CONTENT_TYPE, ApiError
from roost_central.api.route import BODY_BYTES_MAX, Route, check_routes
from roost_central.api.service import Api
from roost_central.errors import StorageUnavailableError

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("roost_central.access")

REQUEST_ID_BYTES: Final = 8
LOG_PATH_CHARS_MAX: Final = 200
INTAKE_S_MAX: Final = 30.0  # from the last header to the last byte of a JSON body
HAS_STARTED: Final = web.RequestKey("has_started", bool)  # no problem can be told any more
STATUS_GONE: Final = 499  # only in the log: the caller hung up, or was hung up on


def application(api: Api, routes: Sequence[Route]) -> web.Application:
    """Return the application that serves a route table.

    Raises:
        ConfigError: an entry of the table does not say whom it serves.
    """
    check_routes(routes)
    app = web.Application(middlewares=[_envelope(api)], client_max_size=BODY_BYTES_MAX)
    for route in routes:
        app.router.add_route(route.method, route.path, _serve(api, route))
    app.on_response_prepare.append(_set_headers)
    return app


def _envelope(api: Api) -> Middleware:
    """Return the middleware around everything, also around what no route serves."""

    @web.middleware
    async def envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
        started_ms = api.clock.mono_ms()
        request[REQUEST_ID] = api.entropy.token(REQUEST_ID_BYTES).hex()
        try:
            response = await handler(request)
        except ApiError as err:
            response = _problem(request, err)
        except web.HTTPException as err:
            page = _page_of_nothing(api, request, err)
            response = page or _problem(request, _from_http(err))
        response = await _sent(request, response)
        _log(request, response, api.clock.mono_ms() - started_ms)
        return response

    return envelope


def _page_of_nothing(api: Api, request: web.Request, err: web.HTTPException) -> web.Response | None:
    """Return the page that says so to a person who followed a wrong link, None to a program."""
    is_navigation = request.method == "GET" and HTML in request.headers.get("Accept", "")
    if err.status != web.HTTPNotFound.status_code or not is_navigation or api.pages is None:
        return None
    return web.Response(
        body=api.pages.index(), status=err.status, content_type=HTML, charset="utf-8"
    )


async def _sent(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send what is left of an answer; hang up on a reader that does not read."""
    try:
        async with asyncio.timeout(WRITE_S_MAX):
            await response.prepare(request)
            await response.write_eof()
    except (TimeoutError, ConnectionError):
        _hang_up(request)
    return response


def _serve(api: Api, route: Route) -> Handler:
    """Return the handler of a route: let in, take in, answer."""

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await _answer(api, route, request)
        except (ApiError, web.HTTPException):
            raise
        except ConnectionError:  # the reader of a stream is gone
            _hang_up(request)
            return web.Response(status=STATUS_GONE)
        except StorageUnavailableError as err:
            logger.warning("%s: the database is not available: %s", route.label, err)
            raise ApiError("busy", "the database is not available; try again") from None
        except Exception:  # the top of a request: nothing of the inside is shown
            logger.exception("%s failed, request %s", route.label, request[REQUEST_ID])
            raise ApiError("internal", "see central's log for this request_id") from None

    return serve


async def _answer(api: Api, route: Route, request: web.Request) -> web.StreamResponse:
    call = await _take_in(api, route, request)
    # A write is never cut off: what is committed must also reach the view. It has no one to wait
    # for but the database, which has its own bounds.
    bound_s = route.answer_s_max if request.method in SAFE_METHODS else None
    try:
        async with asyncio.timeout(bound_s):
            result = await route.handler(call)
    except TimeoutError:
        raise ApiError("slow", f"not done within {bound_s} s") from None
    if isinstance(result, web.StreamResponse):
        return result
    return await respond(result, request)


async def _take_in(api: Api, route: Route, request: web.Request) -> Call[Any, Any]:
    """Return the call of a request, whose types are those of the route.

    Raises:
        ApiError: it is not let in, or what it brings is refused.
    """
    try:
        async with asyncio.timeout(INTAKE_S_MAX):
            admitted = await let_in(api, route, request)
            query = parse_query(request, route.query)
            body = None
            if route.body is not None:
                body = await read_json(request, route.body, bytes_max=route.body_bytes_max)
    except TimeoutError:
        raise ApiError("timeout", f"the body was not there within {INTAKE_S_MAX} s") from None
    return Call(
        api=api.cut(admitted.scope),
        request=request,
        query=query,
        body=body,
        principal=admitted.principal,
        now_ms=api.clock.wall_ms(),
        scope=admitted.scope,
        role=admitted.role,
    )


def _from_http(err: web.HTTPException) -> ApiError:
    """Return aiohttp's own refusals as ours."""
    match err:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(err.allowed_methods))
            return ApiError(
                "method-not-allowed", f"allowed here: {allowed}", headers={"Allow": allowed}
            )
        case web.HTTPRequestEntityTooLarge():
            return ApiError("too-large", f"a body has at most {BODY_BYTES_MAX} bytes")
        case web.HTTPNotFound():
            return ApiError("not-found", "nothing is served at this address")
        case _:
            return ApiError("bad-request", err.reason)


def _problem(request: web.Request, err: ApiError) -> web.Response:
    if request.get(HAS_STARTED):  # in the midst of a stream: only an abrupt end is honest
        _hang_up(request)
        return web.Response(status=STATUS_GONE)
    body = msgspec.json.encode(err.problem(request[REQUEST_ID]))
    headers = {**err.headers, "Content-Type": CONTENT_TYPE}
    return web.Response(body=body, status=err.status, headers=headers)


async def _set_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "roost"  # without versions
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "")
    request[HAS_STARTED] = True


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _log(request: web.Request, response: web.StreamResponse, took_ms: int) -> None:
    if request.get(UNLOGGED):
        return
    access_logger.info(
        "%s %s %s -> %d in %d ms, request %s",
        request.remote,
        request.method,
        request.path[:LOG_PATH_CHARS_MAX].encode("unicode_escape").decode("ascii"),
        response.status,
        took_ms,
        request[REQUEST_ID],
    )
