"""Joins the cores of one node: each event goes to its core, each action to its shell.

Everything here runs on the loop's one thread and returns at once: shells queue, cores decide.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent.alarm_types import BMC_TYPES, CONFIG_TYPES, HA_TYPES, HEALTH_TYPES, PROCESS_TYPES
from roost_agent.alarms.samplers import samplers
from roost_agent.alarms.samples.inside import Inside, OutboxState
from roost_agent.alarms.service import Alarms
from roost_agent.alarms.watch import Watch
from roost_agent.config import Config
from roost_agent.config_apply.for_agent import PathSettings
from roost_agent.errors import StorageError
from roost_agent.heartbeat.core import Changed, Heartbeat, Intervals, Ready, SendBeat
from roost_agent.heartbeat.core import Lost as BeatLost
from roost_agent.heartbeat.core import Tick as BeatTick
from roost_agent.host.health.service import HealthChecks
from roost_agent.host.reasons import Degraded, reasons
from roost_agent.host.samples.service import History
from roost_agent.identity import Identity
from roost_agent.known_time import KnownTime
from roost_agent.outbox import core as outbox
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.paths import core as paths
from roost_agent.paths.link import Dial, Dialer, Message
from roost_agent.speech import Marks, Speaker
from roost_agent.survey import Instruments, Survey
from roost_agent.wire import Outgoing, Wire
from roost_protocol.alarm import Event
from roost_protocol.beat import Beat, PathKind, PathState
from roost_protocol.codec import VERSION, Decoder, pack
from roost_protocol.envelope import ItemKind, Lane, Receipt
from roost_protocol.errors import ProtocolError
from roost_protocol.seal import Seal, is_sealed
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roost_agent.bmc.seat import BoardSeat
    from roost_agent.bmc.service import BoardControllers
    from roost_agent.config_apply.service import Settings
    from roost_agent.host.on_demand import ActsOnDemand
    from roost_agent.host.processes.launch import Watching
    from roost_agent.host.processes.on_demand import OnDemand
    from roost_agent.host.shell import HostShell
    from roost_agent.orders.service import Orders
    from roost_agent.update.service import Updates

log = logging.getLogger(__name__)

DROPPED_TYPE: Final = "280.804"  # the outbox let items go before central had them
DROPPED_EVERY_MS: Final = 60_000  # one event for all that was dropped in between
IDLE_S: Final = 3_600.0  # the ticker's longest sleep
RECEIPT_WINDOW_S_MAX: Final = 3_600
OVERDUE_MS_MAX: Final = 10_000  # what is done so late is not done: the agent is begun anew

_beats: Final = Decoder[Beat](Beat)
_receipts: Final = Decoder[Receipt](Receipt)
_RANK: Final = {PathState.UP: 0, PathState.FLAKY: 1, PathState.UNKNOWN: 2, PathState.DOWN: 3}


class Driver:
    """The running agent, without its process.

    Args:
        config: what was asked for.
        identity: who speaks.
        spool: the outbox.
        instruments: clock, entropy and the probe.
        seal: of this node's certificate; None before it is enrolled.
    """

    def __init__(
        self,
        config: Config,
        identity: Identity,
        spool: Spool,
        instruments: Instruments,
        *,
        seal: Seal | None = None,
    ) -> None:
        self.config = config
        self.identity = identity
        self.spool = spool
        self.survey = Survey(identity, spool, instruments, config.inventory, self.changed)
        # Takes frames of a witness at the centre; set before the start where a site has one.
        self.hear_frame: Callable[[bytes], None] | None = None
        # Takes orders of the centre; set before the start where the node has keys to check them.
        self.orders: Orders | None = None
        # Has settings applied; set before the start where the node has keys and a helper.
        self.settings: Settings | None = None
        # Installs updates; set before the start where the node has a root of trust and a helper.
        self.updates: Updates | None = None
        self.receipt_ms: int | None = None  # when the last receipt came, on the boot clock
        self.refused: dict[str, int] = {}  # messages that came in and were refused, by code
        self.clock = instruments.clock
        self.alarms = Alarms(spool, self.clock, config.alarms.types)
        self.known_time = KnownTime(self.clock)
        inside = Inside(self._outbox_state, self.known_time.offset_s)
        # Watches processes, from the first that a file or a profile defines.
        self.watching: OnDemand | None = None
        # This host's state and the acts on it; set before the start.
        self.host: HostShell | None = None
        self.acts: ActsOnDemand | None = None
        self.processes: Watching | None = None
        # Asks board controllers, from the first that a file or the centre names.
        self.boards: BoardControllers | None = None
        self.board_seat: BoardSeat | None = None
        self.health = HealthChecks(
            config.processes.health, config.processes.roles, self.alarms, self.clock
        )
        looks = samplers(config, inside, self._alarmed, self._watched)
        self.history = History(
            Path(config.state_dir), spool, self.clock, partial(instruments.entropy.uniform, 0, 3600)
        )
        self.watch = Watch(self.alarms, looks, self.clock, off=config.alarms.off)
        self.watch.keep = self.history.keep
        self._entropy = instruments.entropy
        self._seal = seal
        self._speaker = Speaker(identity, self.clock)
        self._topics = NodeTopics.of(identity.node)
        self.started_ms = self.clock.boot_ms()
        self._tuned = PathSettings()  # what a profile says of paths
        self._heart = Heartbeat({path.name: self._interval_ms(path.name) for path in config.paths})
        self.wires = {path.name: self._wire(path.name, path.kind) for path in config.paths}
        # Ends the agent politely, to be back at once; its process puts something here that does.
        self.end: Callable[[str], None] = lambda _why: None
        self._delivery: outbox.Delivery | None = None
        self._usable: tuple[str, ...] = ()
        self._probes = 0
        self._dropped_due_ms = 0
        self._due_changed = asyncio.Event()
        self._settled = asyncio.Event()

    def start(self) -> None:
        """Make every path connect."""
        for name in self.wires:
            self.path_event(name, paths.Start())

    async def open(self) -> None:
        """Open the outbox, as soon as the disk lets us."""
        self._delivery = outbox.Delivery(await self.spool.open())
        watched = (
            self.watch.types | HEALTH_TYPES | (HA_TYPES if self.config.ha_file else frozenset())
        )
        watched |= frozenset() if self.settings is None else CONFIG_TYPES
        watched |= frozenset() if self.processes is None else PROCESS_TYPES
        watched |= frozenset() if self.boards is None else BMC_TYPES
        await self.alarms.open(watched)
        waiting = sum(counts.waiting_items for counts in self.spool.lanes.values())
        log.info("outbox: open, %d items wait", waiting)
        self.changed()
        self._outbox_event(outbox.Usable(self._usable))
        for name in self._usable:  # their first probes found no outbox to send a report from
            self._outbox_event(outbox.Ask(name))

    async def deliver(self) -> None:
        """Carry the outbox, until cancelled."""
        await self.spool.run(self._outbox_event)

    async def carry(self, name: str, dialer: Dialer) -> None:
        """Run one path, until cancelled."""
        await self.wires[name].run(dialer, partial(self._dial, name))

    async def tick(self) -> None:
        """Wake every core when it asked for it, until cancelled."""
        while True:
            now_ms = self.clock.boot_ms()
            due_ms = min(self._due_times(), default=now_ms + round(IDLE_S * 1000))
            is_due = False
            try:
                async with asyncio.timeout(max(due_ms - now_ms, 0) / 1000):
                    await self._due_changed.wait()
            except TimeoutError:
                is_due = True
            self._due_changed.clear()
            if is_due or self.clock.boot_ms() >= due_ms:  # else only what is due next has changed
                self._tick()

    async def drain(self) -> None:
        """Say good-bye on every path once central has what waits, or nothing more is to be done."""
        self._note_settled()
        await self._settled.wait()
        for name, wire in self.wires.items():
            if wire.core.connected and wire.core.kind is PathKind.WAN:
                topic = self._topics.gone
                wire.put(Outgoing(topic, self._sealed(topic, self._speaker.gone(name)), qos=0))
        for wire in self.wires.values():
            await wire.drained()

    def changed(self) -> None:
        """Note that beats have something new to tell."""
        self._heart_event(Changed())

    def reasons(self) -> "dict[str, Degraded]":
        """Return why the node is less than it should be, by reason."""
        rows = self.alarms.table.rows.values() if self.alarms.is_open else ()
        seen = frozenset[str]() if self.processes is None else self.processes.confirmed()
        return reasons(rows, self.alarms.types, seen)

    def undone(self) -> str:
        """Return what was due and is not done, in a sentence; empty where all is."""
        now_ms = self.clock.boot_ms()
        late_ms = now_ms - min(self._due_times(), default=now_ms)
        if late_ms > OVERDUE_MS_MAX:
            return f"what was due {late_ms / 1000:.0f} s ago is not done"
        return self.watch.undone(now_ms)

    def ask_centre(self) -> None:
        """Ask the centre for a receipt, on every path that carries reports."""
        for name in self._usable:
            self._outbox_event(outbox.Ask(name))

    def tune(self, said: PathSettings) -> None:
        """Go by what a profile says of paths; one with another source connects anew."""
        before, self._tuned = self._tuned, said
        if said == before:
            return
        wan = {path.name for path in self.config.paths if path.kind is PathKind.WAN}
        self._heart_event(Intervals({name: self._interval_ms(name) for name in wan}))
        for name in wan:
            if before.sources.get(name) != said.sources.get(name):
                self.wires[name].disconnect("its connections come from another interface now")
        self._choose_usable()

    def send_frame(self, payload: bytes) -> None:
        """Send a frame of local HA to the centre, on every path that is up now, or not at all."""
        topic = self._topics.ha_up
        for wire in self.wires.values():
            if wire.core.connected and wire.core.kind is PathKind.WAN:
                wire.put(Outgoing(topic, self._sealed(topic, payload), qos=0))

    def path_event(self, name: str, event: paths.Event) -> None:
        """Give an event to a path's core and do what it says."""
        wire = self.wires[name]
        for action in wire.core.handle(event, self.clock.boot_ms()):
            match action:
                case paths.Connect():
                    wire.connect()
                case paths.Disconnect(why):
                    log.info("path %s: disconnects: %s", name, why)
                    wire.disconnect(why)
                case paths.Probe():
                    self._outbox_event(outbox.Ask(name))
                case paths.StateChanged(old, new, why):
                    log.info("path %s: %s -> %s: %s", name, old, new, why)
                    self.changed()
        if isinstance(event, paths.Connected):
            self._heart_event(Ready(name, self._entropy.uniform(0, 1)))
        elif isinstance(event, paths.Lost):
            is_refused = event.cause is paths.Cause.REFUSED  # tried again after a minute or more
            log.log(
                logging.WARNING if is_refused else logging.DEBUG, "path %s: %s", name, event.why
            )
            self._heart_event(BeatLost(name))
        self._choose_usable()
        self._due_changed.set()

    def _watched(self) -> "Mapping[str, int]":
        """Return the processes that are watched; asked for by a thread."""
        return {} if self.processes is None else self.processes.pids()

    def _wire(self, name: str, kind: PathKind) -> Wire:
        answer_ms = paths.WAN_ANSWER_MS if kind is PathKind.WAN else self._interval_ms(name)
        return Wire(
            paths.PathCore(kind, answer_ms=answer_ms),
            tell=partial(self.path_event, name),
            hear=partial(self._hear, name),
            entropy=self._entropy,
        )

    def _interval_ms(self, name: str) -> int:
        beat = self.config.beat
        if self.config.path(name).kind is PathKind.SITE:
            return beat.site_interval_ms
        return self._tuned.interval_ms(name, beat.interval_ms)

    def _choose_usable(self) -> None:
        """Tell delivery which WAN paths carry reports, best first."""
        ranked = sorted(
            (_RANK[wire.core.state], self._tuned.rank(name), index, name)
            for index, (name, wire) in enumerate(self.wires.items())
            if wire.core.connected and wire.core.kind is PathKind.WAN
        )
        usable = tuple(name for *_, name in ranked)
        if usable != self._usable:
            self._usable = usable
            self._outbox_event(outbox.Usable(usable))

    def _outbox_event(self, event: outbox.Event) -> None:
        if self._delivery is None:
            return  # the file is not open yet: it hears of the paths then
        if isinstance(event, outbox.Restarted) and event.lane is Lane.ALARM:
            self.alarms.renumbered(event.last)
        for action in self._delivery.handle(event, self.clock.boot_ms()):
            if isinstance(action, outbox.Publish):
                self._publish(action)
            else:
                self.spool.do(action)
        if self.spool.dropped:
            self._tell_dropped()
        self._note_settled()
        self._due_changed.set()

    def _publish(self, action: outbox.Publish) -> None:
        self._probes += 1
        topic = self._topics.report
        payload = self._sealed(topic, self._speaker.report(action))
        message = Outgoing(topic, payload, qos=1, probe=self._probes)
        self.wires[action.path].put(message)  # one that finds no room is sent again in time

    def _heart_event(self, event: Ready | BeatLost | Changed | Intervals | BeatTick) -> None:
        for beat in self._heart.handle(event, self.clock.boot_ms()):
            self._beat(beat)
        self._due_changed.set()

    def _beat(self, due: SendBeat) -> None:
        wire = self.wires[due.path]
        cores = {name: each.core for name, each in self.wires.items()}
        config = None if self.settings is None else self.settings.mark
        marks = Marks(self.survey.mark, self.alarms.told(), config)
        payload = self._speaker.beat(due, cores, self.spool, marks)
        if wire.core.kind is PathKind.SITE:  # for nobody but ourselves: its echo proves the path
            wire.put(Outgoing(self._topics.site_beat, payload, qos=0, probe=due.n))
        else:
            topic = self._topics.beat
            wire.put(Outgoing(topic, self._sealed(topic, payload), qos=0))

    def _dial(self, name: str) -> Dial:
        path = self.config.path(name)
        is_wan = path.kind is PathKind.WAN
        return Dial(
            path=path,
            client_id=self._client_id(name),
            subscriptions=self._wan_topics() if is_wan else (self._topics.site_beat,),
            will_topic=self._topics.gone if is_wan else None,
            will=self._sealed(self._topics.gone, self._speaker.gone(name)),
            checks_dates=self._seal is None or self.known_time.is_ours_right,
            source=self._tuned.sources.get(name, ""),
        )

    def _wan_topics(self) -> tuple[str, ...]:
        afar = () if self.hear_frame is None else (self._topics.ha_down,)
        orders = () if self.orders is None else (self._topics.order,)
        return (self._topics.receipt, *afar, *orders)

    def _client_id(self, path: str) -> str:
        who = self.identity
        if self._seal is None:
            return f"{who.node}/{path}"
        return self._seal.client_id(who.boot_id, who.incarnation, path)

    def _sealed(self, topic: str, body: bytes) -> bytes:
        return body if self._seal is None else self._seal.seal(topic, body)

    def _opened(self, message: Message) -> bytes:
        """Return what the centre said; an enrolled node believes nothing that is not sealed."""
        if self._seal is None:
            return message.payload
        if not is_sealed(message.payload):
            raise ProtocolError("unsealed", bound="a seal, to an enrolled node")
        return self._seal.open(message.topic, message.payload)

    def _hear(self, name: str, message: Message) -> None:
        try:
            self._take_in(name, message)
        except ProtocolError as err:
            self.refused[err.code] = self.refused.get(err.code, 0) + 1
            if message.topic == self._topics.order and self.orders is not None:
                self.orders.forged(err.code)
            log.info("path %s: refused a message: %s", name, err)

    def _take_in(self, name: str, message: Message) -> None:
        """Take in what a broker sent.

        Raises:
            ProtocolError: it is nothing that this node goes by, or it did not ask for it.
        """
        topic = message.topic
        if topic == self._topics.site_beat:
            self._hear_echo(name, _beats.decode(message.payload))
        elif topic == self._topics.receipt:
            self._hear_receipt(name, _receipts.decode(self._opened(message)))
        elif topic == self._topics.ha_down and self.hear_frame is not None:
            self.hear_frame(self._opened(message))
        elif topic == self._topics.order and self.orders is not None:
            self.orders.came(self._opened(message))
        else:  # as a bare offer, which simulated nodes alone take
            raise ProtocolError("topic", got=topic, bound="one that this node asked for")

    def _hear_echo(self, name: str, beat: Beat) -> None:
        ours = (self.identity.boot_id, self.identity.incarnation, name)
        if (beat.boot_id, beat.incarnation, beat.path) == ours:
            self.wires[name].answered(beat.n)

    def _hear_receipt(self, name: str, receipt: Receipt) -> None:
        if receipt.node != self.identity.node:
            raise ProtocolError("node", field="node", got=receipt.node, bound=self.identity.node)
        self.receipt_ms = self.clock.boot_ms()
        self._outbox_event(
            outbox.Received(name, receipt.lane, receipt.stream, receipt.seq, receipt.central_epoch)
        )
        if receipt.sent_ms and self.orders is not None:
            self.orders.told_time(receipt.sent_ms)
        if receipt.sent_ms:
            self.known_time.told(receipt.sent_ms)
        if receipt.reconnect_window_s:
            window_ms = min(receipt.reconnect_window_s, RECEIPT_WINDOW_S_MAX) * 1000
            self.path_event(name, paths.Window(window_ms))
        for resync in receipt.resync:
            if resync.what == "inventory":
                self.survey.resync(resync.sections)
            elif resync.what == "alarms":
                self.alarms.resync()
        if receipt.samples is not None:
            self.history.ask(receipt.samples)

    def _outbox_state(self) -> OutboxState:
        waiting = sum(counts.waiting_bytes for counts in self.spool.lanes.values())
        return OutboxState(waiting, self.config.outbox.bytes_max, self.spool.fault)

    def _alarmed(self) -> list[tuple[str, str]]:
        return list(self.alarms.table.rows)

    def _tell_dropped(self) -> None:
        """Put one event into the outbox for all that was dropped of late."""
        now_ms = self.clock.boot_ms()
        if now_ms < self._dropped_due_ms:
            return
        self._dropped_due_ms = now_ms + DROPPED_EVERY_MS
        count, self.spool.dropped = self.spool.dropped, 0
        event = Event(
            v=VERSION,
            type=DROPPED_TYPE,
            severity=Severity.WARNING,
            entity="outbox",
            text=f"{count} items left the outbox before central had them",
            params={"items": count},
        )
        body, compressed = pack(event)
        entry = Entry(Lane.BULK, ItemKind.EVENT, self.clock.wall_ms(), body, compressed)
        with suppress(StorageError):  # full memory before a full disk: the gaps tell it too
            self.spool.append(Batch((entry,), {}))
        log.warning("outbox: %d items dropped", count)

    def _due_times(self) -> list[int]:
        due = [wire.core.due_ms() for wire in self.wires.values()]
        due.append(self._heart.due_ms())
        if self._delivery is not None:
            due.append(self._delivery.due_ms())
        return [each for each in due if each is not None]

    def _tick(self) -> None:
        for name in self.wires:
            self.path_event(name, paths.Tick())
        self._outbox_event(outbox.Tick())
        self._heart_event(BeatTick(self._entropy.uniform(0, 1)))
        self._due_changed.clear()

    def _note_settled(self) -> None:
        """Note whether waiting longer could bring anything to central."""
        is_told = self._delivery is not None and self._delivery.idle() and self.spool.is_idle
        if is_told or not self._usable:
            self._settled.set()
        else:
            self._settled.clear()
