"""The simulator's connections: a few MQTT clients a broker, each shared by many nodes, by gmqtt.

Topics carry the node, so a broker on loopback without access rules serves thousands of nodes
over one socket. gmqtt publishes 70,000 messages a CPU second at QoS 0 and 50,000 at QoS 1 here
(aiomqtt receives a tenth of what gmqtt does), which is far above what the nodes' cores ask for, so
a protocol of our own would save nothing. Its PersistentStorage is replaced: nothing is replayed on
a new connection, for delivery repeats itself, and each PUBACK is told.

Invariants: at most 65,535 reports wait for a PUBACK, gmqtt's numbers; what a stalled broker makes
us hold ends with the keepalive.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import gmqtt
from gmqtt.mqtt.constants import MQTTv311

from roost_agent.errors import AgentError
from roost_agent.ports import Entropy
from roost_agent.sim.node import Answer
from roost_agent.sim.update import CANCEL_BYTES, read_offer
from roost_protocol.codec import Decoder
from roost_protocol.envelope import Receipt
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import SHARDS
from roost_protocol.topics import ROOT
from roost_protocol.update import Offer

log = logging.getLogger(__name__)

CONNECT_S: Final = 10.0  # TCP, CONNACK and SUBACK together
CLOSE_S: Final = 2.0
KEEPALIVE_S: Final = 10
RETRY_S: Final = (0.2, 2.0)  # one client of a test broker: nobody is stormed
REFUSED_FROM: Final = 128  # SUBACK return codes that refuse
DEFAULT_PORT: Final = 1883

_receipts: Final = Decoder[Receipt](Receipt)


class BrokerError(AgentError):
    """A broker's address that is none."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens, and the path that ends there."""

    path: str
    host: str
    port: int

    @classmethod
    def parse(cls, path: str, url: str) -> "Address":
        """Return the address in ``mqtt://HOST[:PORT]``.

        Raises:
            BrokerError: it is none.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError as err:
            raise BrokerError(f"broker {url!r}: {err}") from err
        if parts.scheme != "mqtt" or not parts.hostname or parts.path not in {"", "/"}:
            raise BrokerError(f"broker {url!r} is not mqtt://HOST[:PORT]")
        return cls(path, parts.hostname, port)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is called when something comes in. Never waits.

    Attributes:
        receipt: of a path, a receipt.
        offer: of a path, an update for a node, or the name of a job to give up.
        answer: whose report was acknowledged, after how many us.
        turned: the connection came or went.
        refused: a receipt that is none.
    """

    receipt: Callable[[str, Receipt], None]
    offer: Callable[[str, str, Offer | str], None]
    answer: Callable[[Answer, int], None]
    turned: Callable[["Connection"], None]
    refused: Callable[[], None]


class _Client(gmqtt.Client):  # type: ignore[misc] # gmqtt has no types
    async def reconnect(self, delay: bool = False) -> None:
        """Leave reconnecting to Connection."""


class _Unacknowledged:
    """In the place of gmqtt's storage: keeps numbers, not packets."""

    is_empty = True

    def __init__(self, acknowledged: Callable[[int], None]) -> None:
        self.last = 0
        self._acknowledged = acknowledged

    def push_message(self, mid: int, _packet: bytes) -> None:
        self.last = mid

    def remove_message_by_mid(self, mid: int) -> None:
        self._acknowledged(mid)

    async def wait_empty(self) -> None:
        """Return at once: nothing is replayed."""

    def get_all(self) -> list[tuple[int, bytes]]:
        return []

    def clear(self) -> None:
        """Nothing is kept."""


