"""The signer's socket: who may speak, how much, how long they may dawdle.

What comes in one turn of the loop, by whichever connections, is answered together: signing and the
one write to disk for all of it block the loop on purpose, so that the log's order is the order of
signatures. Who is alone waits for nobody.

Leaves every decision to issue.py and its core.
"""

import asyncio
import logging
import os
import pwd
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from roost_central.errors import ConfigError
from roost_central.signer.connection import Came, Connection
from roost_central.signer.issue import Desk
from roost_central.signer.message import REQUESTS_AT_ONCE_MAX, Answer, Refused, framed

logger = logging.getLogger(__name__)

SOCKET_MODE: Final = 0o666  # the kernel says who connected, and that decides
CONNECTIONS_MAX: Final = 32


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
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: Connection(counter), path)
    await asyncio.to_thread(path.chmod, SOCKET_MODE)
    try:
        yield
    finally:
        server.close()
        await counter.close()


class _Counter:
    """Serves connections, CONNECTIONS_MAX at a time (see connection.Counter)."""

    def __init__(self, desk: Desk, allowed: frozenset[int]) -> None:
        self._desk = desk
        self._allowed = allowed
        self._open: set[Connection] = set()
        self._came: list[Came] = []
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def admits(self, connection: Connection) -> bool:
        if connection.uid not in self._allowed or len(self._open) >= CONNECTIONS_MAX:
            logger.warning(
                "hung up on user %d: not one of users, or too many connections", connection.uid
            )
            return False
        self._open.add(connection)
        self._is_empty.clear()
        return True

    def left(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._is_empty.set()

    def take(self, came: Came) -> None:
        if not self._came:
            asyncio.get_running_loop().call_soon(self._settle)
        self._came.append(came)

    async def close(self) -> None:
        """Hang up on everybody, and return when each connection has seen it."""
        for connection in self._open:
            connection.hang_up()
        await self._is_empty.wait()

    def _settle(self) -> None:
        came, self._came = self._came, []
        for start in range(0, len(came), REQUESTS_AT_ONCE_MAX):
            some = came[start : start + REQUESTS_AT_ONCE_MAX]
            try:
                answers = self._answers(some)
            except Exception:
                logger.exception("hung up on %d requests", len(some))
                for each in some:
                    each.connection.hang_up()
                continue
            for each, answer in zip(some, answers, strict=True):
                each.connection.send(framed(answer))

    def _answers(self, came: list[Came]) -> list[Answer]:
        asked = [
            (each.request, each.connection.uid)
            for each in came
            if not isinstance(each.request, Refused)
        ]
        answers = iter(self._desk.answers(asked))
        said: list[Answer] = []
        for each in came:
            answer = each.request if isinstance(each.request, Refused) else next(answers)
            if isinstance(answer, Refused):
                logger.warning("refused user %d: %s", each.connection.uid, answer.detail)
            said.append(answer)
        return said
