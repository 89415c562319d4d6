"""The disks: what takes time, what may be slow, full or refused, and what a cut leaves.

SQLite itself is real, on files in memory; each piece of work runs on the loop, after a seeded
delay and in the order it was asked for. A life that ends before its piece ran leaves nothing of
it; one that ends after it ran and before the answer came leaves it committed and unknown: both
happen. A disk that tears pages is proved elsewhere (tests/prove).
"""

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import aiosqlite
from sim.proc import HERE, Life

from roost_agent.errors import StorageError

if TYPE_CHECKING:
    from sim.world import World

FSYNC_S = (0.0002, 0.004)
SLOW_S = (0.2, 3.0)
DELAYED_SHARE = 0.02  # of central's statements: other tasks run in the middle of a transaction

Work = Callable[[], Any]
FULL = "database or disk is full"


class Disk:
    """The disk of one host.

    Attributes:
        is_full: writes are refused.
        is_slow: each piece of work takes as long as SLOW_S says.
    """

    def __init__(self, world: "World", rng: random.Random) -> None:
        self._world = world
        self._rng = rng
        self._busy_until_s = 0.0
        self.is_full = False
        self.is_slow = False

    def refuses(self) -> bool:
        """Return whether a write fails now."""
        return self.is_full or self._world.buggify("disk.refuses")

    def take_s(self) -> float:
        """Return when a piece of work that is asked for now is done, as a delay."""
        slow = self.is_slow or self._world.buggify("disk.slow")
        spent_s = self._rng.uniform(*(SLOW_S if slow else FSYNC_S))
        now_s = self._world.loop.time()
        self._busy_until_s = max(now_s, self._busy_until_s) + spent_s
        return self._busy_until_s - now_s

    def submit(self, life: Life, work: Work, future: "asyncio.Future[Any]") -> None:
        """Do the work in its turn and resolve the future, unless the life ends before."""
        loop, delay_s = self._world.loop, self.take_s()
        if self._rng.random() < 0.5:  # the answer is on its way a little longer
            spent_s = self._rng.uniform(0.0, FSYNC_S[1])
            loop.call_later(delay_s, self._do, life, work, future, spent_s)
        else:
            loop.call_later(delay_s, self._do, life, work, future, 0.0)

    def _do(self, life: Life, work: Work, future: "asyncio.Future[Any]", spent_s: float) -> None:
        if not life.alive:
            return
        try:
            answer = partial(_resolve, future, work(), None)
        except Exception as err:  # noqa: BLE001 - handed to whoever awaits
            answer = partial(_resolve, future, None, err)
        if spent_s:
            self._world.loop.call_later(spent_s, answer)
        else:
            answer()


def _resolve(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return  # cancelled meanwhile
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def agent_work(world: "World", work: Work) -> "asyncio.Future[Any]":
    """Do what an agent gives to its outbox's thread; a refusing disk answers as SQLite would."""
    life = HERE.get()
    future = world.loop.create_future()
    if not life.alive:
        future.cancel()  # as the task that asks is
    elif life.host.disk.refuses():
        world.trace.met("an outbox was refused by its disk")
        future.set_exception(StorageError(FULL))
    else:
        life.host.disk.submit(life, work, future)
    return future


class _Queue:
    """In place of aiosqlite's queue to its thread: most work is done at once, commits take time."""

    def __init__(self, world: "World", life: Life) -> None:
        self._world = world
        self._life = life
        self._waiting: deque[tuple[asyncio.Future[Any] | None, Work]] = deque()
        self._in_hand = False

    def put_nowait(self, work: tuple["asyncio.Future[Any] | None", Work]) -> None:
        if self._in_hand:
            self._waiting.append(work)
        else:
            self._take(*work)

    def _take(self, future: "asyncio.Future[Any] | None", work: Work) -> None:
        world, disk = self._world, self._life.host.disk
        name = getattr(getattr(work, "func", None), "__name__", "")
        if not self._life.alive:
            if future is not None:
                future.cancel()  # as the task that asks is
        elif name == "commit" and disk.refuses():
            world.trace.met("a commit of central was refused by its disk")
            _answer(future, partial(_refuse, FULL))
        elif future is not None and (
            name == "commit" or (name == "execute" and world.rolls(DELAYED_SHARE))
        ):
            self._in_hand = True
            done = world.loop.create_future()
            done.add_done_callback(partial(self._done, future))
            disk.submit(self._life, work, done)
        else:
            _answer(future, work)

    def _done(self, future: "asyncio.Future[Any]", done: "asyncio.Future[Any]") -> None:
        self._in_hand = False
        error = done.exception()
        _resolve(future, None if error else done.result(), error)  # type: ignore[arg-type]
        while self._waiting and not self._in_hand:
            self._take(*self._waiting.popleft())


def _refuse(why: str) -> None:
    raise sqlite3.OperationalError(why)


def _answer(future: "asyncio.Future[Any] | None", work: Work) -> None:
    try:
        result = work()
    except Exception as err:  # noqa: BLE001 - handed to whoever awaits
        if future is not None:
            _resolve(future, None, err)
    else:
        if future is not None:
            _resolve(future, result, None)


class InlineConnection(aiosqlite.Connection):
    """aiosqlite without its thread, on the disk of a life."""

    def __init__(self, world: "World", life: Life, file: str) -> None:
        super().__init__(partial(self._open, life, file), iter_chunk_size=64)
        self._tx = _Queue(world, life)

    def __await__(self):
        return self._connect().__await__()

    def _open(self, life: Life, file: str) -> sqlite3.Connection:
        connection = sqlite3.connect(file, check_same_thread=False)

        def end(_power: bool) -> None:
            connection.close()  # takes back what was not committed
            self._connection = None

        life.at_end[end] = None
        return connection
