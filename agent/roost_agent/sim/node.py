"""One simulated node: the production cores, joined as the agent's driver joins them.

Beats, path states, lanes, marks, receipts, deltas and resyncs are decided by those cores. What
differs is around them: connections are shared with other nodes and open at once, the outbox is
in memory, hardware is made up, and faults stand between the node and its connections.

Leaves to others: when to wake it (fleet), the connections (wire).
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from roost_agent.heartbeat import core as heartbeat
from roost_agent.inventory import ledger
from roost_agent.outbox import core as outbox
from roost_agent.paths import core as paths
from roost_agent.ports import Clock
from roost_agent.sim import hardware, hosts, speech
from roost_agent.sim.alarms import AlarmBoard, Kind
from roost_agent.sim.counts import Counts
from roost_agent.sim.measured import measured
from roost_agent.sim.outbox import MemoryLane
from roost_agent.sim.places import Place
from roost_agent.sim.update import Software, Updates
from roost_protocol.beat import InventoryMark, PathKind, PathState
from roost_protocol.codec import pack
from roost_protocol.digest import EMPTY_SET
from roost_protocol.envelope import ItemKind, Lane, Receipt
from roost_protocol.topics import NodeTopics, node_id
from roost_protocol.update import Offer

NO_SOFTWARE: Final = Software()
SILENT_MS: Final = 45_000  # one and a half times the agent's keepalive: a dead peer is noticed
UPTIME_MS_MAX: Final = 90 * 86_400_000  # of a node when the simulation starts
STREAM_BYTES: Final = 16

_RANK: Final = {PathState.UP: 0, PathState.FLAKY: 1, PathState.UNKNOWN: 2, PathState.DOWN: 3}


class Link(Protocol):
    """A connection that many nodes share."""

    @property
    def is_up(self) -> bool:
        """Whether it carries anything now."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send at QoS 0; False when it cannot be sent."""

    def report(self, topic: str, payload: bytes, answer: "Answer") -> bool:
        """Send at QoS 1 and give ``answer`` back when it is acknowledged; False as above."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whom an acknowledgement belongs to."""

    node: "Node"
    path: str
    probe: int


@dataclass(frozen=True, slots=True)
class World:
    """What all nodes share."""

    clock: Clock
    rng: random.Random
    counts: Counts
    interval_ms: int
    seed: int
    software: Software = NO_SOFTWARE


class Way:
    """One path of the node, the connection under it, and the faults in between."""

    __slots__ = ("core", "cuts", "dead_ms", "drops", "link", "name")

    def __init__(self, name: str, link: Link) -> None:
        self.name = name
        self.link = link
        self.cuts = 0  # faults that swallow what is sent
        self.drops = 0  # faults that refuse connections
        self.dead_ms: int | None = None  # when the silence of a cut is noticed
        self.core = paths.PathCore(PathKind.WAN)

    @property
    def is_open(self) -> bool:
        """Whether messages get through."""
        return self.link.is_up and not self.cuts and not self.drops


