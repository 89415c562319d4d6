"""The socket side of HTTP: how many connections, how long they may dawdle, what noise is told.

Leaves requests that can be read to server.py. What cannot be read as HTTP is answered with a
problem too, and costs one line in the log, never a traceback: on an open port it is common.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from aiohttp import web

from roost_central.api.outlet import SECURITY_HEADERS
from roost_central.api.problem import CONTENT_TYPE, ApiError

logger = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 1_024  # 256 streams, and room; each costs about 30 KB
KEEPALIVE_S: Final = 30.0  # also the time within which a request's headers must be there
HEADER_BYTES_MAX: Final = 8_190  # the request line, and each header
HEADERS_MAX: Final = 64
SHUTDOWN_S_MAX: Final = 2.0  # streams never end by themselves
_HANDLER: Final[dict[str, Any]] = {
    "access_log": None,  # one line of our own, without query strings
    "keepalive_timeout": KEEPALIVE_S,
    "max_line_size": HEADER_BYTES_MAX,
    "max_field_size": HEADER_BYTES_MAX,
    "max_headers": HEADERS_MAX,
}


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    connections_max: int = CONNECTIONS_MAX,
) -> AsyncIterator[int]:
    """Serve while the context lasts; give the port, which the kernel chooses where it is 0.

    Raises:
        OSError: the address cannot be bound.
    """
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_S_MAX)
    await runner.setup()
    try:
        server = await asyncio.get_running_loop().create_server(
            _Doorman(runner, connections_max), host, port, ssl=tls, reuse_address=True
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()  # no new connections; the runner ends those that are there
    finally:
        await runner.cleanup()


class _Doorman:
    """Makes the protocol of each connection; past the bound one that only hangs up."""

    def __init__(self, runner: web.AppRunner, connections_max: int) -> None:
        self._runner = runner
        self._connections_max = connections_max

    def __call__(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._connections_max:
            return _Refusal()
        return _Connection(server, loop=asyncio.get_running_loop(), **_HANDLER)


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.close()


class _Connection(web.RequestHandler):
    """aiohttp's connection, with our answer to what it cannot read."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never became a request of a route."""
        logger.info("%s: cannot be read as HTTP: %s", request.remote, type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        del status, message  # it may repeat what was sent
        err = ApiError("bad-request", "this cannot be read as HTTP/1.1 within its bounds")
        response = web.Response(
            status=err.status,
            body=msgspec.json.encode(err.problem("")),
            headers={**SECURITY_HEADERS, "Server": "roost", "Content-Type": CONTENT_TYPE},
        )
        response.force_close()
        return response