class Connection:
    """One client of one broker, for the sites of some shards; a Link of their nodes.

    Args:
        address: the broker.
        index: which of the connections to it.
        of: how many there are; this one hears the shards that leave ``index`` over.
        hearing: what is called.
        entropy: for back-off and the client's name.
    """

    def __init__(
        self, address: Address, *, index: int, of: int, hearing: Hearing, entropy: Entropy
    ) -> None:
        self.path = address.path
        self.is_up = False
        self.met = asyncio.Event()  # it has been up
        self._address = address
        self._hearing = hearing
        self._entropy = entropy
        self._waiting: dict[int, tuple[Answer, float]] = {}
        self._unacknowledged = _Unacknowledged(self._on_puback)
        self._client: _Client | None = None
        shards = [f"{shard:02x}" for shard in range(SHARDS) if shard % of == index]
        names = ["+"] if of == 1 else shards
        self._topics = [
            f"{ROOT}/{shard}/+/down/{leaf}" for shard in names for leaf in ("receipt", "offer")
        ]
        self._name = f"roost-sim-{entropy.token(4).hex()}-{address.path}-{index}"

    def publish(self, topic: str, payload: bytes) -> bool:
        """See Link."""
        if self._client is None:
            return False
        self._client.publish(topic, payload)
        return True

    def report(self, topic: str, payload: bytes, answer: Answer) -> bool:
        """See Link."""
        if self._client is None:
            return False
        try:
            self._client.publish(topic, payload, qos=1)
        except OverflowError:  # every number is taken: the broker acknowledges nothing
            return False
        sent_s = asyncio.get_running_loop().time()
        self._waiting[self._unacknowledged.last] = (answer, sent_s)
        return True

    async def run(self) -> None:
        """Stay connected until cancelled."""
        retry_s = RETRY_S[0]
        while True:
            retry_s = RETRY_S[0] if await self._session() else min(retry_s * 2, RETRY_S[1])
            await asyncio.sleep(self._entropy.uniform(0.5, 1) * retry_s)

    async def _session(self) -> bool:
        """Connect and stay until the connection is lost; return whether there was one."""
        lost = asyncio.Event()
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        client = self._new_client(lost, granted)
        try:
            async with asyncio.timeout(CONNECT_S):
                await client.connect(
                    self._address.host, self._address.port, keepalive=KEEPALIVE_S, version=MQTTv311
                )
                client.subscribe([gmqtt.Subscription(topic, qos=1) for topic in self._topics])
                if not await granted:
                    return False
            self._turn(client)
            await lost.wait()
            log.warning("broker %s: connection lost", self.path)
        except (OSError, TimeoutError, gmqtt.MQTTConnectError) as err:
            log.info("broker %s: cannot connect: %r", self.path, err)
            return False
        finally:
            self._turn(None)
            await _close(client)
        return True

    def _turn(self, client: _Client | None) -> None:
        was_up, self.is_up = self.is_up, client is not None
        self._client = client
        self._waiting.clear()
        if was_up is not self.is_up:
            self._hearing.turned(self)
        if self.is_up:
            self.met.set()

    def _new_client(self, lost: asyncio.Event, granted: asyncio.Future[bool]) -> _Client:
        def on_message(
            _client: object, topic: str, payload: bytes, _qos: int, _properties: object
        ) -> None:
            try:
                if topic.endswith("/offer"):
                    self._hear_offer(topic, payload)
                else:
                    self._hearing.receipt(self.path, _receipts.decode(payload))
            except ProtocolError:
                self._hearing.refused()

        def on_disconnect(_client: object, _packet: object, *_: object) -> None:
            lost.set()
            if not granted.done():
                granted.set_result(False)

        def on_subscribe(_client: object, _mid: int, codes: tuple[int, ...], _: object) -> None:
            if not granted.done():
                granted.set_result(all(code < REFUSED_FROM for code in codes))

        client = _Client(self._name, clean_session=True, persistent_storage=self._unacknowledged)
        client.on_message = on_message
        client.on_disconnect = on_disconnect
        client.on_subscribe = on_subscribe
        return client

    def _hear_offer(self, topic: str, payload: bytes) -> None:
        is_cancel = len(payload) == CANCEL_BYTES
        said = payload.decode(errors="replace") if is_cancel else read_offer(payload)
        self._hearing.offer(self.path, topic.split("/")[-3], said)

    def _on_puback(self, mid: int) -> None:
        waiting = self._waiting.pop(mid, None)
        if waiting is not None:
            answer, sent_s = waiting
            rtt_s = asyncio.get_running_loop().time() - sent_s
            self._hearing.answer(answer, max(round(rtt_s * 1_000_000), 1))


async def _close(client: _Client) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await client.disconnect()
    except (OSError, TimeoutError) as err:
        log.debug("close: %r", err)
