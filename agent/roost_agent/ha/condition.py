"""Looks at how this node does and tells its health score, which ranks candidates.

Every LOOK_S: what waits for processor and memory (PSI), whether the state directory takes writes,
whether the wall clock stepped, whether a gateway answers, and the services that failed with impact
major. A disk that does not answer takes none.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from roost_agent.alarms.samples.load import pressure
from roost_agent.discovery.reader import Reader
from roost_agent.ha import core_events as ev
from roost_agent.ha.health import Condition, SteadyScore, health_score
from roost_agent.ports import Clock

LOOK_S: Final = 10.0
DISK_S: Final = 5.0  # a file system that says nothing for so long is at fault
FREE_BYTES_MIN: Final = 1 << 20
STEP_MS: Final = 1_000  # the wall clock against the boot clock, from one look to the next
STEADY_MS: Final = 600_000  # a clock that stepped is not trusted for so long


class ConditionWatch:
    """See the module.

    Args:
        folder: the state directory of HA, or one that will be made.
        disk_fault: why the last write to it failed, empty when it did not.
        failures: how many services failed with impact major now.
        clock: both of its clocks.
        root: where ``proc`` is.
        lacks_gateway: whether those that answered once answer no more.
    """

    def __init__(  # noqa: PLR0913 - each a thing to look at
        self,
        folder: Path,
        disk_fault: Callable[[], str],
        failures: Callable[[], int],
        clock: Clock,
        root: str = "/",
        *,
        lacks_gateway: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder = folder
        self._disk_fault = disk_fault
        self._failures = failures
        self._clock = clock
        self._root = root
        self._lacks_gateway = lacks_gateway
        self._offset_ms: int | None = None
        self._stepped_ms: int | None = None
        self._steady = SteadyScore()
        self._asked: asyncio.Future[bool] | None = None  # at most one: it may hang

    async def run(self, tell: Callable[[ev.Event], Any]) -> None:
        """Look again and again, until cancelled."""
        while True:
            condition = await self.look()
            score = self._steady.take(health_score(condition), self._clock.boot_ms())
            if score is not None:
                tell(ev.Score(score))
            await asyncio.sleep(LOOK_S)

    async def look(self) -> Condition:
        """Return how the node does now."""
        reader = Reader(self._root)
        try:
            cpu, memory = (pressure(reader, each) or 0.0 for each in ("cpu", "memory"))
        finally:
            reader.close()
        return Condition(
            cpu_stall_percent=cpu,
            memory_stall_percent=memory,
            has_disk=not self._disk_fault() and await self._takes_writes(),
            has_steady_clock=self._is_steady(),
            has_gateway=not self._lacks_gateway(),
            failures=self._failures(),
        )

    def _is_steady(self) -> bool:
        now_ms = self._clock.boot_ms()
        offset_ms = self._clock.wall_ms() - now_ms
        if self._offset_ms is not None and abs(offset_ms - self._offset_ms) >= STEP_MS:
            self._stepped_ms = now_ms
        self._offset_ms = offset_ms
        return self._stepped_ms is None or now_ms - self._stepped_ms >= STEADY_MS

    async def _takes_writes(self) -> bool:
        if self._asked is None or self._asked.done():
            loop = asyncio.get_running_loop()
            self._asked = loop.run_in_executor(None, _takes_writes, self._folder)
        try:
            async with asyncio.timeout(DISK_S):
                return await asyncio.shield(self._asked)
        except TimeoutError:
            return False


def _takes_writes(folder: Path) -> bool:
    """Return whether the file system is writable and has room; one not made yet is no fault."""
    try:
        told = os.statvfs(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return not told.f_flag & os.ST_RDONLY and told.f_bavail * told.f_frsize >= FREE_BYTES_MIN
