"""Reboots this node as the last rung of a ladder: within a budget, and whatever hangs (ha.md 8).

How is said by whoever starts the agent; without a word of that, nothing here can reboot anything.
The budget outlives the reboot, so it is kept in a file and counted by the wall clock. After that
was set back, by years perhaps, a reboot that lies ahead counts as made now: longer, not for ever.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from roost_agent import child
from roost_agent.ha.store import put_file
from roost_agent.ports import Clock

log = logging.getLogger(__name__)

HOUR_MS: Final = 3_600_000
BUDGET: Final = ((3, HOUR_MS), (6, 24 * HOUR_MS))  # at most so many within
SYNC_S: Final = 2.0  # a disk that does not take it by then never will
COMMAND_S: Final = 30.0
FILE: Final = "reboots"
FILE_BYTES_MAX: Final = 4_096
OUTPUT_BYTES_MAX: Final = 1_024


class Reboot:
    """The reboots of this node.

    Args:
        folder: where they are counted.
        clock: for the count.
        command: that does it; empty: nothing does.
        sync: puts on disk what waits.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        command: Sequence[str],
        sync: Callable[[], None] = os.sync,
    ) -> None:
        self._file = folder / FILE
        self._clock = clock
        self._command = command
        self._sync = sync

    async def now(self, reason: str) -> str:
        """Reboot; return why not: there is no command, the budget is spent, it was not done.

        What is not counted is not done: a node that forgets its reboots would never stop.
        """
        why = f"no reboot for {reason}"
        if not self._command:
            return f"{why}: no unit of this agent says how"
        now_ms = self._clock.wall_ms()
        known_ms = self._past(now_ms)
        past_ms = [min(each, now_ms) for each in known_ms]
        try:
            if past_ms != known_ms:
                put_file(self._file, msgspec.json.encode(past_ms))
            if full := _full(past_ms, now_ms):
                return f"{why}: {full}"
            put_file(self._file, msgspec.json.encode([*past_ms, now_ms]))
        except OSError as err:
            return f"{why}: {self._file}: {err.strerror}"
        log.critical("ha: rebooting: %s", reason)
        try:
            async with asyncio.timeout(SYNC_S):
                await asyncio.to_thread(self._sync)
        except TimeoutError:
            log.critical("ha: not all is on disk after %s s", SYNC_S)
        return await self._run(why)

    async def _run(self, why: str) -> str:
        try:
            done = await child.run(self._command, seconds=COMMAND_S, bytes_max=OUTPUT_BYTES_MAX)
        except OSError as err:
            return f"{why}: {self._command[0]}: {err.strerror or 'it hangs'}"
        if done.status:
            return f"{why}: {self._command[0]}: exit status {done.status}"
        return ""

    def _past(self, now_ms: int) -> list[int]:
        """Return the reboots that still count; a count that cannot be read is a full one."""
        try:
            with self._file.open("rb") as stream:
                past_ms = msgspec.json.decode(stream.read(FILE_BYTES_MAX), type=list[int])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as err:
            log.warning("ha: %s: %s", self._file, err)
            return [now_ms] * max(count for count, _ in BUDGET)
        return [each for each in past_ms if now_ms - each < BUDGET[-1][1]]


def _full(past_ms: Sequence[int], now_ms: int) -> str:
    """Return which part of the budget is spent; empty: none is."""
    for count, window_ms in BUDGET:
        if sum(now_ms - each < window_ms for each in past_ms) >= count:
            return f"{count} within {window_ms // HOUR_MS} h already"
    return ""
