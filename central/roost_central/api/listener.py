"""The socket side of HTTP: who gets one of the bounded places, and for how long.

Nobody is known before a request is read, so a place is never kept by being there first: where all
are taken, the handshake that lasts longest and the connection that waits longest without a request
make room. Slow peers, however many, then cost each other, and who is quick is served.

Leaves requests that can be read to server.py. What cannot be read as HTTP is answered with a
problem too, and costs one line in the log, never a traceback: on an open port it is common.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import msgspec
from aiohttp import web

from roost_central.api.outlet import SECURITY_HEADERS
from roost_central.api.problem import CONTENT_TYPE, ApiError

logger = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 1_024  # 256 streams, and room; each costs about 30 KB
HANDSHAKES_MAX: Final = 1_024  # TLS that is not yet agreed on
HANDSHAKE_S_MAX: Final = 10.0  # four round trips of a satellite, lost once each
BACKLOG: Final = 1_024  # connections that the kernel holds for us
ACCEPT_PAUSE_S: Final = 0.1  # after the kernel refused one: no file is left, or it went
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
        listeners = await _bound(host, port)
        try:
            async with asyncio.TaskGroup() as tasks:
                doorman = _Doorman(runner, tls, connections_max, tasks)
                accepting = [tasks.create_task(doorman.serve(each)) for each in listeners]
                yield listeners[0].getsockname()[1]
                for task in accepting:
                    task.cancel()  # no new connections; the runner ends those that are there
                doorman.close()
        finally:
            for each in listeners:
                each.close()
    finally:
        await runner.cleanup()


async def _bound(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listeners: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            bound = (*address[:1], port or (listeners[0].getsockname()[1] if listeners else 0))
            listeners.append(
                socket.create_server((*bound, *address[2:]), family=family, backlog=BACKLOG)
            )
            listeners[-1].setblocking(False)
    except OSError:
        for each in listeners:
            each.close()
        raise
    return listeners


class _Doorman:
    """Gives out the places."""

    def __init__(
        self,
        runner: web.AppRunner,
        tls: ssl.SSLContext | None,
        connections_max: int,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._runner = runner
        self._tls = tls
        self._connections_max = connections_max
        self._tasks = tasks
        self._shaking: dict[socket.socket, None] = {}  # who came first is first
        self._placed: dict[Connection, None] = {}  # as above

    async def serve(self, listener: socket.socket) -> None:
        """Take connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except OSError as err:
                logger.warning("a connection could not be taken: %s", err)
                self._end_oldest_handshake()
                await asyncio.sleep(ACCEPT_PAUSE_S)
                continue
            if len(self._shaking) >= HANDSHAKES_MAX:
                self._end_oldest_handshake()
            self._shaking[sock] = None
            self._tasks.create_task(self._let_in(sock))

    def close(self) -> None:
        """Give up every handshake."""
        while self._shaking:
            self._end_oldest_handshake()

    def place(self, connection: "Connection") -> bool:
        """Return whether there is a place, which one that waits may have had to leave."""
        if len(self._placed) >= self._connections_max:
            oldest = next((one for one in self._placed if one.is_waiting), None)
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.hang_up()
        self._placed[connection] = None
        return True

    def leave(self, connection: "Connection") -> None:
        """Take a place back."""
        self._placed.pop(connection, None)

    async def _let_in(self, sock: socket.socket) -> None:
        handshake_s = None if self._tls is None else HANDSHAKE_S_MAX
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, sock, ssl=self._tls, ssl_handshake_timeout=handshake_s
            )
        except OSError as err:  # also what TLS and its time limit raise
            logger.debug("no handshake: %s", err)
            sock.close()
        finally:
            self._shaking.pop(sock, None)

    def _protocol(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None:
            return _Refusal()
        return Connection(self, server, loop=asyncio.get_running_loop(), **_HANDLER)

    def _end_oldest_handshake(self) -> None:
        sock = next(iter(self._shaking), None)
        if sock is None:
            return
        del self._shaking[sock]
        try:
            sock.shutdown(socket.SHUT_RDWR)  # its own task sees the end, and closes it
        except OSError:
            logger.debug("it went by itself")


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.close()


class Connection(web.RequestHandler):
    """aiohttp's connection, with a bounded place and our answer to what it cannot read."""

    __slots__ = ("_doorman",)

    def __init__(self, doorman: _Doorman, server: web.Server, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(server, **options)
        self._doorman = doorman

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered: none came yet, or not the next."""
        return not self._request_in_progress and not self._messages

    def hang_up(self) -> None:
        """End it at once."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or hang up where everybody is being answered."""
        if self._doorman.place(self):
            super().connection_made(transport)
        else:  # uvloop's transports are not asyncio's by type
            cast("asyncio.Transport", transport).abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        self._doorman.leave(self)
        super().connection_lost(exc)

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
