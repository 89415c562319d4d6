"""Ten thousand nodes with certificates of their own, each on a TLS session of its own.

A node is a protocol of this loop: it beats every 30 s, reports one event after each connection, and
says it again until the centre's receipt is there. When it loses the broker it comes back as an
agent does: within the window that the last receipt named, then after full jitter of 1 s times 2^n.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ca import Credentials
from packets import PUBLISH, packet, publish, split
from reporters import Reporter, event
from stream import beat

from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Receipt
from roost_protocol.errors import ProtocolError
from roost_protocol.seal import Seal

BEAT_S = 30.0
KEEPALIVE_S = 120
AGAIN_S = 15.0  # then a report is said again
CONNECT_S = 60.0
BACKOFF_S_MAX = 300.0
BOOT = b"b" * 16
DICE = random.Random(10_000)  # noqa: S311 - waits, no secrets
CONNACK, SUBACK = 0x20, 0x90
_receipts = Decoder[Receipt](Receipt)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the fleet connects."""

    port: int
    server_name: str
    root: Path


class TlsNode(asyncio.Protocol):
    """One node, on one connection after the other."""

    def __init__(self, place: Place, node: str, tls: ssl.SSLContext, key: bytes) -> None:
        self.said = Reporter(node)
        self.receipted_s = 0.0  # when the last receipt came
        self.window_s = 0.0
        self._place, self._tls = place, tls
        self._seal = Seal(key, 1)
        self._client = self._seal.client_id(BOOT, 1, "wan1")
        self._beats = 0
        self._rest = b""
        self._lost = asyncio.Event()
        self._is_in = asyncio.Event()
        self._transport: Any = None

    async def live(self, first_s: float) -> None:
        """Connect after a while, and again whenever the broker goes, until cancelled."""
        await asyncio.sleep(first_s)
        failures = 0
        while True:
            try:
                await self._connected()
            except (OSError, TimeoutError):
                failures += 1
                await asyncio.sleep(DICE.uniform(0, min(2.0**failures, BACKOFF_S_MAX)))
                continue
            failures = 0
            await self._speak()
            await asyncio.sleep(DICE.uniform(0, self.window_s))

    async def _connected(self) -> None:
        self._lost.clear()
        self._is_in.clear()
        self._rest = b""
        async with asyncio.timeout(CONNECT_S):
            await asyncio.get_running_loop().create_connection(
                lambda: self, "127.0.0.1", self._place.port,
                ssl=self._tls, server_hostname=self._place.server_name,
                ssl_handshake_timeout=CONNECT_S,
            )  # fmt: skip
            await self._is_in.wait()
        if self._lost.is_set():
            raise ConnectionResetError

    async def _speak(self) -> None:
        wanted, next_beat, next_report = self.said.mark + 1, 0.0, 0.0
        while not self._lost.is_set():
            now = time.monotonic()
            if now >= next_beat:
                self._beats += 1
                said = beat(
                    self.said.node, self._beats, time.time_ns() // 1_000_000,
                    interval_ms=round(BEAT_S * 1_000),
                )  # fmt: skip
                self._publish(self.said.topics.beat, encode(said))
                next_beat = now + BEAT_S
            if self.said.mark < wanted and now >= next_report:
                body = self.said.report(wanted - 1, [event(wanted)])
                self._publish(self.said.topics.report, body)
                next_report = now + AGAIN_S
            try:
                async with asyncio.timeout(AGAIN_S):
                    await self._lost.wait()
            except TimeoutError:
                continue

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # uvloop's, which is none of asyncio's by type
        client = self._client.encode()
        head = b"\x00\x04MQTT\x04\x02" + KEEPALIVE_S.to_bytes(2, "big")
        topic = self.said.topics.receipt.encode()
        transport.write(
            packet(0x10, head + len(client).to_bytes(2, "big") + client)
            + packet(0x82, b"\x00\x01" + len(topic).to_bytes(2, "big") + topic + b"\x00")
        )

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost.set()
        self._is_in.set()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        at = 0
        for first, start, at in split(self._rest):  # the last end is where it goes on
            if first == SUBACK:
                self._is_in.set()
            elif first >> 4 == PUBLISH:
                self._hear(self._rest[start:at])
        self._rest = self._rest[at:]

    def _hear(self, body: bytes) -> None:
        size = 2 + int.from_bytes(body[:2], "big")
        try:
            receipt = _receipts.decode(self._seal.open(body[2:size].decode(), body[size:]))
        except ProtocolError:
            return
        self.window_s = float(receipt.reconnect_window_s)
        if receipt.stream == self.said.stream and receipt.seq > self.said.mark:
            self.said.mark = receipt.seq
            self.receipted_s = time.monotonic()

    def _publish(self, topic: str, body: bytes) -> None:
        self._transport.write(publish(topic, self._seal.seal(topic, body)))


def context(place: Place, files: Credentials) -> ssl.SSLContext:
    """Return how a node connects."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.load_verify_locations(place.root)
    found.load_cert_chain(files.chain_file, files.key_file)
    return found


async def run(nodes: Iterable[TlsNode], spread_s: float, watch: Callable[[], bool]) -> None:
    """Let them live until ``watch``, asked once a second in a thread, says that it is enough."""
    async with asyncio.TaskGroup() as tasks:
        alive = [tasks.create_task(node.live(DICE.uniform(0, spread_s))) for node in nodes]
        while not await asyncio.to_thread(watch):  # noqa: ASYNC110 - it asks others
            await asyncio.sleep(1)
        for task in alive:
            task.cancel()
