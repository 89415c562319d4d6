"""Reports: gathered into batches, one transaction a batch, receipts after its COMMIT.

Invariants: a receipt is sent only for what is on disk; an item takes effect once, by the mark of
its stream; when a transaction fails nothing is receipted, marks are read anew, and the agents send
again; an item that can never be stored goes to the dead letters and the stream goes on.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from roost_central.alarms.book import AlarmBook, Written
from roost_central.errors import StorageRefusedError, StorageUnavailableError
from roost_central.fleet.view import FleetView
from roost_central.ingest.beats import check_speaker
from roost_central.ingest.core import Ledger, Verdict
from roost_central.ingest.counters import Counters
from roost_central.ingest.forks import Forks
from roost_central.ingest.held import is_shut
from roost_central.ingest.inbox import Inbox, Message
from roost_central.ingest.items import Effects, ItemWriter
from roost_central.ingest.marks import Marks
from roost_central.ingest.notices import Notices, Waiting
from roost_central.ingest.receipts import Receipts
from roost_central.ingest.roster import Roster
from roost_central.inventory.pacing import ResyncPacing
from roost_central.ports import Clock
from roost_central.storage.dead_letters import NewDeadLetter
from roost_central.storage.engine import Database
from roost_protocol.codec import Decoder
from roost_protocol.envelope import Lane, Report
from roost_protocol.errors import ProtocolError
from roost_protocol.samples import Samples
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeId

logger = logging.getLogger(__name__)

TakeSamples: TypeAlias = Callable[[str, Samples], None]

BATCH_ITEMS_MAX: Final = 2_000  # past it a transaction gains nothing and everyone waits for it
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024  # inventory is heavy: about a second of applying it
BATCH_MS_MAX: Final = 50  # what a receipt may wait for company
TRIES_MAX: Final = 3  # transactions of one batch; the agents send again after 30 s
FAILED_PAUSE_S: Final = 1.0  # after a failed transaction: a full disk must not cost a whole core

_decoder: Final = Decoder[Report](Report)
_UNSTORABLE: Final = (StorageRefusedError, OverflowError, UnicodeError, ValueError)


@dataclass(slots=True)
class Batch:
    """Decoded reports of one transaction, with the messages they came in."""

    reports: list[tuple[Message, Report]] = field(default_factory=list)
    items: int = 0
    size_bytes: int = 0
    tries: int = 0

    @property
    def is_full(self) -> bool:
        """Whether it is worth a transaction now."""
        return self.items >= BATCH_ITEMS_MAX or self.size_bytes >= BATCH_BYTES_MAX

    @property
    def nodes(self) -> set[str]:
        """The speakers."""
        return {report.node for _, report in self.reports}


@dataclass(slots=True)
class _Outcome:
    """What one transaction did, to be shown once it is committed."""

    ledger: Ledger
    effects: Effects
    alarms: Written
    waiting: Waiting
    entered: list[NodeId]
    applied: list[Report]
    duplicates: list[Report]


class Reports:
    """The one writer of what agents report."""

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        *,
        database: Database,
        view: FleetView,
        marks: Marks,
        roster: Roster,
        notices: Notices,
        receipts: Receipts,
        pacing: ResyncPacing,
        book: AlarmBook,
        counters: Counters,
        clock: Clock,
        suspect: Callable[[str, str], None],
    ) -> None:
        self._database = database
        self._view = view
        self._marks = marks
        self._roster = roster
        self._notices = notices
        self._receipts = receipts
        self._pacing = pacing
        self._book = book
        self._counters = counters
        self._clock = clock
        self._suspect = suspect
        # Takes what nodes answered, once it is receipted; app.py joins them.
        self.on_samples: TakeSamples = lambda _node, _said: None
        self._forks = Forks(lambda node: view.nodes[node].sent_ms if node in view.nodes else None)
        self._in_hand = Batch()

    def waits_ms(self, inbox: Inbox, now_ms: int) -> int:
        """Return for how long the oldest report has waited for its transaction."""
        reports = self._in_hand.reports
        oldest = reports[0][0] if reports else inbox.oldest_report
        return now_ms - oldest.arrived_ms if oldest is not None else 0

    async def run(self, inbox: Inbox) -> None:
        """Write what the inbox holds until cancelled; ``finish`` then ends the batch in hand."""
        while True:
            if not self._in_hand.reports:
                await inbox.reports_wake.wait()
            await self._gather(inbox)
            if not await self._write_in_hand():
                await asyncio.sleep(FAILED_PAUSE_S)

    async def finish(self, inbox: Inbox) -> None:
        """Write the batch in hand and what waits, once; for the end of the process."""
        self._marks.forget(self._in_hand.nodes)  # whether it was committed is not known
        while not self._in_hand.is_full and (message := inbox.take_report()) is not None:
            self._accept(message)
        await self._write_in_hand()

    async def _gather(self, inbox: Inbox) -> None:
        """Fill the batch: until it is full, or BATCH_MS_MAX after its first report."""
        batch = self._in_hand
        try:
            async with asyncio.timeout(BATCH_MS_MAX / 1000):
                while not batch.is_full:
                    message = inbox.take_report()
                    if message is None:
                        inbox.reports_wake.clear()
                        await inbox.reports_wake.wait()
                        continue
                    self._counters.lag_ms = self._clock.mono_ms() - message.arrived_ms
                    self._accept(message)
        except TimeoutError:
            pass  # no more company came
        if inbox.reports:
            inbox.reports_wake.set()

    def _accept(self, message: Message) -> None:
        """Decode a report into the batch, or refuse it whole: no receipt can name its stream."""
        try:
            report = _decoder.decode(message.payload)
            check_speaker(message, report)
            report.check_order()
        except ProtocolError as err:
            self._notices.refuse(err.code)
            self._bury(message, err.code, str(err), message.payload)
            return
        self._roster.enter(message.node, message.site)
        self._note_two(report.node, self._forks.hear(report, message.arrived_ms))
        self._counters.reports += 1
        self._in_hand.reports.append((message, report))
        self._in_hand.items += max(1, len(report.items))
        self._in_hand.size_bytes += len(message.payload)

    def _note_two(self, node: str, why: str | None) -> None:
        if why is not None:
            self._suspect(node, why)

    async def _write_in_hand(self) -> bool:
        """Write the batch in hand; return false where that failed. After TRIES_MAX it is dropped.

        Nothing of a dropped batch is receipted, so the agents send it again.
        """
        batch = self._in_hand
        try:
            if batch.reports:
                await self._write(batch)
        except (StorageUnavailableError, *_UNSTORABLE) as err:
            self._note_failure(batch, err)
            batch.tries += 1
            if batch.tries >= TRIES_MAX:
                self._in_hand = Batch()
            return False
        self._in_hand = Batch()
        return True

    def _note_failure(self, batch: Batch, err: Exception) -> None:
        self._counters.commits_failed += 1
        self._marks.forget(batch.nodes)
        logger.warning("%d reports not stored, so not receipted: %s", len(batch.reports), err)
        self._notices.complain(
            "210.803", f"reports cannot be stored: {err}", node=None, severity=Severity.MAJOR
        )

    async def _write(self, batch: Batch) -> None:
        """Commit a batch; where a value is refused, each report alone, so that one spoils none."""
        try:
            await self._commit(batch)
        except _UNSTORABLE as err:
            self._note_failure(batch, err)
            if len(batch.reports) > 1:
                for message, report in batch.reports:
                    await self._write(Batch([(message, report)]))
                return
            await self._commit(batch, spoilt=str(err))

    async def _commit(self, batch: Batch, *, spoilt: str | None = None) -> None:
        """One transaction, then marks, view and receipts; none for reports without items.

        Each node asks every five minutes where it stands: that must not cost the fleet's disk.
        """
        await self._marks.load(self._database, batch.nodes)
        if not any(report.items for _, report in batch.reports):  # questions: nothing to write
            self._send_receipts(batch, Ledger(self._marks.committed), Effects())
            return
        started_ms = self._clock.mono_ms()
        outcome = await self._transact(batch, spoilt)
        self._counters.commits += 1
        self._counters.commit_ms = self._clock.mono_ms() - started_ms
        self._marks.commit(outcome.ledger.moved)
        self._book.written(outcome.alarms)
        self._notices.written(outcome.waiting)
        self._roster.written(outcome.entered)
        self._counters.duplicates += len(outcome.duplicates)
        for report in outcome.applied:
            self._forks.applied(report)
        for report in outcome.duplicates:
            self._note_two(report.node, self._forks.repeated(report))
        self._counters.items += outcome.effects.items
        outcome.effects.show(self._view)
        for node, said in outcome.effects.samples:
            self.on_samples(node, said)
        self._send_receipts(batch, outcome.ledger, outcome.effects)

    async def _transact(self, batch: Batch, spoilt: str | None) -> _Outcome:
        now_ms = self._clock.wall_ms()
        ledger = Ledger(self._marks.committed)
        lanes: dict[tuple[str, bytes], str] = {}
        async with self._database.write() as connection:
            entered = await self._roster.write(connection, now_ms=now_ms)
            writer = ItemWriter(connection, catalogue=self._book.catalogue, now_ms=now_ms)
            applied, duplicates = list[Report](), list[Report]()
            for message, report in batch.reports:
                lanes[report.node, report.stream] = report.lane.value
                match ledger.judge(report):
                    case Verdict.APPLY:
                        applied.append(report)
                        await self._apply(writer, message, report, spoilt)
                    case Verdict.DUPLICATE:
                        duplicates.append(report)
                    case Verdict.AHEAD:
                        pass
            await writer.flush()
            await self._marks.save(connection, ledger.moved, lanes, now_ms=now_ms)
            waiting = await self._notices.write(connection)
            alarms = await self._book.write(connection, writer.alarms)
        return _Outcome(ledger, writer.effects, alarms, waiting, entered, applied, duplicates)

    async def _apply(
        self, writer: ItemWriter, message: Message, report: Report, spoilt: str | None
    ) -> None:
        """Write the items of a report; of a node that a human has to choose about, apart."""
        if is_shut(self._view.nodes.get(report.node)):
            writer.keep_apart(report)
            return
        for item in report.items:
            await writer.write(message, item, spoilt=spoilt)

    def _send_receipts(self, batch: Batch, ledger: Ledger, effects: Effects) -> None:
        """One receipt for each stream and broker, with the mark that is committed now."""
        self._counters.dead_letters += len(effects.refused)
        for code in effects.refused:
            self._notices.refuse(code)
        due: dict[tuple[str, str, Lane, bytes], int] = {
            (message.broker, report.node, report.lane, report.stream): ledger.mark(
                (report.node, report.stream)
            )
            for message, report in batch.reports
        }
        now_ms = self._clock.mono_ms()
        for (broker, node, lane, stream), seq in due.items():
            again = node in effects.unfit and self._pacing.may_ask(node, now_ms)
            resync = ["inventory"] if again else []
            self._receipts.send(broker, node, lane, stream, seq, resync=resync)

    def _bury(self, message: Message, code: str, detail: str, payload: bytes) -> None:
        self._notices.bury(
            NewDeadLetter(
                received_ms=self._clock.wall_ms(),
                node=message.node,
                topic=f"{message.node} {message.leaf}",
                code=code,
                detail=detail,
                payload=payload,
            )
        )
        self._notices.complain(
            "280.807", f"a report was refused: {detail}", node=message.node, severity=Severity.MINOR
        )
