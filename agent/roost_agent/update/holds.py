"""What keeps a staged release from going in by somebody's will here: a hold, or a file of one.

No order of the centre lifts either; each ends by itself (kept.py, inhibit.py).
"""

import asyncio
import logging

from roost_agent.ports import Clock
from roost_agent.update import inhibit
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import HOLD_MS_MAX, Hold

log = logging.getLogger(__name__)


class Holds:
    """One node's.

    Args:
        keeper: has a person's hold.
        folder: of those by file.
        clock: by which they end.
    """

    def __init__(self, keeper: Keeper, folder: str, clock: Clock) -> None:
        self._keeper = keeper
        self._folder = folder
        self._clock = clock
        self._files: list[inhibit.Inhibit] = []
        self._is_written = True

    def set(self, until_ms: int, why: str) -> None:
        """Hold until then (UTC, ms), HOLD_MS_MAX at most; the past ends it. It counts at once."""
        now_ms = self._clock.wall_ms()
        until_ms = min(until_ms, now_ms + HOLD_MS_MAX)
        self._keeper.hold = Hold(until_ms, why) if until_ms > now_ms else None
        self._is_written = False

    async def written(self) -> None:
        """Bring what was set to the disk, so that it outlives the agent."""
        if not self._is_written:
            self._is_written = True
            await self._keeper.set_hold(self._keeper.hold)

    @property
    def now(self) -> Hold | None:
        """The hold that ends last of those that were there at the last look."""
        by_file = (each.hold for each in self._files)
        return inhibit.longest((self._keeper.hold, *by_file), self._clock.wall_ms())

    @property
    def faults(self) -> list[str]:
        """What is wrong with files, each with its path."""
        return [f"{each.path}: {each.fault}" for each in self._files if each.fault]

    def look(self) -> None:
        """Read the files; blocking."""
        before = self.faults
        self._files = inhibit.read(self._folder, self._clock.wall_ms())
        for fault in self.faults:
            if fault not in before:
                log.warning("update: %s", fault)

    async def looked(self) -> None:
        """Read the files beside the loop, and end a hold in time though a clock was set back."""
        await asyncio.to_thread(self.look)
        hold, latest_ms = self._keeper.hold, self._clock.wall_ms() + HOLD_MS_MAX
        if hold is not None and hold.until_ms > latest_ms:
            self._keeper.hold = Hold(latest_ms, hold.why)
            await self._keeper.set_hold(self._keeper.hold)
