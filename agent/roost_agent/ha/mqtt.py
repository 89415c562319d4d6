"""A path over one site broker: small, fast to give up, and with nothing kept for later.

A box of a fleet speaks TLS to it (lan.py). The client id has a random part: Mosquitto gives a
session to whoever comes with its client id, and every box of the fleet may connect.

What differs from a path to the centre (paths/mqtt): QoS 0 only, no session, no queue (mqtt_writer),
and a connection that brings nothing back is reset instead of waited for: TCP would deliver old news
first. What a frame means is never the broker's word.

Topics end in the path's number: a broker that is reached over two networks brings a frame back
only by the way on which it came.
"""

import asyncio
import logging
import socket
import struct
from contextlib import suppress
from typing import Final

import roost_agent.lean  # noqa: F401 - for what its import does, before the next one

# isort: split
import aiomqtt
import msgspec
from paho.mqtt.client import MQTTMessage

from roost_agent.errors import AgentError
from roost_agent.ha.lan import LanClient
from roost_agent.ha.link import Hear
from roost_agent.ha.mqtt_writer import Writer
from roost_agent.ports import Entropy
from roost_protocol.limits import HA_FRAME_BYTES_MAX
from roost_protocol.topics import SITE_ROOT

CONNECT_S: Final = 2.0  # a broker on the LAN answers in milliseconds or not at all
KEEPALIVE_S: Final = 5
USER_TIMEOUT_MS: Final = 2_500  # unacknowledged bytes older than this end the connection
RECONNECT_S: Final = (0.2, 1.0)
CLIENT_ID_BYTES: Final = 8

_SOCKET: Final = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS),
]
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: close sends RST

log = logging.getLogger(__name__)


Login = str | LanClient


class Broker(msgspec.Struct, frozen=True):
    """Where a path's broker is, and who logs in there.

    Attributes:
        bind: this node's address on the path's network.
        node: this node's id.
        login: a password in clear text; or TLS, where a certificate says who it is.
    """

    host: str
    port: int
    bind: str
    node: str
    login: Login

    @property
    def tls(self) -> LanClient | None:
        """Of the login, None in clear text."""
        return None if isinstance(self.login, str) else self.login

    def __repr__(self) -> str:
        """Keep the password out of logs."""
        return f"mqtt{'s' * (self.tls is not None)}://{self.node}@{self.host}:{self.port}"

    __str__ = __repr__


