"""The event loop of a simulation: virtual time, seeded interleaving, no threads, paused programs.

Of two callbacks that are ready at once a real loop runs the older first; here the seed decides, so
that code which rests on an order that nobody promised shows it. Nothing here asks the system for a
clock, and no order comes from the address of an object: the same seed gives the same run.

``_run_once``, ``_ready`` and ``_stopping`` are asyncio's own, the same from 3.11 on; this file is
the only one that knows them. Timers lie in a heap of tuples, which C compares.
"""

import asyncio
import contextvars
import heapq
import itertools
import random
from asyncio import TimerHandle
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from jumping_loop import JumpingLoop

Work = Callable[[], Any]

CANCELLED_MAX = 500  # timers that were cancelled and still lie in the heap
TURNS_MAX = 100_000  # of the loop without time passing: a fleet's start takes some hundreds


class DeadlockError(RuntimeError):
    """All tasks wait, and nothing is due: no program of ours may end up there."""


class LivelockError(RuntimeError):
    """Something is always ready, so that time does not pass: a program spins."""


class _Handle(asyncio.Handle):
    """asyncio's, without its looks at the debug mode: most of what a loop does is making these."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: Any
    ) -> None:
        self._context = context or contextvars.copy_context()
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class NumberedTask(asyncio.Task):
    """A task that hashes by its number: a TaskGroup cancels its set of tasks in that order."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], *, number: int, **more: Any) -> None:
        self._number = number
        super().__init__(coroutine, **more)

    def __hash__(self) -> int:
        return self._number


class SimLoop(JumpingLoop):
    """See the module.

    Args:
        seed: of the interleaving.

    Attributes:
        disk_work: does what products give to a thread.
        is_paused: tells of a callback's context whether its program is stopped; None: no one is.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._shuffle = random.Random(f"{seed}/loop").shuffle
        self._numbers = itertools.count()
        self._now_s = 0.0
        self._turns = 0
        self._timers: list[tuple[float, int, TimerHandle]] = []
        self._held: list[asyncio.Handle] = []  # of paused programs
        self._late: list[asyncio.Handle] = []  # of programs that run again: in the order they came
        self.disk_work: Callable[[Work], asyncio.Future[Any]] | None = None
        self.is_paused: Callable[[Any], bool] | None = None
        self.set_task_factory(self._new_task)

    @property
    def timers(self) -> int:
        """How many timers lie in the heap, cancelled ones among them."""
        return len(self._timers)

    def time(self) -> float:
        return self._now_s

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> TimerHandle:
        handle = TimerHandle(when, callback, args, self, context)
        handle._scheduled = True  # so that it tells when it is cancelled
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> TimerHandle:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def run_in_executor(self, _executor: object, func: Callable[..., Any], *args: Any) -> Any:
        """Hand the work to the disk of the host that asks: all that products use threads for."""
        if self.disk_work is None:
            raise RuntimeError("work for a thread, and no disk to do it")
        return self.disk_work(partial(func, *args) if args else func)

    def release(self) -> None:
        """Let go what waited for a paused program that runs again or is no more."""
        self._late += self._held
        self._held = []

    def _run_once(self) -> None:
        ready = self._ready
        self._take_due(ready)
        if self.is_paused is not None:
            self._hold_back(ready)
        todo = len(ready)
        if todo > 1:
            order = list(ready)
            self._shuffle(order)
            ready.clear()
            ready.extend(order)
        if self._late:
            ready.extendleft(reversed(self._late))
            todo += len(self._late)
            self._late = []
        for _ in range(todo):
            handle = ready.popleft()
            if not handle._cancelled:
                try:
                    handle._context.run(handle._callback, *handle._args)
                except Exception as err:  # noqa: BLE001 - as asyncio does: its owner is told
                    self.call_exception_handler({"message": "a callback", "exception": err})

    def _take_due(self, ready: Any) -> None:
        """Move what is due to ``ready``; where nothing is ready the clock jumps to what is next."""
        timers = self._timers
        if self._timer_cancelled_count > CANCELLED_MAX:
            timers[:] = [each for each in timers if not each[2]._cancelled]
            heapq.heapify(timers)
            self._timer_cancelled_count = 0
        while timers and timers[0][2]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)
        self._turns += 1
        if not ready and not self._late and not self._stopping:
            if not timers:
                raise DeadlockError("all tasks wait, and nothing is due")
            if timers[0][0] > self._now_s:
                self._now_s, self._turns = timers[0][0], 0
        if self._turns > TURNS_MAX:
            self._turns = 0  # so that the programs can be ended
            raise LivelockError(f"{TURNS_MAX} turns of the loop, and no time passes")
        while timers and timers[0][0] <= self._now_s:
            handle = heapq.heappop(timers)[2]
            handle._scheduled = False
            if not handle._cancelled:
                ready.append(handle)

    def _hold_back(self, ready: Any) -> None:
        for _ in range(len(ready)):
            handle = ready.popleft()
            (self._held if self.is_paused(handle._context) else ready).append(handle)

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any
    ) -> NumberedTask:
        return NumberedTask(coroutine, number=next(self._numbers), loop=loop, **more)
