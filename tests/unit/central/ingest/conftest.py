"""Ingest behind a broker of memory: the seam that a simulator uses too."""

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from migrated import database_url

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.fleet.restore import restore
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.service import IngestService
from roost_central.ports import SystemEntropy
from roost_central.storage.engine import Database
from roost_central.storage.retention import Retention
from roost_protocol.codec import Decoder
from roost_protocol.envelope import Receipt

decode = Decoder(Receipt).decode


class Clock:
    """The time that the test says, and a little more at each look."""

    def __init__(self):
        self.now_ms = 1_000_000

    def wall_ms(self):
        return 1_700_000_000_000 + self.now_ms

    def mono_ms(self):
        return self.now_ms

    boot_ms = mono_ms


class Link:
    """A broker in memory: gives messages to ingest, keeps what it publishes."""

    def __init__(self, address, listener):
        self.name = address.name
        self.listener = listener
        self.receipts = []
        self.takes = True

    async def run(self):
        self.listener.on_up(self.name)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.listener.on_down(self.name)

    def publish(self, topic, payload):
        if self.takes:
            self.receipts.append((topic, decode(payload)))
        return self.takes

    def say(self, topic, payload, *, retained=False):
        self.listener.on_message(self.name, topic, payload, retained=retained)


class Centre:
    """A running service and what is around it."""

    def __init__(self, database, view, service, link, clock):
        self.database = database
        self.view = view
        self.service = service
        self.counters = service.counters
        self.link = link
        self.clock = clock

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - looks from outside, as an operator does
                await asyncio.sleep(0.01)


@pytest.fixture
def run_centre(tmp_path):
    @contextlib.asynccontextmanager
    async def run(*, admit="loopback", host="127.0.0.1", retention=None, seals=None):
        clock = Clock()
        database = await Database.open(database_url(tmp_path), clock=clock)
        links = []

        def link(address, listener):
            links.append(Link(address, listener))
            return links[-1]

        try:
            async with database.read() as connection:
                view = await restore(connection)
            broker = BrokerAddress.parse("b1", f"mqtt://{host}")
            config = IngestConfig((broker,), admit=admit, retention=retention or Retention())
            service = IngestService(
                database,
                view,
                clock,
                SystemEntropy(),
                config,
                book=AlarmBook(shipped(), view, database, clock),
                seals=seals,
                link=link,
            )
            async with asyncio.TaskGroup() as group:
                task = group.create_task(service.run())
                centre = Centre(database, view, service, links[0], clock)
                await centre.until(lambda: service.counters.brokers[0].state == "connected")
                yield centre
                task.cancel()
        finally:
            await database.close()

    return run
