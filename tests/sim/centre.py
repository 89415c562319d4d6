"""The simulated centre: production storage, fleet view and ingest on a host.

In place of production code stand the MQTT client (``BrokerLink``), aiosqlite's thread and the
process around it (``roost_central.app``: signals, the data directory's lock); the API is left out.
"""

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sim.broker import Client, Connection
from sim.disk import InlineConnection
from sim.proc import Host, Life

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import load as load_catalogue
from roost_central.fleet.restore import restore
from roost_central.fleet.view import FleetView
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.mqtt import RETRY_S_MAX, RETRY_S_MIN, Listener
from roost_central.ingest.service import IngestService
from roost_central.storage import settings
from roost_central.storage.engine import Database
from roost_protocol.topics import up_subscriptions

if TYPE_CHECKING:
    from sim.world import World

FILE = "roost.db"
CATALOGUE = load_catalogue(())


class Centre:
    """The centre.

    Attributes:
        view: the fleet as the life of now sees it.
        service: ingest of the life of now, None before it runs.
        restores: how often it was put back to a backup.
    """

    def __init__(self, world: "World") -> None:
        self.world = world
        self.host = Host(world, "centre", world.folder / "centre", self._run)
        self.file = self.host.folder / FILE
        self.view = FleetView()
        self.service: IngestService | None = None
        self.restores = 0
        self._renew_epoch = False
        shutil.copy(world.schema, self.file)

    def backup(self) -> None:
        """Keep a copy of what is committed."""
        self.world.audit.copy_to(self._copy)
        self.world.trace.note("centre is backed up")

    def put_back(self) -> bool:
        """Replace the dead centre's database by the backup, as an operator does after a loss."""
        if self.host.is_up or not self._copy.exists():
            return False
        self.world.audit.close()
        for end in ("-wal", "-shm"):
            Path(f"{self.file}{end}").unlink(missing_ok=True)
        shutil.copy(self._copy, self.file)
        self.restores += 1
        self._renew_epoch = True
        self.world.audit.restored()
        self.world.trace.note("centre is put back to its backup")
        self.world.trace.met("central was restored from a backup")
        return True

    @property
    def _copy(self) -> Path:
        return self.host.folder / "backup.db"

    async def _run(self, life: Life) -> None:
        host, world = self.host, self.world
        database = await Database.open(
            f"sqlite+aiosqlite:///{self.file}",
            clock=host.clock,
            async_creator=partial(InlineConnection, world, life, str(self.file)),
        )
        try:
            if self._renew_epoch:
                async with database.write() as connection:
                    await settings.renew_epoch(connection, host.entropy)
                self._renew_epoch = False
            async with database.read() as connection:
                self.view = await restore(connection)
            brokers = tuple(
                BrokerAddress.parse(name, "mqtt://127.0.0.1:1883") for name in world.wan_brokers
            )
            config = IngestConfig(brokers=brokers, admit="loopback")
            self.service = IngestService(
                database, self.view, host.clock, host.entropy, config,
                book=AlarmBook(CATALOGUE, self.view, database, host.clock),
                link=partial(SimBrokerLink, life),
            )  # fmt: skip
            await self._serve(self.service, life)
        finally:
            await database.close()

    async def _serve(self, service: IngestService, life: Life) -> None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(service.run())
            await life.stop.wait()
            running.cancel()


class SimBrokerLink:
    """See roost_central.ingest.mqtt.BrokerLink; connects and retries as MqttLink does."""

    def __init__(self, life: Life, address: BrokerAddress, listener: Listener) -> None:
        self._life = life
        self._name = address.name
        self._listener = listener
        self._connection: Connection | None = None

    async def run(self) -> None:
        retry_s = RETRY_S_MIN
        while True:
            if await self._session():
                retry_s = RETRY_S_MIN
            await asyncio.sleep(self._life.host.entropy.uniform(0, retry_s))
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    def publish(self, topic: str, payload: bytes) -> bool:
        world = self._life.host.world
        if self._connection is None or not self._life.alive:
            return False
        world.audit.receipt(payload)
        if world.buggify("central.no_room"):
            return False
        self._connection.publish(topic, payload, qos=1)
        return True

    async def _session(self) -> bool:
        host = self._life.host
        client = Client(
            f"central-{host.entropy.token(8).hex()}",
            tuple(up_subscriptions(range(64))),
            self._hear,
        )
        world = host.world
        connection = Connection(world.net, self._life, world.brokers[self._name], client)
        up = False
        try:
            up = await connection.open()
            if up:
                self._connection = connection
                self._listener.on_up(self._name)
                await asyncio.shield(connection.ended)
        finally:
            self._connection = None
            if up:
                self._listener.on_down(self._name)
            connection.leave()
        return up

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        self._listener.on_message(self._name, topic, payload, retained=retained)
