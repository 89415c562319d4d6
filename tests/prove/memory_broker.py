"""A centre's ingest behind a broker of memory, which says whatever it likes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.fleet.restore import restore
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.mqtt import Listener
from roost_central.ingest.seals import Seals
from roost_central.ingest.service import IngestService
from roost_central.ingest.tls import BrokerTls
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage.engine import Database
from roost_protocol.topics import NodeId, split_node_id

HEAR_S_MAX = 60.0
NOWHERE = BrokerTls(Path("ca"), Path("cert"), Path("key"), "b1.svc.edge.example")


class Link:
    """The broker."""

    def __init__(self, address: BrokerAddress, listener: Listener) -> None:
        self.name, self.listener = address.name, listener

    async def run(self) -> None:
        """Be connected until cancelled."""
        self.listener.on_up(self.name)
        await asyncio.get_running_loop().create_future()

    def publish(self, _topic: str, _payload: bytes) -> bool:
        """Take a receipt that nobody waits for."""
        return True


class Centre:
    """The running ingest."""

    def __init__(self, service: IngestService, database: Database, link: Link) -> None:
        self.database = database
        self._service = service
        self._link = link

    def register(self, node: NodeId) -> None:
        """Let a node speak."""
        self._service._beats._roster.enter(node, split_node_id(node)[0])

    async def hears(self, said: Sequence[tuple[str, bytes]]) -> None:
        """Bring messages in, and return once they are written or refused."""
        counters = self._service.counters
        heard = counters.reports + counters.refused.total()
        for topic, message in said:
            self._link.listener.on_message(self._link.name, topic, message, retained=False)
        async with asyncio.timeout(HEAR_S_MAX):
            while counters.reports + counters.refused.total() < heard + len(said):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # from outside, as an operator looks
            while self._service._reports._in_hand.reports:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(folder: Path, seals: Seals) -> AsyncIterator[Centre]:
    """Run a centre's ingest on a database of its own."""
    clock, links = SystemClock(), []

    def link(address: BrokerAddress, listener: Listener) -> Link:
        links.append(Link(address, listener))
        return links[-1]

    database = await Database.open(f"sqlite+aiosqlite:///{folder}/x.db", clock=clock)
    try:
        async with database.read() as connection:
            view = await restore(connection)
        config = IngestConfig((BrokerAddress.parse("b1", "mqtts://192.0.2.1", NOWHERE),))
        book = AlarmBook(shipped(), view, database, clock)
        service = IngestService(
            database, view, clock, SystemEntropy(), config, book=book, seals=seals, link=link
        )
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(service.run())
            yield Centre(service, database, links[0])
            task.cancel()
    finally:
        await database.close()