class Node:
    """One node.

    Args:
        place: its site.
        name: its name in the site.
        links: the connection under each path, by name.
        world: what all share.
    """

    __slots__ = (
        "_alarm",
        "_alarms",
        "_asked",
        "_bulk",
        "_delivery",
        "_digest",
        "_gen",
        "_heart",
        "_host_due_ms",
        "_latency_us",
        "_mark",
        "_probes",
        "_sender",
        "_spread_ms",
        "_told",
        "_topics",
        "_updates",
        "_usable",
        "_wear",
        "_world",
        "is_off",
        "lot",
        "name",
        "place",
        "scheduled_ms",
        "ways",
    )

    def __init__(self, place: Place, name: str, links: dict[str, Link], world: World) -> None:
        rng = world.rng
        node = node_id(place.site, name)
        self.place = place
        self.name = name
        self.ways = {path: Way(path, link) for path, link in links.items()}
        self.is_off = True
        self.scheduled_ms: int | None = None  # the fleet's
        self.lot: hosts.Lot | None = None  # how its host stands; None: it does not say
        self._asked = 0  # the last wish for samples: it comes by every path
        self._world = world
        self._topics = NodeTopics.of(node)
        self._latency_us = place.latency_us
        uptime_ms = rng.randrange(UPTIME_MS_MAX)
        booted_ms = world.clock.boot_ms() - uptime_ms
        self._sender = speech.Sender(node, rng.randbytes(16), 1 + rng.randrange(20), booted_ms)
        self._alarm = MemoryLane(rng.randbytes(STREAM_BYTES))
        self._bulk = MemoryLane(rng.randbytes(STREAM_BYTES))
        self._alarms = AlarmBoard()
        self._updates = Updates(world.software)
        self._told = (EMPTY_SET, 0, 0)  # of the alarms: digest, count, last number in the lane
        self._gen, self._digest = 0, ledger.Known().digest
        self._wear = hardware.NEW
        self._mark: InventoryMark | None = None
        self._probes = 0
        self._usable: tuple[str, ...] = ()
        self._spread_ms: int | None = None  # when to beat once more, to spread the fleet
        self._host_due_ms: int | None = None  # when its host serves after a boot
        self._make_cores()

    @property
    def node(self) -> str:
        """The node id."""
        return self._sender.node

    def start(self, now_ms: int) -> None:
        """Run: look at the hardware and make every path connect."""
        self.is_off = False
        self._spread_ms = now_ms + round(self._world.rng.random() * self._world.interval_ms)
        self._look(self._wear)
        if self._host_due_ms is None:
            self._say_host()
        if self._updates.running:
            self._append(self._bulk, ItemKind.SOFTWARE, self._updates.report())
        self._appended(now_ms)
        for way in self.ways.values():
            self._path(way, paths.Start(), now_ms)

    def wake(self, now_ms: int) -> None:
        """Do what is due."""
        if self.is_off:
            return
        for way in self.ways.values():
            self._watch(way, now_ms)
            if _is_due(way.core.due_ms(), now_ms):
                self._path(way, paths.Tick(), now_ms)
        if _is_due(self._delivery.due_ms(), now_ms):
            self._outbox(outbox.Tick(), now_ms)
        if _is_due(self._spread_ms, now_ms):
            self._spread_ms = None
            self._beats(heartbeat.Changed(), now_ms)
        if _is_due(self._host_due_ms, now_ms):
            self._host_due_ms = None
            self._say_host()
            self._appended(now_ms)
        if _is_due(self._updates.due_ms, now_ms):
            self._update(now_ms)
        if _is_due(self._heart.due_ms(), now_ms):
            self._beats(heartbeat.Tick(self._world.rng.random()), now_ms)

    def due_ms(self) -> int | None:
        """Return when it wants to be woken, None while it is off."""
        if self.is_off:
            return None
        waits = [self._heart.due_ms(), self._delivery.due_ms()]
        waits += [self._spread_ms, self._host_due_ms, self._updates.due_ms]
        for way in self.ways.values():
            waits += (way.core.due_ms(), way.dead_ms)
        return min((wait for wait in waits if wait is not None), default=None)

    def answered(self, answer: Answer, rtt_us: int, now_ms: int) -> None:
        """Take in the acknowledgement of a report."""
        way = self.ways[answer.path]
        if self.is_off or not way.is_open:
            self._world.counts.lost += 1
            return
        self._path(way, paths.Answered(answer.probe, rtt_us + self._latency_us), now_ms)

    def hear(self, path: str, receipt: Receipt, now_ms: int) -> None:
        """Take in a receipt."""
        if self.is_off or not self.ways[path].is_open:
            self._world.counts.lost += 1
            return
        self._world.counts.receipts += 1
        if receipt.reconnect_window_s:
            window = paths.Window(receipt.reconnect_window_s * 1000)
            self._path(self.ways[path], window, now_ms)
        said = (receipt.lane, receipt.stream, receipt.seq, receipt.central_epoch)
        self._outbox(outbox.Received(path, *said), now_ms)
        for resync in receipt.resync:
            if resync.what == "inventory":
                self._say_again(resync.sections, now_ms)
            elif resync.what == "alarms":
                self._world.counts.resyncs += 1
                self._say_alarms(self._alarms.parts(), ItemKind.ALARM_SET, now_ms)
        if receipt.samples is not None and receipt.samples.number != self._asked:
            self._asked = receipt.samples.number
            self._append(self._bulk, ItemKind.SAMPLES, measured(self.node, receipt.samples))
            self._appended(now_ms)

    def offered(self, path: str, offer: Offer | str, now_ms: int) -> None:
        """Take an offer of an update, or the name of a job that is to be given up."""
        if self.is_off or not self.ways[path].is_open:
            self._world.counts.lost += 1
        elif isinstance(offer, str):
            self._updates.canceled(offer, now_ms)
        else:
            self._updates.offered(offer, self.node, self._world.rng, now_ms)

    def _update(self, now_ms: int) -> None:
        """Install, and say so."""
        for step in self._updates.taken(now_ms):
            if step.installs is not None:
                self._append(self._bulk, ItemKind.SOFTWARE, self._updates.report())
            if step.report is not None:
                self._append(self._bulk, ItemKind.UPDATE, step.report)
            if step.alarm is not None:
                self.turn_alarm(step.alarm, now_ms)
        self._appended(now_ms)

    def wear(self, turn: int, now_ms: int) -> None:
        """Let something about the hardware or software change, and be seen."""
        self._look(self._wear.after(turn))
        self._appended(now_ms)

    def turn_alarm(self, kind: Kind, now_ms: int) -> None:
        """Raise one of the node's alarms, or clear it."""
        alarm = self._alarms.turn(kind, self._world.clock.wall_ms())
        self._say_alarms([alarm], ItemKind.ALARM, now_ms)

    def _say_host(self) -> None:
        """Tell how the host stands, where it says so at all."""
        if self.lot is None:
            return
        clock, sender = self._world.clock, self._sender
        uptime_s = max(clock.boot_ms() - sender.booted_ms, 0) // 1000
        wall_ms = clock.wall_ms()
        said = hosts.said(self.node, self.lot, sender.boot_id, uptime_s, wall_ms=wall_ms)
        self._append(self._bulk, ItemKind.HOSTS, said)

    def _say_alarms(self, said: Iterable[object], kind: ItemKind, now_ms: int) -> None:
        for each in said:
            self._append(self._alarm, kind, each)
        self._told = (self._alarms.digest(), self._alarms.count, self._alarm.last)
        self._appended(now_ms)

    def tell(self, lane: Lane, kind: ItemKind, document: object, now_ms: int) -> None:
        """Put one document into the outbox."""
        self._append(self._alarm if lane is Lane.ALARM else self._bulk, kind, document)
        self._appended(now_ms)

    def power_off(self, now_ms: int) -> None:
        """Stop at once; the brokers say the wills."""
        for way in self.ways.values():
            if way.core.connected:
                self._say_gone(way, now_ms)
        self.is_off, self._host_due_ms = True, None

    def power_on(self, now_ms: int) -> None:
        """Boot: another boot id, the next incarnation, the same outbox."""
        sender = self._sender
        sender.boot_id, sender.booted_ms = self._world.rng.randbytes(16), now_ms
        sender.incarnation += 1
        self._make_cores()
        if self.lot is not None and self.lot is not hosts.Lot.LOCKED:
            self._host_due_ms = now_ms + hosts.BOOT_MS
            wall_ms = self._world.clock.wall_ms()
            said = hosts.booting(self.node, sender.boot_id, wall_ms=wall_ms)
            self._append(self._bulk, ItemKind.HOSTS, said)
        self.start(now_ms)

    def _make_cores(self) -> None:
        self._heart = heartbeat.Heartbeat(dict.fromkeys(self.ways, self._world.interval_ms))
        for way in self.ways.values():
            way.core = paths.PathCore(PathKind.WAN)
            way.dead_ms = None
        lanes = {Lane.ALARM: self._alarm.position, Lane.BULK: self._bulk.position}
        self._delivery = outbox.Delivery(lanes)
        self._usable = ()
        self._spread_ms = None

    # -- paths -----------------------------------------------------------------------------

    def _watch(self, way: Way, now_ms: int) -> None:
        """Notice what happened to the connection under a path."""
        if not way.core.connected or way.is_open:
            way.dead_ms = None
        elif way.drops or not way.link.is_up:
            self._lose(way, "connection reset", now_ms)
        elif way.dead_ms is None:
            way.dead_ms = now_ms + SILENT_MS
        elif way.dead_ms <= now_ms:
            self._lose(way, "no answer to a ping", now_ms)

    def _lose(self, way: Way, why: str, now_ms: int) -> None:
        way.dead_ms = None
        self._say_gone(way, now_ms)
        self._path(way, self._lost(why), now_ms)

    def _lost(self, why: str) -> paths.Lost:
        return paths.Lost(paths.Cause.NETWORK, why, self._world.rng.random())

    def _path(self, way: Way, event: paths.Event, now_ms: int) -> None:
        follows: paths.Event | None = None
        for action in way.core.handle(event, now_ms):
            match action:
                case paths.Connect():
                    follows = paths.Connected() if way.is_open else self._lost("no answer")
                case paths.Disconnect(why):
                    follows = self._lost(why)
                case paths.Probe():
                    self._outbox(outbox.Ask(way.name), now_ms)
                case paths.StateChanged():
                    self._beats(heartbeat.Changed(), now_ms)
        if isinstance(event, paths.Connected):
            self._beats(heartbeat.Ready(way.name, self._world.rng.random()), now_ms)
        elif isinstance(event, paths.Lost):
            self._beats(heartbeat.Lost(way.name), now_ms)
        self._choose_usable(now_ms)
        if follows is not None:
            self._path(way, follows, now_ms)

    def _choose_usable(self, now_ms: int) -> None:
        ways = [way for way in self.ways.values() if way.core.connected]
        ways.sort(key=lambda way: _RANK[way.core.state])
        usable = tuple(way.name for way in ways)
        if usable != self._usable:
            self._usable = usable
            self._outbox(outbox.Usable(usable), now_ms)

    # -- what is said ----------------------------------------------------------------------

    def _beats(self, event: heartbeat.Event, now_ms: int) -> None:
        for due in self._heart.handle(event, now_ms):
            cores = ((name, way.core) for name, way in self.ways.items())
            standing = speech.Standing(cores, self._alarm, self._bulk, self._mark, self._told)
            payload = speech.beat(self._sender, due, standing, self._moment(now_ms))
            way = self.ways[due.path]
            if way.is_open and way.link.publish(self._topics.beat, payload):
                self._world.counts.beats += 1
            else:
                self._world.counts.lost += 1

    def _publish(self, said: outbox.Publish, now_ms: int) -> None:
        way = self.ways[said.path]
        self._probes += 1
        payload = speech.report(self._sender, said, self._moment(now_ms))
        answer = Answer(self, said.path, self._probes)
        if way.is_open and way.link.report(self._topics.report, payload, answer):
            self._world.counts.reports += 1
        else:
            self._world.counts.lost += 1
        self._path(way, paths.Sent(self._probes), now_ms)

    def _say_gone(self, way: Way, now_ms: int) -> None:
        """Publish the will of a path, in the broker's place: it serves many nodes as one client."""
        way.link.publish(
            self._topics.gone, speech.gone(self._sender, way.name, self._moment(now_ms))
        )

    def _moment(self, now_ms: int) -> speech.Moment:
        return speech.Moment(now_ms, self._world.clock.wall_ms())

    # -- the outbox ------------------------------------------------------------------------

    def _outbox(self, event: outbox.Event, now_ms: int) -> None:
        for action in self._delivery.handle(event, now_ms):
            match action:
                case outbox.Publish():
                    self._publish(action, now_ms)
                case outbox.Fetch(lane, prev):
                    items = self._lane(lane).fetch(prev)
                    self._outbox(outbox.Fetched(lane, prev, items), now_ms)
                case outbox.SetMark(lane, seq, epoch):
                    self._world.counts.receipted += self._lane(lane).set_mark(seq, epoch)
                case outbox.Restart(lane, after):
                    self._restart(lane, after, now_ms)

    def _restart(self, lane: Lane, after: int, now_ms: int) -> None:
        kept = self._lane(lane)
        self._world.counts.receipted += after - kept.mark
        kept.restart(self._world.rng.randbytes(STREAM_BYTES), after)
        if lane is Lane.ALARM:
            self._told = (*self._told[:2], kept.last)
        self._outbox(outbox.Restarted(lane, kept.stream, kept.last), now_ms)

    def _lane(self, lane: Lane) -> MemoryLane:
        return self._alarm if lane is Lane.ALARM else self._bulk

    def _append(self, lane: MemoryLane, kind: ItemKind, document: object) -> None:
        body, compressed = pack(document)
        lane.append(kind, self._world.clock.wall_ms(), body, compressed=compressed)
        self._world.counts.items += 1

    def _appended(self, now_ms: int) -> None:
        self._beats(heartbeat.Changed(), now_ms)
        self._outbox(outbox.Appended(Lane.ALARM, self._alarm.last), now_ms)
        self._outbox(outbox.Appended(Lane.BULK, self._bulk.last), now_ms)

    # -- inventory -------------------------------------------------------------------------

    def _look(self, wear: hardware.Wear) -> None:
        """Probe: what is found goes against what was told last."""
        known = self._known() if self._gen else ledger.Known()
        self._wear = wear
        sender, found = self._sender, self._known().sections
        wall_ms = self._world.clock.wall_ms()
        self._keep(ledger.probed(known, found, boot_id=sender.boot_id, now_ms=wall_ms))

    def _say_again(self, names: list[str], now_ms: int) -> None:
        self._world.counts.resyncs += 1
        boot_id, wall_ms = self._sender.boot_id, self._world.clock.wall_ms()
        self._keep(ledger.asked(self._known(), names or None, boot_id=boot_id, now_ms=wall_ms))
        self._appended(now_ms)

    def _known(self) -> ledger.Known:
        """Return what was told last: made again, for it is not kept."""
        found = hardware.sections(
            self.node, self._wear, seed=self._world.seed, as_of_ms=self._world.clock.wall_ms()
        )
        return ledger.Known(self._gen, self._digest, found)

    def _keep(self, change: ledger.Change | None) -> None:
        if change is None:
            return
        for document in change.documents:
            self._append(self._bulk, ItemKind.INVENTORY, document)
        self._gen, self._digest = change.known.gen, change.known.digest
        self._mark = InventoryMark(self._gen, self._digest, self._bulk.last)


def _is_due(due_ms: int | None, now_ms: int) -> bool:
    return due_ms is not None and due_ms <= now_ms
