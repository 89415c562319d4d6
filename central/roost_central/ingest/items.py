"""One report item after the other into the transaction, and what it will have done.

An item that cannot be read goes to the dead letters in the same transaction: it must not stop the
stream. Alarms stand in the event log too; what they mean for the alarm set is decided there.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.facts import Event as AlarmEvent
from roost_central.alarms.facts import Said, SetSaid
from roost_central.delivery import told
from roost_central.fleet.entity import entity_of
from roost_central.fleet.view import FleetView, NodeRow, SettingsWord
from roost_central.hosts import told as hosts
from roost_central.hosts.core import HostsWord, words_of
from roost_central.ingest import held, vouched
from roost_central.ingest.inbox import Message
from roost_central.ingest.notices import fault
from roost_central.inventory import apply as inventory
from roost_central.inventory.core import Unfit
from roost_central.orders import outcome
from roost_central.samples.merge import merged
from roost_central.storage import (
    bmc_reports,
    dead_letters,
    events,
    held_items,
    node_samples,
)
from roost_central.storage.bmc_reports import BmcRecord
from roost_central.storage.last_reports import HA, HOST, SOFTWARE, UPDATES, LastReport
from roost_protocol.alarm import Alarm, AlarmSet, Event, Scalar
from roost_protocol.bmc_report import BmcReport
from roost_protocol.codec import Decoder, unpack
from roost_protocol.envelope import Gap, Item, ItemKind, Report
from roost_protocol.errors import ProtocolError
from roost_protocol.ha_report import HA_DECISION, HA_ROLE, HaReport
from roost_protocol.host_report import HostReport
from roost_protocol.samples import SUMMARY, Samples
from roost_protocol.severity import Severity
from roost_protocol.topics import check_name, node_id
from roost_protocol.update import JobReport, SoftwareReport

logger = logging.getLogger(__name__)

_events: Final = Decoder[Event](Event)
_alarms: Final = Decoder[Alarm](Alarm)
_alarm_sets: Final = Decoder[AlarmSet](AlarmSet)
_ha_reports: Final = Decoder[HaReport](HaReport)
_bmc_reports: Final = Decoder[BmcReport](BmcReport)
_host_reports: Final = Decoder[HostReport](HostReport)
_gaps: Final = Decoder[Gap](Gap)
_samples: Final = Decoder[Samples](Samples)
_updates: Final = Decoder[JobReport](JobReport)
_software: Final = Decoder[SoftwareReport](SoftwareReport)

_OF_HA: Final = frozenset({HA_DECISION, HA_ROLE})

_Writer = Callable[[Message, Item, bytes], Awaitable[None]]


@dataclass(slots=True)
class Effects:
    """What a transaction does once it is committed.

    Attributes:
        heads: the inventory of nodes from then on.
        ha: the last word of nodes on local HA.
        hosts: the words that count on the hosts of sites.
        samples: what nodes answered, each with its node.
        software: what nodes run; ``updates``: their last words on updates.
        unfit: nodes that must say their inventory again.
        refused: code of each item that went to the dead letters.
    """

    items: int = 0
    heads: dict[str, inventory.Head] = field(default_factory=dict)
    ha: dict[str, LastReport[HaReport]] = field(default_factory=dict)
    hosts: dict[str, tuple[HostsWord, ...]] = field(default_factory=dict)
    samples: list[tuple[str, Samples]] = field(default_factory=list)
    software: dict[str, LastReport[SoftwareReport]] = field(default_factory=dict)
    updates: dict[str, LastReport[JobReport]] = field(default_factory=dict)
    settings: dict[str, SettingsWord] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def show(self, view: FleetView) -> None:
        """Put the new inventory heads and the words of nodes on themselves into the view."""
        for node, head in self.heads.items():
            row = view.nodes.get(node)
            if row is not None:
                row.inventory_gen = head.gen
                row.inventory_digest = head.digest.hex()
                row.inventory_as_of_ms = head.as_of_ms
                row.inventory_behind = False
                view.touch_node(node)
        for node, record in self.ha.items():
            row = view.nodes.get(node)
            if row is not None:
                row.ha, row.ha_at_ms = record.report, record.at_ms
                view.touch_node(node)
        for site, words in self.hosts.items():
            view.put_hosts(site, words_of(words))
        for node in {**self.software, **self.updates, **self.settings}:
            row = view.nodes.get(node)
            if row is not None:
                self._show_said(row)
                view.touch_node(node)

    def _show_said(self, row: NodeRow) -> None:
        node = row.node
        if node in self.software:
            row.software = self.software[node].report.components
        if node in self.updates:
            row.update = self.updates[node].report
        row.settings = self.settings.get(node, row.settings)


class ItemWriter:
    """Writes the items of one transaction."""

    def __init__(self, connection: AsyncConnection, *, catalogue: Catalogue, now_ms: int) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._inventories = inventory.Batch(connection, now_ms=now_ms)
        self._now_ms = now_ms
        self._events: list[events.NewEvent] = []
        self._letters: list[dead_letters.NewDeadLetter] = []
        self._hosts: dict[str, LastReport[HostReport]] = {}
        self._boards: dict[str, BmcRecord] = {}
        self._days: dict[str, list[Samples]] = {}
        self._apart: list[held_items.NewHeldItem] = []
        self.effects = Effects()
        self.alarms: list[AlarmEvent] = []
        self._writers: dict[ItemKind, _Writer] = {
            ItemKind.INVENTORY: self._inventory,
            ItemKind.EVENT: self._event,
            ItemKind.HA: self._ha,
            ItemKind.HOST: self._host,
            ItemKind.HOSTS: self._site_hosts,
            ItemKind.BMC: self._bmc,
            ItemKind.ALARM: self._alarm,
            ItemKind.ALARM_SET: self._alarm_set,
            ItemKind.GAP: self._gap,
            ItemKind.ORDER: self._order,
            ItemKind.CONFIG: self._config,
            ItemKind.SAMPLES: self._measured,
            ItemKind.UPDATE: self._update,
            ItemKind.SOFTWARE: self._software,
        }

    async def write(self, message: Message, item: Item, *, spoilt: str | None = None) -> None:
        """Write one item, or put it among the dead letters.

        Args:
            message: the report it came in.
            item: the item.
            spoilt: why storage refused the report's items before; none of them is tried again.
        """
        self.effects.items += 1
        if spoilt is not None:
            self._bury(message, item, ProtocolError("unstorable", detail=spoilt))
            return
        try:
            writer = self._writers.get(item.kind, self._unknown)
            await writer(message, item, unpack(item.body, compressed=item.compressed))
        except ProtocolError as err:
            self._bury(message, item, err)

    def keep_apart(self, report: Report) -> None:
        """Keep the items of a report where they change nothing of the fleet."""
        self.effects.items += len(report.items)
        self._apart += held.held_items(report, now_ms=self._now_ms)

    async def flush(self) -> None:
        """Write what was gathered."""
        await held_items.append(self._connection, self._apart)
        for each in await self._inventories.flush():
            self._note(each)
        said = self.effects
        await HA.save(self._connection, said.ha.values())
        await HOST.save(self._connection, self._hosts.values())
        await SOFTWARE.save(self._connection, said.software.values())
        await UPDATES.save(self._connection, said.updates.values())
        await bmc_reports.save(self._connection, list(self._boards.values()))
        await self._flush_days()
        await events.append(self._connection, self._events)
        await dead_letters.append(self._connection, self._letters)

    async def _inventory(self, message: Message, _item: Item, body: bytes) -> None:
        self._inventories.add(message.node, inventory.decode(body))

    async def _event(self, message: Message, item: Item, body: bytes) -> None:
        said = _events.decode(body)
        kind = "ha" if said.type in _OF_HA else "node"
        self._keep(message, item, said, kind=kind, text=said.text)

    async def _ha(self, message: Message, item: Item, body: bytes) -> None:
        report = _ha_reports.decode(body)
        self.effects.ha[message.node] = LastReport(message.node, item.at_ms, self._now_ms, report)

    async def _host(self, message: Message, item: Item, body: bytes) -> None:
        report = _host_reports.decode(body)
        self._hosts[message.node] = LastReport(message.node, item.at_ms, self._now_ms, report)

    async def _measured(self, message: Message, _item: Item, body: bytes) -> None:
        said = _samples.decode(body)
        said.check()
        if said.ask == SUMMARY:
            self._days.setdefault(message.node, []).append(said)
        else:
            self.effects.samples.append((message.node, said))

    async def _flush_days(self) -> None:
        """Join what nodes told of their last hour with the day that is kept of them."""
        if not self._days:
            return
        days = await node_samples.load(self._connection, self._days)
        for node, words in self._days.items():
            for said in words:
                days[node] = merged(days.get(node), said)
        await node_samples.save(self._connection, days, received_ms=self._now_ms)

    async def _bmc(self, message: Message, item: Item, body: bytes) -> None:
        """Note a controller: of a machine of the speaker's own site, whatever it says."""
        report = _bmc_reports.decode(body)
        node = node_id(message.site, check_name(report.node, field="node"))
        self._boards[node] = BmcRecord(node, message.node, item.at_ms, self._now_ms, report)

    async def _site_hosts(self, message: Message, item: Item, body: bytes) -> None:
        taken = await hosts.take_in(
            self._connection, message.node, body, at_ms=item.at_ms, now_ms=self._now_ms
        )
        if taken is not None:
            self.effects.hosts[message.site] = taken.words
            self._events += taken.moved
            self.alarms += taken.alarms

    async def _alarm(self, message: Message, item: Item, body: bytes) -> None:
        said = _alarms.decode(body)
        said.check()
        self._check_type(said.type)
        self.alarms.append(Said(message.node, said, item.at_ms))
        self._keep(message, item, said, kind="alarm", text=f"{said.change.value}: {said.text}")

    async def _alarm_set(self, message: Message, item: Item, body: bytes) -> None:
        part = _alarm_sets.decode(body)
        part.check()
        for state in part.alarms:
            self._check_type(state.type)
        self.alarms.append(SetSaid(message.node, part, item.at_ms))

    def _check_type(self, type_: str) -> None:
        """Refuse what is said of a node by others: it must not end what stands against it.

        Raises:
            ProtocolError: ``type``.
        """
        if not self._catalogue.is_of_nodes(type_):
            raise ProtocolError("type", field="type", got=type_, bound="a type that nodes raise")

    async def _gap(self, message: Message, item: Item, body: bytes) -> None:
        gap = _gaps.decode(body)
        lost: dict[str, Scalar] = {"first": gap.first, "last": gap.last, "reason": gap.reason}
        self.alarms.append(fault("280.804", message.node, Severity.MAJOR, lost))
        self._events.append(
            events.NewEvent(
                at_ms=item.at_ms,
                received_ms=self._now_ms,
                kind="ingest",
                type="280.804",
                severity=Severity.MAJOR,
                text=f"reports {gap.first}..{gap.last} lost: {gap.reason}",
                site=message.site,
                node=message.node,
                entity=entity_of(message.site, message.node),
                params={"from": gap.first, "to": gap.last},
            )
        )

    async def _order(self, message: Message, _item: Item, body: bytes) -> None:
        event = await outcome.take_in(self._connection, message.node, body, now_ms=self._now_ms)
        if event is not None:
            self._events.append(event)

    async def _config(self, message: Message, item: Item, body: bytes) -> None:
        event = await told.take_in(
            self._connection, message.node, body, at_ms=item.at_ms, now_ms=self._now_ms
        )
        self.effects.settings[message.node] = told.word_of(body, now_ms=self._now_ms)
        if event is not None:
            self._events.append(event)

    async def _update(self, message: Message, item: Item, body: bytes) -> None:
        report = _updates.decode(body)
        report.check()
        last = self.effects.updates.get(message.node)
        last = last or await UPDATES.find(self._connection, message.node)
        before = None if last is None else last.report
        kept, missing = await vouched.taken(self._connection, message.node, report, before)
        if missing:
            logger.warning("%s: update %s: %s", message.node, report.job, missing)
        record = LastReport(message.node, item.at_ms, self._now_ms, kept)
        self.effects.updates[message.node] = record

    async def _software(self, message: Message, item: Item, body: bytes) -> None:
        report = _software.decode(body)
        record = LastReport(message.node, item.at_ms, self._now_ms, report)
        self.effects.software[message.node] = record

    async def _unknown(self, _message: Message, item: Item, _body: bytes) -> None:
        raise ProtocolError("kind", got=item.kind, bound=", ".join(sorted(self._writers)))

    def _note(self, outcome: inventory.Outcome) -> None:
        """Note what an inventory document came to."""
        node, head = outcome.node, outcome.result
        if isinstance(head, Unfit):
            logger.info("%s: inventory %d does not fit: %s", node, outcome.gen, head.why)
            self.effects.unfit[node] = head.why
        elif head is not None:
            self.effects.heads[node] = head
            self.effects.unfit.pop(node, None)

    def _keep(
        self, message: Message, item: Item, said: Event | Alarm, *, kind: str, text: str
    ) -> None:
        self._events.append(
            events.NewEvent(
                at_ms=item.at_ms,
                received_ms=self._now_ms,
                kind=kind,
                type=said.type,
                severity=said.severity,
                text=text,
                site=message.site,
                node=message.node,
                entity=entity_of(message.site, message.node, said.entity),
                params=dict(said.params),
            )
        )

    def _bury(self, message: Message, item: Item, err: ProtocolError) -> None:
        self.effects.refused.append(err.code)
        refused: dict[str, Scalar] = {"reason": f"{item.kind.value} item {item.seq}: {err}"}
        self.alarms.append(fault("280.807", message.node, Severity.MINOR, refused))
        self._letters.append(
            dead_letters.NewDeadLetter(
                received_ms=self._now_ms,
                node=message.node,
                topic=f"{message.node} item {item.seq}",
                code=err.code,
                detail=f"{item.kind.value} item {item.seq}: {err}",
                payload=item.body,
            )
        )
        self._events.append(
            events.NewEvent(
                at_ms=item.at_ms,
                received_ms=self._now_ms,
                kind="ingest",
                type="280.807",
                severity=Severity.MINOR,
                text=f"{item.kind.value} item {item.seq} is a dead letter: {err}",
                site=message.site,
                node=message.node,
                entity=entity_of(message.site, message.node),
                params={"seq": item.seq, "code": err.code},
            )
        )
