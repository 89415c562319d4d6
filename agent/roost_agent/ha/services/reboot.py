"""Reboots this node as the last rung of a ladder: within a budget, and whatever hangs (ha.md 8).

The budget outlives the reboot, so it is kept in a file and counted by the wall clock: a clock that
was set back makes past reboots count longer, never shorter.
"""

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Final

from roost_agent.ports import Clock

log = logging.getLogger(__name__)

HOUR_MS: Final = 3_600_000
BUDGET: Final = ((3, HOUR_MS), (6, 24 * HOUR_MS))  # at most so many within
SYNC_S: Final = 2.0  # a disk that does not take it by then never will
FILE: Final = "ha-reboots.json"
FILE_BYTES_MAX: Final = 4_096
TRIGGER: Final = Path("/proc/sysrq-trigger")


class Reboot:
    """The reboots of this node.

    Args:
        state_dir: where they are counted.
        clock: for the count.
        trigger: takes the letter that reboots at once.
    """

    def __init__(self, state_dir: Path, clock: Clock, trigger: Path = TRIGGER) -> None:
        self._file = state_dir / FILE
        self._clock = clock
        self._trigger = trigger

    async def now(self, reason: str) -> str:
        """Reboot; return why not: the budget is spent, or it cannot be counted or done.

        What is not counted is not done: a node that forgets its reboots would never stop.
        """
        now_ms = self._clock.wall_ms()
        past_ms = self._past(now_ms)
        for count, window_ms in BUDGET:
            if sum(now_ms - each < window_ms for each in past_ms) >= count:
                return f"no reboot for {reason}: {count} within {window_ms // HOUR_MS} h already"
        try:
            self._keep([*past_ms, now_ms])
        except OSError as err:
            return f"no reboot for {reason}: {self._file}: {err.strerror}"
        log.critical("ha: rebooting: %s", reason)
        try:
            async with asyncio.timeout(SYNC_S):
                await asyncio.to_thread(os.sync)
        except TimeoutError:
            log.critical("ha: not all is on disk after %s s", SYNC_S)
        try:
            self._trigger.write_text("b")
        except OSError as err:
            return f"no reboot for {reason}: {self._trigger}: {err.strerror}"
        return ""

    def _past(self, now_ms: int) -> list[int]:
        """Return the reboots that still count; a count that cannot be read is a full one."""
        try:
            with self._file.open("rb") as stream:
                found = json.loads(stream.read(FILE_BYTES_MAX))
            past_ms = [int(each) for each in found]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as err:
            log.warning("ha: %s: %s", self._file, err)
            return [now_ms] * max(count for count, _ in BUDGET)
        return [each for each in past_ms if now_ms - each < BUDGET[-1][1]]

    def _keep(self, past_ms: list[int]) -> None:
        new = self._file.with_suffix(".new")
        with new.open("w", encoding="ascii") as stream:
            json.dump(past_ms, stream)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
