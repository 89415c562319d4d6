"""Beats and wills: decoded, judged by liveness, shown in the view. No storage here.

Invariants: central trusts the topic's identity, never the payload's; a beat that liveness calls old
changes nothing in the view.
"""

import asyncio
import logging
from functools import lru_cache
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.pacing import AlarmPacing
from roost_central.fleet.view import ConfigRow, FleetView, NodeRow, PathRow
from roost_central.ingest.counters import Counters
from roost_central.ingest.held import is_shut
from roost_central.ingest.inbox import Inbox, Message
from roost_central.ingest.marks import Marks
from roost_central.ingest.notices import Notices
from roost_central.ingest.receipts import Receipts
from roost_central.ingest.roster import Roster
from roost_central.ingest.sync import SyncWatch
from roost_central.inventory.pacing import ResyncPacing
from roost_central.liveness.sweep import Sweep
from roost_central.ports import Clock
from roost_protocol.beat import Beat, InventoryMark, LaneReport, PathReport
from roost_protocol.codec import Decoder
from roost_protocol.envelope import Envelope, Gone, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeId, check_path_name

SLICE: Final = 1_000  # beats before other tasks get the loop: 10 ms, and more than one read brings
NAMES_MAX: Final = 1_024  # path names remembered as well formed: a fleet has a handful

logger = logging.getLogger(__name__)

_beats: Final = Decoder[Beat](Beat)
_wills: Final = Decoder[Gone](Gone)
_check_path: Final = lru_cache(NAMES_MAX)(check_path_name)


def check_speaker(message: Message, envelope: Envelope) -> None:
    """Check that the payload says the same speaker as the topic.

    Raises:
        ProtocolError: ``identity`` or ``name``.
    """
    if envelope.node != message.node:
        raise ProtocolError("identity", field="node", got=envelope.node, bound=message.node)
    _check_path(envelope.path)


def _check_words(beat: Beat) -> None:
    """Check what is stored as text: a database that refuses one node's refuses the whole batch.

    Raises:
        ProtocolError: ``name`` or ``string``.
    """
    for report in beat.paths:
        _check_path(report.name)
    if not beat.agent.isprintable():
        raise ProtocolError("string", field="agent", got=beat.agent, bound="printable characters")


