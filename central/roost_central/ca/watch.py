"""Looks at the signer every minute and keeps its alarms (210.806); standing.py judges."""

import asyncio
import logging
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.ca.standing import Finding, findings, silence
from roost_central.errors import SignerError
from roost_central.ports import Clock
from roost_central.signer.client import Signer

logger = logging.getLogger(__name__)

LOOK_S: Final = 60.0
TYPE: Final = "210.806"


class SignerWatch:
    """One signer and the alarms about it.

    Args:
        signer: whom to ask.
        book: raises and clears.
        clock: for dates, and for how long it has been silent.
    """

    def __init__(self, signer: Signer, book: AlarmBook, clock: Clock) -> None:
        self._signer = signer
        self._book = book
        self._clock = clock
        self._heard_ms = clock.boot_ms()

    async def run(self) -> None:
        """Look until cancelled, then hang up."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._signer.close()

    async def look(self) -> None:
        """Ask once, and have the alarms be what was found."""
        try:
            facts = await self._signer.info()
        except SignerError as err:
            silent_s = (self._clock.boot_ms() - self._heard_ms) // 1_000
            logger.debug("%s", err)
            # What was wrong with it before is as wrong while it is silent.
            self._keep(silence(silent_s, err.detail), is_whole=False)
            return
        self._heard_ms = self._clock.boot_ms()
        self._keep(findings(facts, self._clock.wall_ms() // 1_000), is_whole=True)

    def _keep(self, found: list[Finding], *, is_whole: bool) -> None:
        open_ = {row.entity: row.severity for row in self._book.open_alarms() if row.type == TYPE}
        wanted = {f"central=roost,signer={each.about}": each for each in found}
        for entity, each in wanted.items():
            if open_.get(entity) != each.severity:
                self._book.raise_own(TYPE, entity, each.severity, {"reason": each.reason})
        if is_whole:
            for entity in open_.keys() - wanted.keys():
                self._book.clear_own(TYPE, entity)
