"""Lets nodes out of quarantine that are well again, once a minute."""

import asyncio
import logging
from typing import Final

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.enrol.probation import CLEAN_MS, Probation, Seen
from roost_central.enrol.quarantine import QUARANTINE_TYPE
from roost_central.enrol.states import Cause, State
from roost_central.errors import StorageUnavailableError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.storage import audit, identities
from roost_central.storage.engine import Database
from roost_protocol.severity import Severity

logger = logging.getLogger(__name__)

LOOK_S: Final = 60.0
WELL: Final = f"well for {CLEAN_MS // 60_000} minutes"
_STOPS: Final = frozenset({Severity.CRITICAL, Severity.MAJOR})
_HEARD: Final = frozenset({"online", "degraded"})


class Release:
    """Looks at those whose certificate had ended; who is there for another cause stays."""

    def __init__(self, database: Database, view: FleetView, book: AlarmBook, clock: Clock) -> None:
        self._database = database
        self._view = view
        self._book = book
        self._clock = clock
        self._probation = Probation()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.once()
            except StorageUnavailableError as err:
                logger.warning("quarantine: nobody is let out: %s", err)

    async def once(self) -> None:
        """Let out who may leave."""
        held = [row for row in self._view.nodes.values() if row.quarantine == Cause.GRACE]
        if not held:
            return
        alarms = dict.fromkeys((row.node for row in held), 0)
        for alarm in self._book.open_alarms():
            if alarm.node in alarms and alarm.severity in _STOPS and alarm.type != QUARANTINE_TYPE:
                alarms[alarm.node] += 1
        seen = [
            Seen(row.node, row.presence in _HEARD, row.inventory_behind, alarms[row.node])
            for row in held
        ]
        for node in self._probation.handle(seen, self._clock.mono_ms()):
            await self._let_out(node)

    async def _let_out(self, node: str) -> None:
        now_ms = self._clock.wall_ms()
        async with self._database.write() as connection:
            rows = await identities.of_node(connection, node)
            held = [row for row in rows if row.state is State.QUARANTINED]
            if not held or any(row.quarantine is not Cause.GRACE for row in held):
                return  # somebody decided otherwise meanwhile
            await identities.release(connection, node, now_ms=now_ms, reason=WELL)
            detail = {"generations": [row.generation for row in held]}
            act = Act(now_ms, audit.CENTRE, "", "node.release", node, detail, reason=WELL)
            await audit.add(connection, act)
        logger.info("%s: out of quarantine: %s", node, WELL)
