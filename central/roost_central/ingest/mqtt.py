"""One broker's connection, by gmqtt; the only file that knows the client.

Everything above speaks to ``BrokerLink`` and ``Listener``, so that a simulator puts its own broker
here. What gmqtt needs to be told (0.8, read in its source):

- a plain function as ``on_message`` runs in the read loop; a coroutine would be one task a message;
- it formats each message for a debug log, unpacks it four times and asks whether its handler is a
  coroutine: 5.9 us a message where 2.0 do; beats go a shorter way, ``_Handler``. That reaches into
  what gmqtt does not promise, so the tests read every kind of PUBLISH through a real socket;
- it acknowledges QoS 1 before the handler runs: nothing rests on that, receipts do the work;
- its own reconnect waits a fixed time and asks for the old session, whose queued beats would be
  stale: here each connection is a new client with a clean session, and back-off has full jitter;
- ``connect`` waits for CONNACK without end, so it is bounded here;
- MQTT 3.1.1, for the wire needs nothing above it and properties cost time in each message.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MqttPackageHandler
from gmqtt.mqtt.package import Package

from roost_central.ingest.config import BrokerAddress
from roost_central.ports import Entropy
from roost_protocol.topics import up_subscriptions

logger = logging.getLogger(__name__)

CONNECT_S_MAX: Final = 10.0  # TCP, CONNACK and SUBACK together
CLOSE_S_MAX: Final = 2.0
KEEPALIVE_S: Final = 10  # a broker that is silently gone is noticed after two of them
RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 15.0  # a centre is one client: it may come back sooner than the fleet
REFUSED_FROM: Final = 128  # SUBACK return codes that refuse

PUBLISH: Final = 0x30  # first byte of the packet, at QoS 0; the lowest bit is the retain flag
RETAIN: Final = 0x01
TOPIC_SIZE: Final = 2  # bytes in which the length of the topic is said


class Listener(Protocol):
    """Hears of a broker's messages and of its coming and going. Never waits."""

    def on_message(self, broker: str, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take in one message."""

    def on_up(self, broker: str) -> None:
        """Note that subscriptions are granted."""

    def on_down(self, broker: str) -> None:
        """Note that the connection is lost."""


class BrokerLink(Protocol):
    """One broker."""

    async def run(self) -> None:
        """Stay connected until cancelled."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1) -> bool:
        """Send; return false where there is no connection or no room."""


async def publish_as_guest(address: BrokerAddress, topic: str, payload: bytes) -> None:
    """Send one message through a connection of its own, as a node does that comes anew.

    Raises:
        OSError, TimeoutError, MQTTConnectError: the broker does not take it.
    """
    client = _Client("", lambda _topic, _payload, _retained: None)
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            await _connect(client, address)
        client.publish(topic, payload, qos=0)
    finally:
        await _close(client)


async def take_over(address: BrokerAddress, client_id: str) -> None:
    """End whoever is connected under a client id, by being it for a moment.

    What the other left as its will is not said: MQTT 3.1.1 section 3.1.4 has the broker disconnect
    it, and Mosquitto says no will of a denied node (docs/security.md).

    Raises:
        OSError, TimeoutError, MQTTConnectError: the broker does not take us.
    """
    client = _Client(client_id, lambda _topic, _payload, _retained: None)
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            await _connect(client, address)
    finally:
        await _close(client)


class _Handler(MqttPackageHandler):  # type: ignore[misc] # gmqtt has no types
    """gmqtt's handler of packets, with a short way for those of which thousands come a second."""

    take: Callable[[bytes, bytes, bool], None]  # topic, payload, whether it was retained

    def __call__(self, package: Package) -> None:
        """Take in one packet: PUBLISH of QoS 0 here (MQTT 3.1.1 section 3.3), others by gmqtt."""
        body = package.data
        if package.cmd & ~RETAIN != PUBLISH or len(body) < TOPIC_SIZE:
            super().__call__(package)
            return
        end = TOPIC_SIZE + (body[0] << 8) + body[1]
        try:
            self.take(body[TOPIC_SIZE:end], body[end:], bool(package.cmd & RETAIN))
        except Exception:  # as gmqtt does: else the read loop would end
            logger.exception("a message could not be taken in")


class _Client(gmqtt.Client):  # type: ignore[misc] # gmqtt has no types
    def __init__(self, name: str, take: Callable[[bytes, bytes, bool], None]) -> None:
        super().__init__(name, clean_session=True)
        self._package_handler.__class__ = _Handler  # gmqtt makes one itself, and takes no other
        self._package_handler.take = take

    async def reconnect(self, delay: bool = False) -> None:
        """Leave reconnecting to MqttLink."""


class MqttLink:
    """A broker over MQTT."""

    def __init__(
        self,
        address: BrokerAddress,
        shards: tuple[int, ...],
        *,
        listener: Listener,
        entropy: Entropy,
        also: tuple[str, ...] = (),
    ) -> None:
        self._address = address
        self._topics = [*up_subscriptions(list(shards)), *also]
        self._listener = listener
        self._entropy = entropy
        self._client: _Client | None = None

    async def run(self) -> None:
        """See BrokerLink."""
        retry_s = RETRY_S_MIN
        while True:
            if await self._session():
                retry_s = RETRY_S_MIN
            await asyncio.sleep(self._entropy.uniform(0, retry_s))
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1) -> bool:
        """See BrokerLink."""
        if self._client is None or not self._client.is_connected:
            return False
        try:
            self._client.publish(topic, payload, qos=qos)
        except OverflowError:  # 65,535 receipts wait for the broker: it does not take any
            return False
        return True

    async def _session(self) -> bool:
        """Connect, stay until the connection is lost; return whether there was one."""
        lost = asyncio.Event()
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        client = self._new_client(lost, granted)
        up = False
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await _connect(client, self._address)
                client.subscribe([gmqtt.Subscription(topic, qos=1) for topic in self._topics])
                up = await granted
            if up:
                self._client = client
                logger.info("broker %s: connected", self._address.name)
                self._listener.on_up(self._address.name)
                await lost.wait()
                logger.warning("broker %s: connection lost", self._address.name)
            else:
                logger.error("broker %s: subscription refused", self._address.name)
        except (OSError, TimeoutError, gmqtt.MQTTConnectError) as err:
            logger.warning("broker %s: cannot connect: %r", self._address.name, err)
        finally:
            self._client = None
            if up:
                self._listener.on_down(self._address.name)
            await _close(client)
        return up

    def _new_client(self, lost: asyncio.Event, granted: "asyncio.Future[bool]") -> _Client:
        name = self._address.name
        offer = self._listener.on_message

        def on_message(
            _client: object,
            topic: str | bytes,
            payload: bytes,
            _qos: int,
            properties: dict[str, int],
        ) -> None:
            text = topic if isinstance(topic, str) else topic.decode(errors="replace")
            offer(name, text, payload, retained=bool(properties["retain"]))

        def take(topic: bytes, payload: bytes, retained: bool) -> None:
            offer(name, topic.decode(errors="replace"), payload, retained=retained)

        def on_disconnect(_client: object, _packet: object, *_: object) -> None:
            lost.set()
            if not granted.done():
                granted.set_result(False)

        def on_subscribe(_client: object, _mid: int, codes: tuple[int, ...], _: object) -> None:
            if not granted.done():
                granted.set_result(all(code < REFUSED_FROM for code in codes))

        client = _Client(f"roost-central-{self._entropy.token(8).hex()}", take)
        client.on_message = on_message
        client.on_disconnect = on_disconnect
        client.on_subscribe = on_subscribe
        return client


async def _connect(client: _Client, address: BrokerAddress) -> None:
    tls = False if address.tls is None else await asyncio.to_thread(address.tls.context)
    await client.connect(
        address.host, address.port, ssl=tls, keepalive=KEEPALIVE_S, version=MQTTv311
    )


async def _close(client: _Client) -> None:
    try:
        async with asyncio.timeout(CLOSE_S_MAX):
            await client.disconnect()
    except (OSError, TimeoutError) as err:
        logger.debug("close: %r", err)
