"""Keeps history within its bounds, and says when a size becomes tight (210.803)."""

import logging
from collections import Counter
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.book import AlarmBook
from roost_central.errors import StorageError
from roost_central.ports import Clock
from roost_central.storage import alarms, audit, events, held_items, incidents, inventory
from roost_central.storage.engine import Database
from roost_central.storage.retention import Retention, is_tight
from roost_protocol.severity import Severity

logger = logging.getLogger(__name__)

PRUNE_MS: Final = 3_600_000
FIRST_MS: Final = 60_000  # after the start: what is tight is told soon
BATCH_ROWS_MAX: Final = 10_000  # of one history in a transaction: reports wait for it, some 0.2 s
PRESSURE: Final = "210.803"


class History:
    """Prunes once an hour; much of it in several transactions, with a pause between them.

    Args:
        database: holds the histories.
        retention: their bounds.
        book: what raises the alarm of a tight size.
        clock: for the hour, and the age of rows.
        batch_rows: at most so many of each history in one transaction.
    """

    def __init__(
        self,
        database: Database,
        retention: Retention,
        *,
        book: AlarmBook,
        clock: Clock,
        batch_rows: int = BATCH_ROWS_MAX,
    ) -> None:
        self._database = database
        self._retention = retention
        self._book = book
        self._clock = clock
        self._batch_rows = batch_rows
        self._due_ms = clock.mono_ms() + FIRST_MS
        self._untold: Counter[str] = Counter()  # went in this purge, which is not through

    async def keep(self) -> None:
        """Prune where that is due: one transaction; what is left goes with the next call.

        What storage does not do now is done in an hour.
        """
        if self._clock.mono_ms() < self._due_ms:
            return
        self._due_ms = self._clock.mono_ms() + PRUNE_MS
        now_ms, kept = self._clock.wall_ms(), self._retention
        try:
            async with self._database.write() as connection:
                gone = await self._prune(connection, now_ms)
                has_more = max(gone.values()) == self._batch_rows
                untold = self._untold + gone
                if not has_more:
                    told = [_purged(what, n, now_ms) for what, n in untold.items()]
                    await events.append(connection, told)
                alarm_rows = await alarms.span(connection)
                event_rows = await events.span(connection)
        except StorageError as err:
            logger.warning("history not pruned: %s", err)
            return
        self._untold = untold if has_more else Counter()
        if has_more:
            self._due_ms = self._clock.mono_ms()
            return
        self._judge("alarm_event", alarm_rows, kept.alarm_rows)
        self._judge("event", event_rows, kept.event_rows)

    async def _prune(self, connection: AsyncConnection, now_ms: int) -> Counter[str]:
        """Remove some of what is past its bounds; what is few goes at once."""
        kept, limit = self._retention, self._batch_rows
        await incidents.prune(connection, now_ms=now_ms, days_max=kept.alarm_days)
        await audit.prune(connection, now_ms=now_ms, days_max=kept.audit_days)
        await held_items.prune(connection, now_ms=now_ms)
        return Counter(
            {
                "transitions of alarms": await alarms.prune(
                    connection,
                    now_ms=now_ms,
                    limit=limit,
                    rows_max=kept.alarm_rows,
                    days_max=kept.alarm_days,
                ),
                "events": await events.prune(
                    connection,
                    now_ms=now_ms,
                    limit=limit,
                    rows_max=kept.event_rows,
                    days_max=kept.event_days,
                ),
                "changes of inventory": await inventory.prune_changes(
                    connection, now_ms=now_ms, limit=limit
                ),
            }
        )

    def _judge(self, table: str, rows: int, rows_max: int) -> None:
        entity = f"central=roost,table={table}"
        was_tight = any(
            row.type == PRESSURE and row.entity == entity for row in self._book.open_alarms()
        )
        tight = is_tight(rows, rows_max, was_tight=was_tight)
        if tight and not was_tight:
            share = f"{100 * rows / rows_max:.0f} % of {rows_max:,} rows"
            reason = f"History {table} has {share}: the oldest go by number, not by age"
            self._book.raise_own(PRESSURE, entity, Severity.MINOR, {"reason": reason})
        elif was_tight and not tight:
            self._book.clear_own(PRESSURE, entity)


def _purged(what: str, count: int, now_ms: int) -> events.NewEvent:
    """Return the event of a purge: what is gone must not be missed in silence."""
    return events.NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind="central",
        type="210.805",
        severity=Severity.WARNING,
        text=f"{count} {what} were past their time or number and are gone",
        entity="central=roost",
        params={"count": count},
    )