class MqttPath:
    """See HaPath.

    Args:
        number: of the path.
        broker: its broker.
        nodes: index to node id, of every node of the site.
        hear: takes what came in.
        entropy: for the jitter of reconnects.
    """

    def __init__(
        self, number: int, broker: Broker, *, nodes: dict[int, str], hear: Hear, entropy: Entropy
    ) -> None:
        self.number = number
        self.discarded = 0
        self.strangers = 0  # the broker turns them away
        self._broker = broker
        self._topic = f"{SITE_ROOT}/{broker.node}"
        self._client_id = f"{broker.node}/ha{number}/{entropy.token(CLIENT_ID_BYTES).hex()}"
        self._nodes = nodes
        self._hear = hear
        self._entropy = entropy
        self._fault = "not tried yet"
        self._writer: Writer | None = None  # while it is open
        self._stop: asyncio.Future[str] | None = None

    @property
    def is_open(self) -> bool:
        """See HaPath."""
        return self._writer is not None

    @property
    def fault(self) -> str:
        """See HaPath."""
        return "" if self.is_open else self._fault

    def beat(self, payload: bytes) -> None:
        """See HaPath."""
        self._send(f"{self._topic}/beat/{self.number}", payload)

    def lease(self, to: int, payload: bytes) -> None:
        """See HaPath."""
        self._send(f"{self._topic}/lease/{self._nodes[to]}/{self.number}", payload)

    def abort(self, why: str) -> None:
        """See HaPath."""
        if self._stop is not None and not self._stop.done():
            self._stop.set_result(why)

    async def run(self) -> None:
        """See HaPath."""
        while True:
            try:
                await self._connection()
            except* (aiomqtt.MqttError, AgentError, OSError, ValueError, TimeoutError) as group:
                self._note(_first(group))
            if _is_cancelled():
                raise asyncio.CancelledError  # Python 3.11's group swallowed it, see wire.py
            await asyncio.sleep(self._entropy.uniform(*RECONNECT_S))

    async def _connection(self) -> None:
        client = self._client()
        stop = self._stop = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(CONNECT_S):
                await client.__aenter__()
                if self._broker.tls is not None:
                    self._broker.tls.check(client._client.socket())  # noqa: SLF001 - see _leave
                await client.subscribe(
                    [
                        (f"{SITE_ROOT}/+/beat/{self.number}", 0),
                        (f"{SITE_ROOT}/+/lease/{self._broker.node}/{self.number}", 0),
                    ]
                )
            self._writer = Writer(client)
            log.info("ha path %d: connected to %s", self.number, self._broker)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._until_stopped(stop), name="agent.ha.stop")
                await self._until_lost(client)
        finally:
            self._writer = None
            _leave(client)

    def _client(self) -> aiomqtt.Client:
        broker = self._broker
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            identifier=self._client_id,
            username=broker.node if isinstance(broker.login, str) else None,
            password=broker.login if isinstance(broker.login, str) else None,
            tls_context=None if broker.tls is None else broker.tls.context,
            protocol=aiomqtt.ProtocolVersion.V311,  # 5 costs paho 0.1 ms more a message
            clean_session=True,
            timeout=CONNECT_S,
            keepalive=KEEPALIVE_S,
            bind_address=broker.bind,
            socket_options=_SOCKET,
        )
        client._client.connect_timeout = CONNECT_S  # noqa: SLF001 - aiomqtt leaves paho's 5 s
        client._client.on_message = self._heard  # noqa: SLF001 - its queue takes two tasks a frame
        return client

    async def _until_stopped(self, stop: asyncio.Future[str]) -> None:
        raise OSError(await stop)

    def _heard(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        if len(message.payload) > HA_FRAME_BYTES_MAX:
            return
        try:
            self._hear(self.number, bytes(message.payload))
        except Exception as err:  # noqa: BLE001 - ours; aiomqtt takes it for the connection's end
            if self._stop is not None and not self._stop.done():
                self._stop.set_exception(err)

    async def _until_lost(self, client: aiomqtt.Client) -> None:
        """Raise the connection's end; what it brings goes past the queue that is waited for."""
        async for _ in client.messages:
            pass

    def _send(self, topic: str, payload: bytes) -> None:
        if self._writer is None or not self._writer.send(topic, payload):
            self.discarded += 1

    def _note(self, fault: str) -> None:
        if fault != self._fault:
            log.info("ha path %d: %s: %s", self.number, self._broker, fault)
        self._fault = fault


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _leave(client: aiomqtt.Client) -> None:
    """Reset the connection: its buffers hold old news, and a frozen broker reads nothing.

    Not by aiomqtt's own exit, which waits for a good-bye; the client is not used again.
    """
    paho = client._client  # noqa: SLF001 - aiomqtt offers no way to reset a connection
    paho.on_connect = lambda late, *_args: late.disconnect()  # of a connect that was given up
    if isinstance(sock := paho.socket(), socket.socket):
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    paho._sock_close()  # noqa: SLF001 - see above
    for ended in (client._connected, client._disconnected):  # noqa: SLF001 - else it is told late
        if ended.done() and not ended.cancelled():
            ended.exception()


def _first(group: BaseExceptionGroup[Exception]) -> str:
    """Return why a connection ended: the first error of a group, however deep."""
    err: BaseException = group
    while isinstance(err, BaseExceptionGroup):
        err = err.exceptions[0]
    return str(err.__cause__ or err) or type(err).__name__
