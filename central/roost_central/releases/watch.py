"""Looks at the repositories every ten minutes and keeps the alarm of what ends (210.809)."""

import asyncio
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.ports import Clock
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.standing import findings

LOOK_S: Final = 600.0
TYPE: Final = "210.809"


class ReleaseWatch:
    """The alarms about one desk.

    Args:
        desk: whose repositories.
        book: raises and clears.
        clock: UTC.
    """

    def __init__(self, desk: ReleaseDesk, book: AlarmBook, clock: Clock) -> None:
        self._desk = desk
        self._book = book
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Have the alarms be what ends soon."""
        lives = await asyncio.to_thread(self._desk.lives)
        wanted = {
            f"central=roost,chain={each.about}": each
            for each in findings(lives, self._clock.wall_ms())
        }
        open_ = {row.entity: row.severity for row in self._book.open_alarms() if row.type == TYPE}
        for entity, each in wanted.items():
            if open_.get(entity) != each.severity:
                self._book.raise_own(TYPE, entity, each.severity, {"reason": each.reason})
        for entity in open_.keys() - wanted.keys():
            self._book.clear_own(TYPE, entity)
