"""A real Mosquitto, ingest in this process, and an agent's end of the wire."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiomqtt
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from loopback_ports import free_port

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.fleet.restore import restore
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.service import IngestService
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage.engine import Database
from roost_protocol.alarm import Event
from roost_protocol.beat import Beat, LaneReport, PathKind, PathReport, PathState
from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Item, ItemKind, Lane, Receipt, Report
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

PATIENCE_S = 60  # for what must happen
receipts = Decoder[Receipt](Receipt)


class Mosquitto:
    """One broker process that can be killed and started again on its port."""

    def __init__(self, folder):
        self.port = free_port()
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "set_tcp_nodelay true\nmax_queued_messages 100000\n"
        )
        self._process = None

    def start(self):
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "mosquitto does not listen"
                time.sleep(0.05)
            else:
                return

    def kill(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def broker(tmp_path):
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


class Agent:
    """One node's end of the wire: says what the test wants, keeps the receipts."""

    def __init__(self, client, node):
        self.client = client
        self.node = node
        self.topics = NodeTopics.of(node)
        self.stream = node.encode().ljust(16, b"-")
        self.n = 0
        self.receipts = asyncio.Queue()

    def _envelope(self):
        return {
            "v": 1,
            "node": self.node,
            "boot_id": b"b" * 16,
            "incarnation": 1,
            "path": "wan1",
            "sent_ms": int(time.time() * 1000),
        }

    def report(self, prev, bodies, *, kind=ItemKind.EVENT, **said):
        items = [Item(prev + 1 + i, kind, 1, body) for i, body in enumerate(bodies)]
        fields = {
            **self._envelope(),
            "lane": Lane.BULK,
            "stream": self.stream,
            "prev": prev,
            "items": items,
            **said,
        }
        return encode(Report(**fields))

    def events(self, prev, count):
        return self.report(
            prev,
            [
                encode(Event(v=1, type="100.101", severity=Severity.MINOR, text=f"{prev + 1 + i}"))
                for i in range(count)
            ],
        )

    def beat(self, **said):
        self.n += 1
        fields = {
            **self._envelope(),
            "n": self.n,
            "interval_ms": 1_000,
            "uptime_s": 5,
            "agent": "0.1.0",
            "why": "timer",
            "paths": [PathReport("wan1", PathKind.WAN, PathState.UP, 0)],
            "bulk": LaneReport(self.stream, 0),
            **said,
        }
        return encode(Beat(**fields))

    async def say(self, payload, *, topic=None):
        await self.client.publish(topic or self.topics.report, payload, qos=1)

    async def receipt(self):
        async with asyncio.timeout(PATIENCE_S):
            return await self.receipts.get()

    async def no_receipt(self, seconds=0.5):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                pytest.fail(f"unexpected receipt: {await self.receipts.get()}")


@contextlib.asynccontextmanager
async def agents(port, *nodes):
    """Agents that share one connection."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        known = {node: Agent(client, node) for node in nodes}
        by_topic = {agent.topics.receipt: agent for agent in known.values()}
        for topic in by_topic:
            await client.subscribe(topic, qos=1)

        async def listen():
            async for message in client.messages:
                by_topic[str(message.topic)].receipts.put_nowait(receipts.decode(message.payload))

        async with asyncio.TaskGroup() as group:
            task = group.create_task(listen())
            try:
                yield [known[node] for node in nodes]
            finally:
                task.cancel()


class Centre:
    """Ingest in this process."""

    def __init__(self, database, view, service):
        self.database = database
        self.view = view
        self.service = service
        self.counters = service.counters
        self.task = None

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - looks from outside, as an operator does
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def centre(url, port, *, admit="loopback", **options):
    database = await Database.open(url, clock=SystemClock())
    try:
        async with database.read() as connection:
            view = await restore(connection)
        config = IngestConfig(
            brokers=(BrokerAddress.parse("b1", f"mqtt://127.0.0.1:{port}"),),
            admit=admit,
            **options,
        )
        service = IngestService(
            database,
            view,
            SystemClock(),
            SystemEntropy(),
            config,
            book=AlarmBook(shipped(), view, database, SystemClock()),
        )
        running = Centre(database, view, service)
        async with asyncio.TaskGroup() as group:
            running.task = group.create_task(service.run())
            await running.until(lambda: service.counters.brokers[0].state == "connected")
            yield running
            running.task.cancel()
    finally:
        await database.close()


@pytest.fixture
def url(tmp_path):
    return f"sqlite+aiosqlite:///{tmp_path}/roost.db"


@pytest.fixture
def run_centre(url, broker):
    return lambda **options: centre(url, broker.port, **options)


@pytest.fixture
def run_agents(broker):
    return lambda *nodes: agents(broker.port, *nodes)
