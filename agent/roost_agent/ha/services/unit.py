"""Services that others run for us: systemd units and containers, of model N.

Their processes live in cgroups of their own, which the guard could not kill by a deadline: a 2N
group does not take them (config_rules.py).
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from roost_agent.ha.config import Service
from roost_agent.ha.services.driver import PATH, Died
from roost_agent.ha.services.process import done, told

LOOK_S: Final = 1.0  # between two looks at what runs it: neither tells us by itself
ANSWER_S: Final = 5.0


class Verbs(NamedTuple):
    """The commands of what runs a service; ``is_up`` ends with status 0 while it runs."""

    start: tuple[str, ...]
    stop: tuple[str, ...]
    kill: tuple[str, ...]
    is_up: tuple[str, ...]


def systemd(unit: str) -> Verbs:
    """Return the commands for a unit."""
    return Verbs(
        ("systemctl", "start", unit),
        ("systemctl", "stop", unit),
        ("systemctl", "kill", "--signal=KILL", unit),
        ("systemctl", "is-active", "--quiet", unit),
    )


def podman(name: str, stop_s: float) -> Verbs:
    """Return the commands for a container that is there already; only a running one has a top."""
    return Verbs(
        ("podman", "start", name),
        ("podman", "stop", "--time", str(max(1, round(stop_s))), name),
        ("podman", "kill", name),
        ("podman", "top", name, "pid"),
    )


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
        status = await _asked(self._verbs.start, seconds)
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
        await _asked(self._verbs.stop, self._service.budget.stop_s + ANSWER_S)
        await self._down()

    async def clear(self) -> None:
        """See Driver."""
        self._forget()
        await _asked(self._verbs.kill, ANSWER_S)
        await self._down()

    async def probe(self) -> str:
        """See Driver: the service's own probe, else whether it runs."""
        active = self._service.active
        words, seconds = (self._verbs.is_up, ANSWER_S)
        if active is not None:
            words, seconds = active.probe, active.timeout_s
        status = await _asked(words, seconds)
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
            if await _asked(self._verbs.is_up, ANSWER_S) not in {0, None}:
                return
            await asyncio.sleep(LOOK_S)


async def _asked(words: Sequence[str], seconds: float) -> int | None:
    return await done(("/usr/bin/env", *words), {"PATH": PATH}, seconds=seconds)
