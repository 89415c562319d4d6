"""The signer's socket: who may speak, how much, how long they may dawdle.

Each request is answered before the next is read, whichever connection it comes by: signing and the
write to the log block the loop on purpose, so that the log's order is the order of signatures.

Leaves every decision to issue.py and its core.
"""

import asyncio
import logging
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from roost_central.errors import ConfigError
from roost_central.signer.issue import Desk
from roost_central.signer.message import (
    LENGTH_BYTES,
    REQUEST_BYTES_MAX,
    Refused,
    decode_request,
    framed,
    length_of,
)
from roost_protocol.errors import ProtocolError

logger = logging.getLogger(__name__)

SOCKET_MODE: Final = 0o666  # the kernel says who connected, and that decides
CONNECTIONS_MAX: Final = 32
REQUEST_S_MAX: Final = 10.0  # from a request's first byte to its last; between them no limit
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


def user_ids(users: Iterable[str]) -> frozenset[int]:
    """Return who may ask: users by name, and the one that this process runs as.

    Raises:
        ConfigError: ``user``: there is none of that name.
    """
    found = {os.geteuid()}
    for user in users:
        try:
            found.add(pwd.getpwnam(user).pw_uid)
        except KeyError as err:
            raise ConfigError("user", field="users", got=user, bound="a user of this host") from err
    return frozenset(found)


@asynccontextmanager
async def serving(path: Path, desk: Desk, allowed: frozenset[int]) -> AsyncIterator[None]:
    """Answer on a socket while the context lasts.

    Raises:
        OSError: the path cannot be bound.
    """
    await asyncio.to_thread(path.unlink, missing_ok=True)  # of a signer that was killed
    counter = _Counter(desk, allowed)
    server = await asyncio.start_unix_server(
        counter.serve, path, limit=REQUEST_BYTES_MAX + LENGTH_BYTES
    )
    await asyncio.to_thread(path.chmod, SOCKET_MODE)
    try:
        yield
    finally:
        server.close()
        await counter.close()


class _Counter:
    """Serves connections, CONNECTIONS_MAX at a time."""

    def __init__(self, desk: Desk, allowed: frozenset[int]) -> None:
        self._desk = desk
        self._allowed = allowed
        self._open: set[asyncio.StreamWriter] = set()
        self._is_empty = asyncio.Event()

    async def close(self) -> None:
        """Hang up on everybody, and return when each connection's task has seen it."""
        for writer in self._open:
            writer.transport.abort()
        if self._open:
            await self._is_empty.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = _uid(writer)
        if uid not in self._allowed or len(self._open) >= CONNECTIONS_MAX:
            logger.warning("hung up on user %d: not one of users, or too many connections", uid)
            writer.transport.abort()
            return
        self._open.add(writer)
        self._is_empty.clear()
        try:
            while prefix := await reader.read(1):
                async with asyncio.timeout(REQUEST_S_MAX):
                    await self._answer(prefix, reader, writer, uid)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the peer went, or dawdled: it asks again
        except ProtocolError as err:  # where the next request begins is not known
            logger.warning("hung up on user %d: %s", uid, err)
        finally:
            self._open.discard(writer)
            if not self._open:
                self._is_empty.set()
            writer.close()

    async def _answer(
        self, prefix: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, uid: int
    ) -> None:
        prefix += await reader.readexactly(LENGTH_BYTES - len(prefix))
        raw = await reader.readexactly(length_of(prefix, REQUEST_BYTES_MAX))
        try:
            answer = self._desk.answer(decode_request(raw), uid)
        except ProtocolError as err:
            answer = Refused(err.code, str(err))
        if isinstance(answer, Refused):
            logger.warning("refused user %d: %s", uid, answer.detail)
        writer.write(framed(answer))
        await writer.drain()


def _uid(writer: asyncio.StreamWriter) -> int:
    sock: socket.socket = writer.get_extra_info("socket")
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return int(uid)
