"""The fleet's identities in memory, as the database has them: asked for every message that comes.

It follows the table by revision, so that what another process of the centre revoked counts here
too, at most POLL_S later. What is heard for the first time, and whom two boxes seem to be, is
written in the next turn.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from roost_central.enrol.quarantine import QuarantineSign, suspect
from roost_central.enrol.states import HEARD, LIVE, SHUT
from roost_central.errors import StorageUnavailableError
from roost_central.ports import Clock
from roost_central.storage import identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import Change

logger = logging.getLogger(__name__)

POLL_S: Final = 1.0
HEARD_MAX: Final = 10_000  # first words that wait to be written; the rest is heard again
SUSPECTS_MAX: Final = 1_000  # nodes that wait to be put in quarantine; the rest is seen again


class IdentityRegistry:
    """Who is enrolled (see ingest's Identities); ``run`` keeps it true.

    Args:
        sign: shows who is in quarantine; None: nobody looks.
    """

    def __init__(
        self, database: Database, clock: Clock, sign: QuarantineSign | None = None
    ) -> None:
        self.revision = 0
        self._database = database
        self._clock = clock
        self._sign = sign
        self._known: dict[str, dict[int, Change]] = {}
        self._held: dict[str, Change] = {}
        self._heard: set[tuple[str, int]] = set()
        self._suspects: dict[str, str] = {}
        self._is_settled = False

    def is_known(self, node: str) -> bool:
        """Return whether the node has or ever had an identity."""
        return node in self._known

    def is_live(self, node: str, generation: int) -> bool:
        """Return whether a generation may speak."""
        known = self._known.get(node, {}).get(generation)
        return known is not None and known.state in HEARD

    def heard(self, node: str, generation: int) -> None:
        """Note that the holder of a generation's key has spoken."""
        if len(self._heard) < HEARD_MAX:
            self._heard.add((node, generation))

    def suspect(self, node: str, why: str) -> None:
        """Note that two boxes seem to be one node, unless a human has to choose already."""
        held = self._held.get(node)
        is_shut = held is not None and held.quarantine in SHUT
        if node in self._known and not is_shut and len(self._suspects) < SUSPECTS_MAX:
            self._suspects[node] = why

    async def load(self) -> None:
        """Take in everything that was written since the last time, and show it."""
        moved: set[str] = set()
        while True:
            async with self._database.read() as connection:
                changed = await identities.changed_since(connection, self.revision)
            for row in changed:
                self._known.setdefault(row.node, {})[row.generation] = row
                self.revision = row.revision
                moved.add(row.node)
            if len(changed) < identities.CHANGES_MAX:
                break
        self._show(moved)

    async def run(self) -> None:
        """Follow the table until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self._write()
                await self.load()
            except StorageUnavailableError as err:
                logger.warning("identities: as of revision %d: %s", self.revision, err)

    def _show(self, moved: set[str]) -> None:
        before = {node: self._held.pop(node, None) for node in sorted(moved)}
        for node in before:
            held = [row for row in self._known[node].values() if row.state in LIVE]
            found = max((row for row in held if row.quarantine), key=_by_generation, default=None)
            if found is not None:
                self._held[node] = found
        if self._sign is None:
            return
        for node in moved:
            self._sign.enrolled(node, _enrolled_ms(self._known[node].values()))
        if not self._is_settled:
            self._is_settled = True
            self._sign.settle(self._held, self.is_known)
            return
        for node, then in before.items():
            now = self._held.get(node)
            if now != then:
                self._sign(node, now)

    async def _write(self) -> None:
        """Write who was heard for the first time, and who seems to be two."""
        heard, self._heard = self._heard, set()
        suspects, self._suspects = self._suspects, {}
        if not heard and not suspects:
            return
        now_ms = self._clock.wall_ms()
        try:
            async with self._database.write() as connection:
                for node, generation in sorted(heard):
                    await identities.proven(connection, node, generation, now_ms=now_ms)
                for node, why in suspects.items():
                    if await suspect(connection, node, why, now_ms=now_ms):
                        logger.warning("%s: in quarantine: %s", node, why)
        except StorageUnavailableError:
            self._heard |= heard
            self._suspects = suspects | self._suspects
            raise


def _enrolled_ms(rows: Iterable[Change]) -> int | None:
    """Return when the box that a slot has got its first identity; None: it has none now."""
    live = [row.box for row in rows if row.state in LIVE]
    return (
        min((row.issued_ms for row in rows if row.box == max(live)), default=None) if live else None
    )


def _by_generation(row: Change) -> int:
    return row.generation
