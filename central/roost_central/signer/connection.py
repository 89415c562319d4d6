"""One connection to the signer: bytes to requests, and how long a peer may take.

Invariants: no more is read while the peer does not read its answers; a request that is begun and
not ended, and an answer that is not read, last REQUEST_S_MAX at most.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, cast

from roost_central.signer.message import (
    LENGTH_BYTES,
    REQUEST_BYTES_MAX,
    Refused,
    Request,
    decode_request,
    length_of,
)
from roost_protocol.errors import ProtocolError

logger = logging.getLogger(__name__)

REQUEST_S_MAX: Final = 10.0  # from a request's first byte to its last; between them no limit
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


@dataclass(frozen=True, slots=True)
class Came:
    """A request, or why what came is none."""

    connection: "Connection"
    request: Request | Refused


class Counter(Protocol):
    """Where requests go."""

    def admits(self, connection: "Connection") -> bool:
        """Whether a new connection may speak."""

    def take(self, came: Came) -> None:
        """Have it answered, within this turn of the loop or the next."""

    def left(self, connection: "Connection") -> None:
        """Note that a connection is no more."""


class Connection(asyncio.Protocol):
    """One peer."""

    uid: int

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the kernel who it is."""
        self._transport = cast("asyncio.Transport", transport)
        self.uid = _uid(transport.get_extra_info("socket"))
        if not self._counter.admits(self):
            self.hang_up()

    def data_received(self, data: bytes) -> None:
        """Pass on the requests that are whole now."""
        self._buffer += data
        try:
            for raw in self._frames():
                self._stop_timer()
                self._counter.take(Came(self, _request(raw)))
        except ProtocolError as err:  # where the next request begins is not known
            logger.warning("hung up on user %d: %s", self.uid, err)
            self._buffer.clear()
            self._loop.call_soon(self._end)
        if self._buffer and self._timer is None:
            self._start_timer()

    def eof_received(self) -> bool:
        """Hang up once it was answered what came before."""
        self._loop.call_soon(self._end)
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it went, or dawdled
        """Let go."""
        self._stop_timer()
        self._counter.left(self)

    def pause_writing(self) -> None:
        """Read no more before the peer has read."""
        if self._transport is not None:
            self._transport.pause_reading()
            self._start_timer()

    def resume_writing(self) -> None:
        """Go on."""
        if self._transport is not None:
            self._stop_timer()
            self._transport.resume_reading()

    def send(self, message: bytes) -> None:
        """Send an answer, if there is still somebody."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(message)

    def hang_up(self) -> None:
        """End it at once: the peer asks again."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _frames(self) -> Iterator[bytes]:
        while len(self._buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + length_of(bytes(self._buffer[:LENGTH_BYTES]), REQUEST_BYTES_MAX)
            if len(self._buffer) < end:
                return
            raw = bytes(self._buffer[LENGTH_BYTES:end])
            del self._buffer[:end]
            yield raw

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(REQUEST_S_MAX, self.hang_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _request(raw: bytes) -> Request | Refused:
    try:
        return decode_request(raw)
    except ProtocolError as err:
        return Refused(err.code, str(err))


def _uid(sock: socket.socket) -> int:
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return int(uid)
