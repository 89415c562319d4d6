"""The fleet's identities in memory, as the database has them: asked for every message that comes.

It follows the table by revision, so that what another process of the centre revoked counts here
too, at most POLL_S later. What is heard for the first time is written in the next turn.
"""

import asyncio
import logging
from typing import Final

from roost_central.enrol.states import HEARD, State
from roost_central.errors import StorageUnavailableError
from roost_central.ports import Clock
from roost_central.storage import identities
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

POLL_S: Final = 1.0
HEARD_MAX: Final = 10_000  # first words that wait to be written; the rest is heard again


class IdentityRegistry:
    """Who is enrolled (see ingest's Identities); ``run`` keeps it true."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.revision = 0
        self._database = database
        self._clock = clock
        self._states: dict[str, dict[int, State]] = {}
        self._heard: set[tuple[str, int]] = set()

    def is_known(self, node: str) -> bool:
        """Return whether the node has or ever had an identity."""
        return node in self._states

    def is_live(self, node: str, generation: int) -> bool:
        """Return whether a generation may speak."""
        return self._states.get(node, {}).get(generation) in HEARD

    def heard(self, node: str, generation: int) -> None:
        """Note that the holder of a generation's key has spoken."""
        if len(self._heard) < HEARD_MAX:
            self._heard.add((node, generation))

    async def load(self) -> None:
        """Take in everything that was written since the last time."""
        while True:
            async with self._database.read() as connection:
                changed = await identities.changed_since(connection, self.revision)
            for row in changed:
                self._states.setdefault(row.node, {})[row.generation] = row.state
                self.revision = row.revision
            if len(changed) < identities.CHANGES_MAX:
                return

    async def run(self) -> None:
        """Follow the table until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self._prove()
                await self.load()
            except StorageUnavailableError as err:
                logger.warning("identities: as of revision %d: %s", self.revision, err)

    async def _prove(self) -> None:
        taken, self._heard = self._heard, set()
        if not taken:
            return
        now_ms = self._clock.wall_ms()
        try:
            async with self._database.write() as connection:
                for node, generation in sorted(taken):
                    await identities.proven(connection, node, generation, now_ms=now_ms)
        except StorageUnavailableError:
            self._heard |= taken
            raise