class Beats:
    """Handles beats and wills one by one, in the order they came."""

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        *,
        view: FleetView,
        sweep: Sweep,
        roster: Roster,
        notices: Notices,
        receipts: Receipts,
        marks: Marks,
        pacing: ResyncPacing,
        book: AlarmBook,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._view = view
        self._sweep = sweep
        self._roster = roster
        self._notices = notices
        self._receipts = receipts
        self._marks = marks
        self._pacing = pacing
        self._alarm_pacing = AlarmPacing()
        self._book = book
        self._counters = counters
        self._clock = clock
        self.sync = SyncWatch(lambda node: node in view.nodes)
        self._is_rewound = False

    async def run(self, inbox: Inbox) -> None:
        """Handle what the inbox holds until cancelled."""
        while True:
            await inbox.beats_wake.wait()
            inbox.beats_wake.clear()
            while inbox.beats:
                for _ in range(min(SLICE, len(inbox.beats))):
                    self.handle(inbox.beats.popleft())
                await asyncio.sleep(0)

    def handle(self, message: Message) -> None:
        """Take in one beat or will; refuse what is not well formed or of another speaker."""
        try:
            if message.leaf == "beat":
                beat = _beats.decode(message.payload)
                check_speaker(message, beat)
                _check_words(beat)
                self._beat(message, beat)
            else:
                will = _wills.decode(message.payload)
                check_speaker(message, will)
                if message.node in self._view.nodes:
                    self._enter(message)
                    self._sweep.gone(message.node, will.path, will.incarnation)
        except ProtocolError as err:
            self._notices.refuse(err.code)
            self._notices.complain(
                "280.807",
                f"a {message.leaf} was refused: {err}",
                node=message.node,
                severity=Severity.MINOR,
            )

    def _enter(self, message: Message) -> NodeRow:
        self._roster.enter(message.node, message.site)
        row = self._view.nodes[message.node]
        self._sweep.enter(row)
        return row

    def _beat(self, message: Message, beat: Beat) -> None:
        row = self._enter(message)
        old_news = self._sweep.hear(message.node, beat, message.generation)
        if old_news is not None:
            self._notices.refuse(old_news)
            return
        self._counters.beats += 1
        now_ms = self._clock.wall_ms()
        row.heard_ms = now_ms
        row.via = beat.path
        row.broker = message.broker
        row.uptime_s = beat.uptime_s
        row.clock_skew_ms = beat.sent_ms - now_ms
        self._show_paths(row, beat, now_ms)
        changed = _show_sender(row, beat)
        changed |= _show_lane(row, "alarm", beat.alarm)
        changed |= _show_lane(row, "bulk", beat.bulk)
        changed |= self._compare(row, message.broker, beat)
        self._repeat_marks(row, message.broker, beat)
        if changed:
            self._view.touch_node(row.node)
        self._view.heard(row.node)

    def _show_paths(self, row: NodeRow, beat: Beat, now_ms: int) -> None:
        new = []
        for report in beat.paths:
            path = row.paths.get(report.name)
            if path is None:
                path = self._new_path(row, report)
                new.append(report.name)
            if path.kind != report.kind:  # the value of an enum costs more than a look
                path.kind = report.kind.value
            path.since_ms = report.since_ms
            path.rtt_us = report.rtt_us
            path.reported_ms = now_ms
            if path.kind == "site":
                path.loss_permille = min(report.loss_permille, 1000)
        for name in new:  # once all are shown: an alarm tells how many others are left
            self._sweep.meet_path(NodeId(row.node), name)
        if beat.paths and len(row.paths) > len(beat.paths):
            self._forget_paths(row, {report.name for report in beat.paths})
        via = row.paths.get(beat.path)
        if via is not None:
            via.heard_ms = now_ms
            _, via.loss_permille = self._sweep.measured(NodeId(row.node), beat.path)

    def _forget_paths(self, row: NodeRow, listed: set[str]) -> None:
        """Forget what storage had of paths that the node was rid of while nobody listened."""
        for name in [name for name in row.paths if name not in listed]:
            self._sweep.forget_path(NodeId(row.node), name)

    def _new_path(self, row: NodeRow, report: PathReport) -> PathRow:
        state, _ = self._sweep.measured(NodeId(row.node), report.name)
        path = PathRow(name=report.name, kind=report.kind.value, state=state)
        row.paths[report.name] = path
        self._view.touch_node(row.node)
        return path

    def _compare(self, row: NodeRow, broker: str, beat: Beat) -> bool:
        """Compare what we have with what it says; of a shut node neither would be believed."""
        if is_shut(row):
            self._note_sync(row.node, "inventory", is_behind=False)
            self._note_sync(row.node, "alarms", is_behind=False)
            return False
        self._compare_alarms(row, broker, beat)
        changed = _show_config(row.config, beat)
        return self._compare_inventory(row, broker, beat) or changed

    def _compare_inventory(self, row: NodeRow, broker: str, beat: Beat) -> bool:
        """Ask for the inventory again where it differs though all up to it is committed."""
        said = beat.inventory
        behind = said is not None and said.digest.hex() != row.inventory_digest
        self._note_sync(row.node, "inventory", is_behind=behind)
        if behind and said is not None and beat.bulk is not None:
            self._ask_again(row.node, broker, beat.bulk, said)
        changed = behind != row.inventory_behind
        row.inventory_behind = behind
        return changed

    def _compare_alarms(self, row: NodeRow, broker: str, beat: Beat) -> None:
        """Ask for the alarms again where they differ, and just what the node means is committed."""
        if beat.alarms_digest is None or beat.alarm is None:
            return
        is_behind = beat.alarms_digest != self._book.digest(row.node)
        self._note_sync(row.node, "alarms", is_behind=is_behind)
        mark = self._marks.of(row.node, beat.alarm.stream) or 0
        if not is_behind or mark != beat.alarms_seq:
            return
        if self._alarm_pacing.may_ask(row.node, self._clock.mono_ms()):
            self._counters.alarm_resyncs += 1
            self._receipts.send(
                broker, row.node, Lane.ALARM, beat.alarm.stream, mark, resync=["alarms"]
            )

    def _note_sync(self, node: str, what: str, *, is_behind: bool) -> None:
        alarm = self.sync.note(node, what, self._clock.mono_ms(), is_behind=is_behind)
        if alarm is not None:
            self._book.signal(alarm)

    def _repeat_marks(self, row: NodeRow, broker: str, beat: Beat) -> None:
        """Say where we stand to a node that waits for nothing though we have less than it said.

        It holds a receipt for what is not here: this database went back, to a backup. The node
        believes it once it hears so a few times, and offers again what its ring holds.
        """
        for lane, said in ((Lane.ALARM, beat.alarm), (Lane.BULK, beat.bulk)):
            if said is None or said.waiting_items:
                continue
            mark = self._marks.of(row.node, said.stream)
            if mark is None or mark >= said.seq:
                continue
            if not self._is_rewound:
                self._is_rewound = True
                logger.warning(
                    "%s has receipts for more than is here: was a backup restored? Nodes are asked "
                    "to offer it again",
                    row.node,
                )
            self._receipts.send(broker, row.node, lane, said.stream, mark)

    def _ask_again(self, node: str, broker: str, bulk: LaneReport, said: InventoryMark) -> None:
        mark = self._marks.of(node, bulk.stream)
        if mark is None or mark < said.seq:
            return
        if self._pacing.may_ask(node, self._clock.mono_ms()):
            self._receipts.send(broker, node, Lane.BULK, bulk.stream, mark, resync=["inventory"])


def _show_sender(row: NodeRow, beat: Beat) -> bool:
    if row.incarnation == beat.incarnation and row.interval_ms == beat.interval_ms:
        return False  # version and boot change with the incarnation only
    row.agent = beat.agent
    row.boot_id = beat.boot_id.hex()
    row.incarnation = beat.incarnation
    row.interval_ms = beat.interval_ms
    return True


def _show_config(shown: ConfigRow, beat: Beat) -> bool:
    digest = None if beat.config_digest is None else beat.config_digest.hex()
    if (
        shown.applied_digest == digest
        and shown.pending_reboot == beat.config_pending_reboot
        and shown.drift == beat.config_drift
        and shown.applied_gen == beat.config_gen
    ):
        return False
    if digest is None:  # an agent that nobody can configure says nothing of this
        changed = shown.applied_digest is not None
        shown.applied_gen = shown.applied_digest = shown.pending_reboot = shown.drift = None
        return changed
    shown.applied_gen, shown.applied_digest = beat.config_gen, digest
    shown.pending_reboot, shown.drift = beat.config_pending_reboot, beat.config_drift
    return True


def _show_lane(row: NodeRow, lane: str, report: LaneReport | None) -> bool:
    if report is None:
        return False
    shown = row.outbox.get(lane)
    if (
        shown is not None
        and shown["waiting_items"] == report.waiting_items
        and shown["waiting_bytes"] == report.waiting_bytes
        and shown["dropped"] == report.dropped
    ):
        return False
    row.outbox[lane] = {
        "waiting_items": report.waiting_items,
        "waiting_bytes": report.waiting_bytes,
        "dropped": report.dropped,
    }
    return True
