"""The connection to a broker, against one that says what the test wants, over a real socket."""

import asyncio
import contextlib
import logging

import pytest

from roost_central.ingest import mqtt
from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.mqtt import MqttLink
from roost_central.ports import SystemEntropy

TOPIC = b"roost/v1/00/lab.n1/up/beat"
CONNACK = b"\x20\x02\x00\x00"
SIZES = [0, 1, 127, 128, 300, 16_383, 16_384, 70_000]  # a length takes one, two or three bytes


def packet(kind, body):
    size, length = len(body), bytearray()
    while True:
        size, rest = divmod(size, 128)
        length.append(rest | (0x80 if size else 0))
        if not size:
            return bytes([kind, *length]) + body


def publish(payload, *, topic=TOPIC, flags=0, number=b""):
    return packet(0x30 | flags, len(topic).to_bytes(2, "big") + topic + number + payload)


class Listener:
    """Keeps what it hears; cannot take in what the test names."""

    def __init__(self):
        self.heard = []
        self.states = []
        self.poison = None

    def on_message(self, broker, topic, payload, *, retained):
        if payload == self.poison:
            raise RuntimeError("a bug of ours")
        self.heard.append((broker, topic, bytes(payload), retained))

    def on_up(self, broker):
        self.states.append("up")

    def on_down(self, broker):
        self.states.append("down")


class Broker:
    """Welcomes one client after the other; then the test writes."""

    def __init__(self):
        self.connections = 0
        self.said = []  # kinds of packets that clients sent
        self.writer = None

    async def serve(self, reader, writer):
        self.connections += 1
        self.writer = writer
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, size, shift = (await reader.readexactly(1))[0], 0, 0
                while (byte := (await reader.readexactly(1))[0]) & 0x80:
                    size |= (byte & 0x7F) << shift
                    shift += 7
                body = await reader.readexactly(size | byte << shift)
                self.said.append(kind >> 4)
                if kind >> 4 == 1:
                    writer.write(CONNACK)
                elif kind >> 4 == 8:
                    filters = body.count(b"roost/")
                    writer.write(packet(0x90, body[:2] + b"\x01" * filters))
        writer.close()

    async def write(self, data, *, chunk):
        for at in range(0, len(data), chunk):
            self.writer.write(data[at : at + chunk])
            await self.writer.drain()
            await asyncio.sleep(0)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(0.005)


@pytest.fixture
async def linked():
    broker, listener = Broker(), Listener()
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    address = BrokerAddress.parse("b1", f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    link = MqttLink(address, tuple(range(64)), listener=listener, entropy=SystemEntropy())
    async with server:
        task = asyncio.create_task(link.run())
        try:
            await until(lambda: listener.states == ["up"])
            yield broker, listener, link
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.mark.parametrize("chunk", [1 << 20, 1_000, 7])
async def test_messages_of_every_size_arrive_whole_however_they_are_cut(linked, chunk):
    broker, listener, _ = linked
    payloads = [bytes([n]) * size for n, size in enumerate(SIZES[: 8 if chunk > 7 else 5])]
    await broker.write(b"".join(map(publish, payloads)), chunk=chunk)
    await until(lambda: len(listener.heard) == len(payloads))
    assert listener.heard == [("b1", TOPIC.decode(), payload, False) for payload in payloads]


async def test_a_retained_message_says_so_at_both_qualities_of_service(linked):
    broker, listener, _ = linked
    await broker.write(
        publish(b"a", flags=1)
        + publish(b"b", flags=2, number=b"\x00\x05")
        + publish(b"c", flags=3, number=b"\x00\x06"),
        chunk=1_000,
    )
    await until(lambda: len(listener.heard) == 3)
    assert [(payload, retained) for _, _, payload, retained in listener.heard] == [
        (b"a", True),
        (b"b", False),
        (b"c", True),
    ]
    await until(lambda: broker.said.count(4) == 2)  # PUBACK, for those of QoS 1 alone


async def test_a_topic_that_is_no_text_is_handed_on_to_be_refused(linked):
    broker, listener, _ = linked
    await broker.write(publish(b"a", topic=b"roost/\xff") + publish(b"b"), chunk=1_000)
    await until(lambda: len(listener.heard) == 2)
    assert listener.heard[0][1] == "roost/\ufffd"


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\xffshort"])
async def test_a_packet_that_ends_too_early_harms_nothing(linked, body):
    broker, listener, _ = linked
    await broker.write(packet(0x30, body) + publish(b"after"), chunk=1_000)
    await until(lambda: listener.heard and listener.heard[-1][2] == b"after")
    assert broker.connections == 1


async def test_a_message_that_cannot_be_taken_in_does_not_end_the_reading(linked, caplog):
    broker, listener, _ = linked
    listener.poison = b"poison"
    with caplog.at_level(logging.ERROR):
        await broker.write(publish(b"poison") + publish(b"after"), chunk=1_000)
        await until(lambda: listener.heard)
    assert listener.heard[0][2] == b"after"
    assert "could not be taken in" in caplog.text


async def test_a_lost_connection_is_told_and_made_again(linked, monkeypatch):
    monkeypatch.setattr(mqtt, "RETRY_S_MIN", 0.01)
    broker, listener, link = linked
    assert link.publish("roost/v1/00/lab.n1/down/receipt", b"r")
    broker.writer.transport.abort()
    await until(lambda: listener.states == ["up", "down", "up"])
    await broker.write(publish(b"again"), chunk=1_000)
    await until(lambda: listener.heard)
