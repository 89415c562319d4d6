"""Ingest as one service: joins brokers, inbox, loops and storage; one TaskGroup.

Everything it does is in the parts; here is only who gets what, and the order of the end: first no
more is taken in, then the batch in hand is written and receipted, then the brokers are left.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.errors import StorageError
from roost_central.fleet.view import FleetView
from roost_central.ingest.beats import Beats
from roost_central.ingest.canary import Canary
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.counters import BrokerStatus, Counters
from roost_central.ingest.evictions import Evictions
from roost_central.ingest.flush import Flush
from roost_central.ingest.history import History
from roost_central.ingest.inbox import Inbox, ToWitness
from roost_central.ingest.lagging import LagWatch
from roost_central.ingest.left_standing import take_over
from roost_central.ingest.marks import Marks
from roost_central.ingest.mqtt import BrokerLink, Listener, MqttLink
from roost_central.ingest.notices import Notices
from roost_central.ingest.receipts import Receipts
from roost_central.ingest.reports import Reports, TakeSamples
from roost_central.ingest.roster import Roster
from roost_central.ingest.seals import NobodyEnrolled, Seals
from roost_central.inventory.pacing import ResyncPacing
from roost_central.liveness.facts import Limits
from roost_central.liveness.sweep import Sweep
from roost_central.ports import Clock, Entropy
from roost_central.storage import settings
from roost_central.storage.engine import Database
from roost_protocol.envelope import SamplesAsk
from roost_protocol.topics import NodeId, NodeTopics, canary_topic

logger = logging.getLogger(__name__)

STOP_S_MAX: Final = 5.0  # for the batch in hand at the end; what it misses is sent again
TAG_BYTES: Final = 8  # of our own topic: other workers have theirs
GAUGE_S: Final = 0.5  # how old the gauges of GET /status may be

LinkFactory = Callable[[BrokerAddress, Listener], BrokerLink]


class IngestService:
    """Takes in what the fleet says, from the given brokers into view and storage.

    Args:
        database: open.
        view: restored from storage.
        clock: of this machine.
        entropy: of this machine.
        config: brokers, shards, admission.
        book: the alarms.
        seals: of the enrolled; None where nobody is.
        to_witness: takes frames of local HA.
        link: makes the connection to a broker; the simulator passes its own, and has no canary.
    """

    def __init__(  # noqa: PLR0913 - the ports of a whole service
        self,
        database: Database,
        view: FleetView,
        clock: Clock,
        entropy: Entropy,
        config: IngestConfig,
        *,
        book: AlarmBook,
        seals: Seals | None = None,
        to_witness: ToWitness | None = None,
        link: LinkFactory | None = None,
    ) -> None:
        self.counters = Counters(
            brokers=[BrokerStatus(broker.name, broker.url) for broker in config.brokers]
        )
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._statuses = {status.name: status for status in self.counters.brokers}
        self._book = book
        self._notices = Notices(clock, self.counters, book.signal)
        roster = Roster(view, config)
        seals = seals or Seals(NobodyEnrolled(), (), config.bare_brokers)
        self._seals = seals
        self._bare_brokers = config.bare_brokers
        self._inbox = Inbox(config, roster, seals, self._notices, clock)
        self._inbox.to_witness = to_witness
        self._receipts = Receipts(view, self, seals, clock=clock, counters=self.counters)
        self._marks = Marks()
        self._view = view
        self._sweep = Sweep(
            frozenset(self._statuses),
            view,
            clock=clock,
            tell=self._notices.say,
            signal=book.signal,
            suspect=seals.identities.suspect,
            limits=Limits(settle_ms=config.settle_s * 1000),
        )
        self._evictions = Evictions(seals, view, config.brokers, self._sweep.starts)
        pacing = ResyncPacing()
        self._beats = Beats(
            view=view,
            sweep=self._sweep,
            roster=roster,
            notices=self._notices,
            receipts=self._receipts,
            marks=self._marks,
            pacing=pacing,
            book=book,
            counters=self.counters,
            clock=clock,
        )
        self._reports = Reports(
            database=database,
            view=view,
            marks=self._marks,
            roster=roster,
            notices=self._notices,
            receipts=self._receipts,
            pacing=pacing,
            book=book,
            counters=self.counters,
            clock=clock,
            suspect=seals.identities.suspect,
        )
        self._lag = LagWatch()
        self._flush = Flush(
            database=database,
            view=view,
            roster=roster,
            notices=self._notices,
            counters=self.counters,
            clock=clock,
            book=book,
            history=History(database, config.retention, book=book, clock=clock),
        )
        shards = config.shards
        self._canary_topic = canary_topic(entropy.token(TAG_BYTES).hex())
        also = (self._canary_topic,)
        make = link or (
            lambda address, listener: MqttLink(
                address, shards, listener=listener, entropy=entropy, also=also
            )
        )
        self._links = {broker.name: make(broker, self) for broker in config.brokers}
        self._canaries = {
            broker.name: Canary(
                broker, self._canary_topic, entropy=entropy, tell=self._canary_of(broker.name)
            )
            for broker in (config.brokers if link is None else ())
        }

    async def run(self) -> None:
        """Run until cancelled; then end the batch in hand.

        Raises:
            StorageUnavailableError: storage cannot be read at the start.
        """
        async with self._database.write() as connection:
            self._receipts.epoch = await settings.central_epoch(connection, self._entropy)
            await self._book.load(connection)
        self._take_over_alarms()
        await self._marks.load(self._database, set(self._view.nodes))
        async with asyncio.TaskGroup() as brokers:
            tasks = [
                brokers.create_task(link.run(), name=f"central.ingest.mqtt[{name}]")
                for name, link in self._links.items()
            ]
            tasks += [
                brokers.create_task(canary.run(), name=f"central.ingest.canary[{name}]")
                for name, canary in self._canaries.items()
            ]
            try:
                await self._run_loops()
            finally:
                await self._finish()
                for task in tasks:
                    task.cancel()

    def on_message(self, broker: str, topic: str, payload: bytes, *, retained: bool) -> None:
        """See Listener."""
        if topic == self._canary_topic:
            self._canaries[broker].heard(payload)
            return
        self._inbox.offer(broker, topic, payload, retained=retained)

    def on_up(self, broker: str) -> None:
        """See Listener."""
        self._set_state(broker, "connected")
        if broker in self._canaries:
            self._canaries[broker].up()
        self._sweep.broker_up(broker)

    def on_down(self, broker: str) -> None:
        """See Listener."""
        self._set_state(broker, "lost")
        if broker in self._canaries:
            self._canaries[broker].down()
        self._sweep.broker_down(broker)

    def publish(self, broker: str, topic: str, payload: bytes) -> bool:
        """See Publisher."""
        return self._links[broker].publish(topic, payload)

    def send_frame(self, broker: str, node: str, payload: bytes) -> bool:
        """Send a frame of local HA to a node; it is asked for again where it does not arrive."""
        topic = NodeTopics.of(node).ha_down
        message = self._seals.seal(NodeId(node), topic, payload)
        return message is not None and self._links[broker].publish(topic, message, qos=0)

    @property
    def is_deaf(self) -> bool:
        """Whether nothing comes through any broker."""
        return self._sweep.is_deaf

    def speaks_with(self, node: str) -> int | None:
        """Return the generation that a node speaks with, None where unheard or in quarantine."""
        row = self._view.nodes.get(node)
        if row is None or row.quarantine:
            return None
        return self._seals.speaks_with(NodeId(node))

    def send_order(self, node: str, order: bytes) -> bool:
        """Send an order by every broker: its node does it once, however often it comes."""
        topic = NodeTopics.of(node).order
        message = self._seals.seal(NodeId(node), topic, order)
        if message is None:
            return False
        return sum(link.publish(topic, message) for link in self._links.values()) > 0

    def on_samples(self, take: TakeSamples) -> None:
        """Give what nodes answer to ``take``."""
        self._reports.on_samples = take

    def ask_samples(self, node: str, ask: SamplesAsk) -> bool:
        """Ask a node for samples by every broker: it answers once, however often it is asked."""
        return sum(self._receipts.ask_samples(name, node, ask) for name in self._links) > 0

    def send_offer(self, node: str, offer: bytes) -> bool:
        """Offer an update to a node that never had an identity, as a simulated one.

        By brokers that nothing but this machine reaches, and as it is: nobody else hears it, and a
        node that installs anything takes offers as signed orders alone.
        """
        if self._seals.identities.is_known(node):
            return False
        topic = NodeTopics.of(node).offer
        bare = [self._links[name] for name in self._bare_brokers]
        return sum(link.publish(topic, offer) for link in bare) > 0

    def _take_over_alarms(self) -> None:
        ended = take_over(
            self._book.open_alarms(),
            brokers=self._statuses,
            lag=self._lag,
            sync=self._beats.sync,
            nodes_of=self._heard_nodes_of,
            now_ms=self._clock.mono_ms(),
        )
        for cleared in ended:
            self._book.signal(cleared)

    def _heard_nodes_of(self, site: str) -> list[str]:
        row = self._view.sites.get(site)
        names = [] if row is None else row.nodes
        return [name for name in names if self._view.nodes[name].heard_ms is not None]

    async def _run_loops(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beats.run(self._inbox), name="central.ingest.beats")
            group.create_task(self._reports.run(self._inbox), name="central.ingest.reports")
            group.create_task(self._flush.run(), name="central.ingest.flush")
            group.create_task(self._sweep.run(), name="central.liveness.sweep")
            group.create_task(self._gauge(), name="central.ingest.gauge")
            group.create_task(self._evictions.run(), name="central.ingest.evictions")

    async def _gauge(self) -> None:
        while True:
            self.counters.queue = self._inbox.waiting
            self.counters.quiet = self._sweep.is_quiet
            now_ms = self._clock.mono_ms()
            lagging = self._lag.note(self._reports.waits_ms(self._inbox, now_ms), now_ms)
            if lagging is not None:
                self._book.signal(lagging)
            await asyncio.sleep(GAUGE_S)

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await self._reports.finish(self._inbox)
                await self._flush.write()
        except (StorageError, TimeoutError) as err:
            logger.warning("the last batch was not stored and will be sent again: %r", err)

    def _canary_of(self, broker: str) -> Callable[[bool], None]:
        return lambda is_well: self._sweep.canary(broker, is_well=is_well)

    def _set_state(self, broker: str, state: str) -> None:
        status = self._statuses[broker]
        status.state = state
        status.since_ms = self._clock.wall_ms()
