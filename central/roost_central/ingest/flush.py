"""Writes presence to storage in batches, and what waits when no report brings a transaction.

What changed goes out every few seconds; that a node was merely heard, once a minute: after a crash
nobody counts as heard anyway until it is.
"""

import asyncio
import logging
from itertools import islice
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.errors import StorageRefusedError, StorageUnavailableError
from roost_central.fleet.view import Changes, FleetView, NodeRow
from roost_central.ingest.counters import Counters
from roost_central.ingest.history import History
from roost_central.ingest.notices import Notices
from roost_central.ingest.roster import Roster
from roost_central.ports import Clock
from roost_central.storage import nodes
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

FLUSH_S: Final = 2.0
HEARD_MS: Final = 60_000
NODES_MAX: Final = 1_000  # of one transaction: reports wait for it, some 50 ms


class Flush:
    """The second writer of ingest; reports have their own."""

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        *,
        database: Database,
        view: FleetView,
        roster: Roster,
        notices: Notices,
        counters: Counters,
        clock: Clock,
        book: AlarmBook,
        history: History,
    ) -> None:
        self._database = database
        self._view = view
        self._roster = roster
        self._notices = notices
        self._counters = counters
        self._clock = clock
        self._book = book
        self._history = history
        self._due: dict[str, None] = {}
        self._heard: dict[str, None] = {}
        self._heard_due_ms = clock.mono_ms() + HEARD_MS

    async def run(self) -> None:
        """Write until cancelled; ``write`` then makes an end."""
        with self._view.listen() as changes:
            try:
                while True:
                    await asyncio.sleep(FLUSH_S)
                    self._gather(changes)
                    await self.write()
                    await self._history.keep()
            finally:
                self._gather(changes)

    async def write(self) -> None:
        """Write all that is due; what storage does not take now stays due."""
        while self._due or self._notices or self._roster or self._book.is_due:
            chosen = list(islice(self._due, NODES_MAX))
            try:
                await self._transact(chosen)
            except StorageUnavailableError as err:
                self._counters.commits_failed += 1
                logger.warning("presence of %d nodes not stored: %s", len(chosen), err)
                return
            except StorageRefusedError as err:
                self._counters.commits_failed += 1
                logger.warning("presence of %d nodes refused: %s", len(chosen), err)
                if not chosen:
                    return
            for node in chosen:
                self._due.pop(node, None)
            await asyncio.sleep(0)

    def _gather(self, changes: Changes) -> None:
        new = changes.drain()
        self._due.update(new.nodes)
        self._heard.update(new.heard)
        if self._clock.mono_ms() >= self._heard_due_ms:
            self._heard_due_ms = self._clock.mono_ms() + HEARD_MS
            self._due.update(self._heard)
            self._heard = {}

    async def _transact(self, chosen: list[str]) -> None:
        async with self._database.write() as connection:
            now_ms = self._clock.wall_ms()
            entered = await self._roster.write(connection, now_ms=now_ms)
            rows = [self._view.nodes[node] for node in chosen if node in self._view.nodes]
            await nodes.save(connection, [node_record(row, now_ms) for row in rows])
            paths = [path for row in rows for path in path_records(row)]
            await nodes.save_paths(connection, [row.node for row in rows], paths)
            waiting = await self._notices.write(connection)
            written = await self._book.write(connection)
        self._book.written(written)
        self._roster.written(entered)
        self._notices.written(waiting)


def node_record(row: NodeRow, now_ms: int) -> nodes.NodeRecord:
    """Return a view's row as storage keeps it."""
    return nodes.NodeRecord(
        node=row.node,
        site=row.site,
        name=row.name,
        created_ms=now_ms,
        presence=row.presence,
        presence_since_ms=row.presence_since_ms,
        heard_ms=row.heard_ms,
        via=row.via,
        agent=row.agent,
        boot_id=_unhex(row.boot_id),
        incarnation=row.incarnation,
        uptime_s=row.uptime_s,
        interval_ms=row.interval_ms,
        clock_skew_ms=row.clock_skew_ms,
        applied_gen=row.config.applied_gen,
        applied_digest=_unhex(row.config.applied_digest),
        pending_reboot=row.config.pending_reboot,
        drift=row.config.drift,
    )


def path_records(row: NodeRow) -> list[nodes.PathRecord]:
    """Return a view's paths as storage keeps them."""
    return [
        nodes.PathRecord(
            node=row.node,
            path=path.name,
            kind=path.kind,
            state=path.state,
            since_ms=path.since_ms,
            rtt_us=path.rtt_us,
            loss_permille=path.loss_permille,
            heard_ms=path.heard_ms,
            reported_ms=path.reported_ms,
        )
        for path in row.paths.values()
    ]


def _unhex(digits: str | None) -> bytes | None:
    return bytes.fromhex(digits) if digits else None
