"""The line to the NOC's broker: one connection, what it retains, and messages in order.

MQTT 5, for the properties that carry a CloudEvents envelope; readers of 3.1.1 see the same
payloads. The will says ``offline``.

Invariants: a message is published only after the IN_FLIGHT_MAX before it were taken; many at once
go at REBUILD_RATE, so that a tree that is made anew does not starve its readers.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from roost_central.northbound import noc_tree
from roost_central.northbound.config import NocBrokerConfig
from roost_central.northbound.noc_broker import WRITER
from roost_central.northbound.noc_tree import Message
from roost_protocol.tls import NamedContext

REBUILD_RATE: Final = 500  # retained messages a second (faults.md section 6)
IN_FLIGHT_MAX: Final = 100
RETAINED_MAX: Final = 250_000  # messages of the broker's tree that are read at a connect
QUIET_S: Final = 1.0  # without a retained message: the tree is read
PUBLISH_S_MAX: Final = 30.0
CONNECT_S_MAX: Final = 10
KEEPALIVE_S: Final = 10


class Line:
    """One connection."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def retained(self, topics: Iterable[str]) -> dict[str, bytes]:
        """Read what the broker retains; over when nothing came for QUIET_S."""
        found: dict[str, bytes] = {}
        filters = list(topics)
        for topic in filters:
            await self._client.subscribe(topic, qos=0)
        with suppress(TimeoutError):
            while len(found) < RETAINED_MAX:
                async with asyncio.timeout(QUIET_S):
                    message = await anext(self._client.messages)
                if message.retain and isinstance(message.payload, bytes):
                    found[str(message.topic)] = message.payload
        for topic in filters:
            await self._client.unsubscribe(topic)
        return found

    async def publish(self, messages: Iterable[Message]) -> None:
        """Publish in order, IN_FLIGHT_MAX at a time, and wait until the broker has them.

        Raises:
            MqttError, TimeoutError: the environment failed; some of them may have arrived.
        """
        waiting = list(messages)
        for start in range(0, len(waiting), IN_FLIGHT_MAX):
            async with asyncio.timeout(PUBLISH_S_MAX), asyncio.TaskGroup() as tasks:
                for message in waiting[start : start + IN_FLIGHT_MAX]:
                    tasks.create_task(self._send(message), name="northbound.mqtt.publish")

    async def paced(self, messages: Sequence[Message]) -> None:
        """Publish many retained messages, REBUILD_RATE a second."""
        for start in range(0, len(messages), IN_FLIGHT_MAX):
            chunk = messages[start : start + IN_FLIGHT_MAX]
            await self.publish(chunk)
            if start + IN_FLIGHT_MAX < len(messages):
                await asyncio.sleep(len(chunk) / REBUILD_RATE)

    async def watch(self) -> None:
        """Notice a lost connection also while there is nothing to say.

        Raises:
            MqttError: it is lost.
        """
        async for _ in self._client.messages:
            pass
        raise aiomqtt.MqttError("the connection ended")

    async def _send(self, message: Message) -> None:
        await self._client.publish(
            message.topic,
            message.payload,
            qos=1,
            retain=message.retain,
            properties=None if message.retain else _envelope(message),
        )


@asynccontextmanager
async def connected(
    config: NocBrokerConfig, password: str, root: Path | None = None
) -> AsyncIterator[Line]:
    """Connect as the one account that may write, for as long as the context lasts.

    Args:
        config: where it listens.
        password: of that account.
        root: PEM, which vouches for the broker's certificate where it has one.

    Raises:
        MqttError, TimeoutError: it cannot be reached; OSError where ``root`` is not there yet.
    """
    async with aiomqtt.Client(
        config.near,
        config.port,
        identifier="roost-feed",
        username=WRITER,
        password=password,
        protocol=aiomqtt.ProtocolVersion.V5,
        will=aiomqtt.Will(noc_tree.STATUS, b'{"state":"offline"}', qos=1, retain=True),
        max_inflight_messages=IN_FLIGHT_MAX,
        max_queued_incoming_messages=RETAINED_MAX,
        keepalive=KEEPALIVE_S,
        timeout=CONNECT_S_MAX,
        tls_context=None if root is None else NamedContext.of(config.server_name, root),
    ) as client:
        yield Line(client)


def _envelope(message: Message) -> Properties:
    """Return the CloudEvents attributes of an event, in the binary mode of its MQTT binding."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho
    properties.ContentType = "application/json"
    properties.UserProperty = [("specversion", "1.0"), *message.attributes]
    return properties
