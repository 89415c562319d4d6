"""Services that others run for us: systemd units and containers, of model N.

Nothing ends them by a deadline, so nothing asks where they run: those of a group with a lease are
held's matter.
"""

import asyncio
from typing import Final

from roost_agent.ha.config import Service
from roost_agent.ha.services.driver import Died
from roost_agent.ha.services.engine import ANSWER_S, Verbs, asked
from roost_agent.ha.services.process import told

LOOK_S: Final = 1.0  # between two looks at what runs it: neither tells us by itself


class Elsewhere:
    """One such service.

    Args:
        service: its definition.
        verbs: the commands of what runs it.
        tasks: holds the task that looks whether it runs.
    """

    def __init__(self, service: Service, verbs: Verbs, tasks: asyncio.TaskGroup) -> None:
        self._service = service
        self._verbs = verbs
        self._tasks = tasks
        self._looking: asyncio.Task[None] | None = None

    async def start(self, epoch: int, died: Died) -> str:
        """See Driver; ``HA_EPOCH`` reaches a service of model N from nobody: it has no lease."""
        del epoch
        seconds = self._service.budget.start_s
        status = await asked(self._verbs.start, seconds)
        if status is None:
            return f"not started within {seconds:g} s"
        if status != 0:
            return f"{' '.join(self._verbs.start)} {told(status)}"
        self._looking = self._tasks.create_task(
            self._look(died), name=f"agent.ha.service[{self._service.name}]"
        )
        return ""

    async def stop(self) -> None:
        """See Driver."""
        self._forget()
        await asked(self._verbs.stop, self._service.budget.stop_s + ANSWER_S)
        await self._down()

    async def clear(self) -> None:
        """See Driver."""
        self._forget()
        await asked(self._verbs.kill, ANSWER_S)
        await self._down()

    async def probe(self) -> str:
        """See Driver: the service's own probe, else whether it runs."""
        active = self._service.active
        words, seconds = (self._verbs.is_up, ANSWER_S)
        if active is not None:
            words, seconds = active.probe, active.timeout_s
        status = await asked(words, seconds)
        return "timeout" if status is None else "pass" if status == 0 else "fail"

    def leave(self) -> None:
        """See Driver."""
        self._forget()

    async def _look(self, died: Died) -> None:
        await self._down()
        self._looking = None
        died(f"{' '.join(self._verbs.is_up)} says that it does not run")

    def _forget(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _down(self) -> None:
        """Return once it does not run; an answer that does not come says nothing."""
        while True:
            if await asked(self._verbs.is_up, ANSWER_S) not in {0, None}:
                return
            await asyncio.sleep(LOOK_S)
