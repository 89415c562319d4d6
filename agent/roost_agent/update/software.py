"""Tells the centre what runs here, as it is measured: at the start, after a job, on a change."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from roost_agent.update import words
from roost_agent.update.hands import Hands
from roost_agent.update.teller import Teller

log = logging.getLogger(__name__)

MEASURE_EVERY_S: Final = 3_600.0  # what runs is read anew


class Software:
    """What one node runs.

    Args:
        hands: measure it.
        teller: tells it, where it is news.
    """

    def __init__(self, hands: Hands, teller: Teller) -> None:
        self._hands = hands
        self._teller = teller
        self._due = asyncio.Event()

    def changed(self) -> None:
        """Measure soon: a job has ended."""
        self._due.set()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            self._due.clear()
            try:
                has_any = bool(self._hands.installed().components)
                report = words.software(await self._hands.measured() if has_any else {})
            except (OSError, ValueError) as err:
                log.warning("update: what runs cannot be told: %s", err)
            else:
                self._teller.software(report)
            with suppress(TimeoutError):
                async with asyncio.timeout(MEASURE_EVERY_S):
                    await self._due.wait()
