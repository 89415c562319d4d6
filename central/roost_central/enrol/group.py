"""Does together what waits together: one transaction, or one write to disk, for all of it.

Who comes first is served at once; who comes meanwhile waits for the next turn, which takes them
all. So nobody waits for company, and the more come, the less each of them costs.

Invariants:
- requests are taken in the order they came, at most TOGETHER_MAX a turn, one turn at a time;
- each gets an outcome of its own: what one of them breaks is done for each alone;
- a turn whose first asker went away is done again for those who still wait.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from roost_central.errors import StorageUnavailableError

TOGETHER_MAX: Final = 64  # of one turn: it takes tens of milliseconds then, and others wait for it

Q = TypeVar("Q")
A = TypeVar("A")
Work = Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]]


@dataclass(slots=True)
class _Slot(Generic[Q, A]):
    request: Q
    outcome: A | Exception | None = None


class Group(Generic[Q, A]):
    """Collects requests while a turn is being done.

    Args:
        work: does one turn; returns an outcome for each request, in their order. Doing it twice
            has to be as good as once.
    """

    def __init__(self, work: Work[Q, A]) -> None:
        self._work = work
        self._waiting: deque[_Slot[Q, A]] = deque()
        self._turn = asyncio.Lock()  # its waiters are in the order of the slots

    async def ask(self, request: Q) -> A:
        """Return what came of a request, or raise it."""
        mine: _Slot[Q, A] = _Slot(request)
        self._waiting.append(mine)
        try:
            async with self._turn:
                if mine.outcome is None:
                    await self._take_turn()
        finally:
            if mine.outcome is None:
                self._waiting.remove(mine)
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        return cast("A", mine.outcome)

    async def _take_turn(self) -> None:
        size = min(TOGETHER_MAX, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(size)]
        try:
            await self._do(batch)
        finally:  # where it was cut short, the others are first in the next one
            self._waiting.extendleft(slot for slot in reversed(batch) if slot.outcome is None)

    async def _do(self, batch: Sequence[_Slot[Q, A]]) -> None:
        outcomes: Sequence[A | Exception]
        try:
            outcomes = await self._work([slot.request for slot in batch])
        except StorageUnavailableError as err:  # no request is to blame
            outcomes = [err] * len(batch)
        except Exception as err:  # noqa: BLE001 - one of them is at fault; alone, it is alone
            if len(batch) > 1:
                for slot in batch:
                    await self._do([slot])
                return
            outcomes = [err]
        for slot, outcome in zip(batch, outcomes, strict=True):
            slot.outcome = outcome
