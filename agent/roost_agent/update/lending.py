"""Lends the site what was fetched here, for as long as the job that it is for waits to go in."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from roost_agent.update.core import Node
from roost_agent.update.step import Step

LENDS: Final = frozenset({Step.VERIFY, Step.STAGED})  # all have it before anybody goes on
LOOK_S: Final = 2.0
AGAIN_S: Final = 30.0  # after a port that was taken


class Lending:
    """One node's.

    Args:
        lend: lends until it is cancelled, or cannot.
        job: which is under way; None: none is.
    """

    def __init__(
        self, lend: Callable[[], Coroutine[Any, Any, None]], job: Callable[[], Node | None]
    ) -> None:
        self._lend = lend
        self._job = job

    async def run(self) -> None:
        """Lend while there is something to lend, until cancelled."""
        while True:
            job = self._job()
            if job is not None and job.state.step in LENDS:
                await self._while(job)
                await asyncio.sleep(AGAIN_S)
            await asyncio.sleep(LOOK_S)

    async def _while(self, job: Node) -> None:
        async with asyncio.TaskGroup() as group:
            child = group.create_task(self._lend(), name="agent.update.lend.child")
            while self._job() is job and job.state.step in LENDS and not child.done():  # noqa: ASYNC110 - the core's state
                await asyncio.sleep(LOOK_S)
            child.cancel()
