"""A model of an MQTT 3.1.1 broker, as far as roost needs one; and a connection to it.

Sessions are clean, as both clients ask for. Kept in memory and gone with the program: sessions,
retained messages, wills. A second connection with a client's id takes the first one over. In its
hostile mood a broker drops, repeats, delays, replays old and spoils messages that it has taken and
acknowledged: a PUBACK proves nothing.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.net import Net
from sim.proc import Host, Life

if TYPE_CHECKING:
    from sim.world import World

KEEPALIVE_S = 30.0
DEAD_AFTER_S = 1.5 * KEEPALIVE_S  # MQTT 3.1.1, 3.1.2.10
CONNECT_S = (1.0, 2.0, 6.0)  # TCP's retries, and what a client waits in all
REPLAYED_MAX = 256  # messages that a hostile broker remembers
HELD_S = 20.0  # that it may hold a message back

OnMessage = Callable[[str, bytes, bool], None]


@dataclass(slots=True)
class Mood:
    """What a broker does to messages it has taken, as shares of them."""

    drop: float = 0.0
    repeat: float = 0.0
    hold: float = 0.0
    replay: float = 0.0
    spoil: float = 0.0
    retain: float = 0.0  # of what it hands out, marked as if it were old


@dataclass(frozen=True, slots=True)
class Client:
    """What a connection says of its client."""

    client_id: str
    subscriptions: tuple[str, ...]
    on_message: OnMessage
    will_topic: str | None = None
    will: bytes = b""


@dataclass(slots=True, eq=False)
class Session:
    """A connection as the broker sees it."""

    connection: "Connection"
    client: Client


class Broker:
    """The program of a broker's host."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.mood = Mood()
        self.keeps_beats = False  # as where somebody published one with the retain flag
        self.asked_s: list[float] = []  # when a connection was asked for
        self.host = Host(world, name, world.folder / name, self._run)
        self._rng: random.Random = world.dice(f"{name}/mood")
        self._sessions: dict[str, Session] = {}
        self._exact: dict[str, dict[str, Session]] = {}
        self._wild: dict[str, tuple[list[str], Session]] = {}
        self._retained: dict[str, bytes] = {}
        self._heard: deque[tuple[str, bytes]] = deque(maxlen=REPLAYED_MAX)

    async def _run(self, life: Life) -> None:
        self._sessions, self._exact, self._wild = {}, {}, {}
        self._retained.clear()
        self._heard.clear()
        life.at_end[self._end] = None
        await life.stop.wait()

    def _end(self, power: bool) -> None:
        for session in list(self._sessions.values()):
            session.connection.broker_died(power)
        self._sessions.clear()

    def accept(self, connection: "Connection", client: Client) -> None:
        """Open a session; the one that the client had before ends."""
        self.asked_s.append(self.world.loop.time())
        known = self._sessions.get(client.client_id)
        if known is not None and known.connection is connection:
            connection.granted()
            return  # asked twice, the first answer was lost
        if known is not None:
            self.world.trace.met("a connection was taken over")
            self.drop(known.connection)
            known.connection.broker_left("taken over")
        session = self._sessions[client.client_id] = Session(connection, client)
        for pattern in client.subscriptions:
            if "+" in pattern or "#" in pattern:
                self._wild[client.client_id] = (pattern.split("/"), session)
            else:
                self._exact.setdefault(pattern, {})[client.client_id] = session
        connection.granted()
        for topic, payload in self._retained.items():
            if session in self._receivers(topic):
                connection.down(topic, payload, retained=True)

    def has(self, connection: "Connection") -> bool:
        """Return whether a connection has a session here."""
        session = self._sessions.get(connection.client.client_id)
        return session is not None and session.connection is connection

    def drop(self, connection: "Connection", *, polite: bool = False) -> None:
        """End the session of a connection, and publish its will unless it said good-bye."""
        client = connection.client
        if not self.has(connection):
            return
        del self._sessions[client.client_id]
        self._wild.pop(client.client_id, None)
        for pattern in client.subscriptions:
            self._exact.get(pattern, {}).pop(client.client_id, None)
        if client.will_topic is not None and not polite:
            self.world.trace.met("a will was published")
            self.publish(client.will_topic, client.will)

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message to those who want it, as the mood is."""
        if self.keeps_beats and topic.endswith("/up/beat"):
            self._retained[topic] = payload
        self._heard.append((topic, payload))
        mood, rng = self.mood, self._rng
        if rng.random() < mood.drop:
            self.world.trace.met("a broker dropped what it had acknowledged")
            return
        if rng.random() < mood.replay:
            self.world.trace.met("a broker replayed an old message")
            self._later(*rng.choice(self._heard))
        if rng.random() < mood.spoil:
            self.world.trace.met("a broker spoiled a message")
            payload = self._spoiled(payload)
        if rng.random() < mood.repeat:
            self.world.trace.met("a broker repeated a message")
            self._later(topic, payload)
        if rng.random() < mood.hold:
            self.world.trace.met("a broker held a message back")
            self._later(topic, payload)
        else:
            self._hand_out(topic, payload)

    def _later(self, topic: str, payload: bytes) -> None:
        life = self.host.life
        assert life is not None

        def hand_out() -> None:
            if life.alive:
                self._hand_out(topic, payload)

        self.world.loop.call_later(self._rng.uniform(0, HELD_S), hand_out, context=life.context)

    def _spoiled(self, payload: bytes) -> bytes:
        if not payload or self._rng.random() < 0.3:
            return payload[: len(payload) // 2]
        at = self._rng.randrange(len(payload))
        other = payload[at] ^ (1 << self._rng.randrange(8))
        head, tail = payload[:at], payload[at + 1 :]
        return head + bytes([other]) + tail + self._rng.randbytes(1)  # never well formed

    def _hand_out(self, topic: str, payload: bytes) -> None:
        stale = self._rng.random() < self.mood.retain
        for session in self._receivers(topic):
            session.connection.down(topic, payload, retained=stale)

    def _receivers(self, topic: str) -> list[Session]:
        found = list(self._exact.get(topic, {}).values())
        if self._wild:
            levels = topic.split("/")
            found += [each for pattern, each in self._wild.values() if _matches(pattern, levels)]
        return found


def _matches(pattern: list[str], levels: list[str]) -> bool:
    return len(pattern) == len(levels) and all(
        want in ("+", level) for want, level in zip(pattern, levels, strict=True)
    )


@dataclass(eq=False)
class Connection:
    """One connection, both ends of it: the client's future tells why it ended."""

    net: Net
    life: Life
    broker: Broker
    client: Client
    opened: "asyncio.Future[None]" = field(init=False)
    ended: "asyncio.Future[str]" = field(init=False)

    def __post_init__(self) -> None:
        loop = self.broker.world.loop
        self.opened, self.ended = loop.create_future(), loop.create_future()
        here, there = self.life.host.name, self.broker.host.name
        self._up, self._down = self.net.lane(here, there), self.net.lane(there, here)
        self._unwatch = self.net.watch(self._wonder)
        self.life.at_end[self._client_died] = None
        self._acks: dict[int, asyncio.Future[bool]] = {}
        self._packet = 0

    async def open(self) -> bool:
        """Connect; return whether the broker accepted in time."""
        for wait_s in CONNECT_S:
            self._connect()
            try:
                async with asyncio.timeout(wait_s):
                    await asyncio.shield(self.opened)
            except TimeoutError:
                continue
            return not self.ended.done()
        return False

    def publish(self, topic: str, payload: bytes, *, qos: int) -> "asyncio.Future[bool] | None":
        """Send; at QoS 1 return what PUBACK makes true, and the end of the connection false."""
        peer = self.broker.host.life
        if not self.life.alive or self.ended.done() or peer is None:
            return None
        if not qos:
            self.net.send(self._up, peer, topic, self._take, topic, 0, payload)
            return None
        self._packet += 1
        ack = self._acks[self._packet] = self.broker.world.loop.create_future()
        self.net.send(self._up, peer, topic, self._take, topic, self._packet, payload)
        return ack

    def leave(self) -> None:
        """Say good-bye and be gone."""
        peer = self.broker.host.life
        if self.life.alive and peer is not None and not self.ended.done():
            self._tell_broker(polite=True)
        self._end("left")

    # -- the broker's end ------------------------------------------------------------------

    def granted(self) -> None:
        self.net.send(self._down, self.life, "CONNACK", self._opened)

    def down(self, topic: str, payload: bytes, *, retained: bool) -> None:
        self.net.send(self._down, self.life, topic, self._hear, topic, retained, payload)

    def broker_left(self, why: str) -> None:
        """Close from the broker's end."""
        self.net.send(self._down, self.life, "FIN", self._end, why)

    def broker_died(self, power: bool) -> None:
        if not power:
            self.broker_left("the broker closed the connection")
        loop = self.broker.world.loop
        loop.call_later(DEAD_AFTER_S, self._end, "no answer", context=self.life.context)

    def _take(self, topic: str, packet: int, payload: bytes) -> None:
        if not self.broker.has(self):
            self.broker_left("reset")  # of a broker before, or given up by this one
            return
        if packet:
            self.net.send(self._down, self.life, f"PUBACK {packet}", self._acked, packet)
        self.broker.publish(topic, payload)

    # -- the client's end ------------------------------------------------------------------

    def _connect(self) -> None:
        peer = self.broker.host.life
        world = self.broker.world
        if peer is not None and not world.buggify("connect.refused"):
            self.net.send(self._up, peer, f"CONNECT {self.client.client_id}", self._accept)
        elif self.broker.host.powered:
            refused = "connection refused"
            world.loop.call_later(0.01, self._end, refused, context=self.life.context)

    def _accept(self) -> None:
        if not self.ended.done():
            self.broker.accept(self, self.client)

    def _opened(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _hear(self, topic: str, retained: bool, payload: bytes) -> None:
        if not self.ended.done():
            self.client.on_message(topic, payload, retained)

    def _acked(self, packet: int) -> None:
        ack = self._acks.pop(packet, None)
        if ack is not None and not ack.done():
            ack.set_result(True)

    def _end(self, why: str) -> None:
        if self.ended.done():
            return
        self._unwatch()
        self.life.at_end.pop(self._client_died, None)
        self.ended.set_result(why)
        self._opened()
        for ack in self._acks.values():
            if not ack.done():
                ack.set_result(False)
        self._acks.clear()

    def _client_died(self, power: bool) -> None:
        if not power:
            self._tell_broker(polite=False)  # its kernel closes the socket
        loop = self.broker.world.loop
        loop.call_later(DEAD_AFTER_S, self.broker.drop, self)
        self._end("killed")

    def _tell_broker(self, *, polite: bool) -> None:
        peer = self.broker.host.life
        if peer is not None:
            drop = self.broker.drop
            what = "DISCONNECT" if polite else "FIN"
            self.net.send(self._up, peer, what, lambda: drop(self, polite=polite))
            loop = self.broker.world.loop
            loop.call_later(DEAD_AFTER_S, drop, self, context=peer.context)

    def _wonder(self) -> None:
        """A link was cut: see after the keepalive whether both ends must give up."""
        if self.net.is_cut(self.life.host.name, self.broker.host.name):
            loop = self.broker.world.loop
            loop.call_later(DEAD_AFTER_S, self._give_up, context=self.life.context)

    def _give_up(self) -> None:
        if self.ended.done() or not self.net.is_cut(self.life.host.name, self.broker.host.name):
            return
        self.broker.world.trace.met("a connection died of a cut")
        self._end("no answer")
        self.broker.drop(self)
