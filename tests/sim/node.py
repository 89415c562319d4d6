"""A simulated node: the production agent on a host, over connections of the model's brokers.

Production code from the configuration down to the outbox's SQLite file; in its place stand the
MQTT client (``Dialer``), the probe (``Prober``), the samples behind alarms, the kernel's news and
the process around it (``roost_agent.running``: signals, the control socket, the state lock).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sim.broker import Client, Connection
from sim.machine import Machine
from sim.oracle import ALARM_TYPE, NUMBERED
from sim.plan import Plan
from sim.proc import Host, Life

from roost_agent.alarms.service import Alarms
from roost_agent.alarms.table import Raise
from roost_agent.config import Config
from roost_agent.driver import Driver
from roost_agent.errors import LinkError, StorageError
from roost_agent.identity import next_identity
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.paths.link import Dial, Message
from roost_agent.paths.mqtt import ACK_S, INCOMING_MAX
from roost_agent.running import DRAIN_S
from roost_agent.survey import Instruments
from roost_protocol.alarm import Event
from roost_protocol.codec import VERSION, pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.severity import Severity

if TYPE_CHECKING:
    from sim.world import World

    from roost_agent.outbox.store import LaneCounts

ALARMS = 4  # file systems of a node
BOOT_ID = "proc/sys/kernel/random/boot_id"


class _StopError(Exception):
    """The agent was told to end, and has said good-bye."""


class Node:
    """One node of the fleet.

    Attributes:
        driver: of the life of now, None before it runs.
        busy: whether it has something to say now and then.
    """

    def __init__(self, world: "World", config: Config, plan: Plan, *, big: bool) -> None:
        self.world = world
        self.config = config
        self.name = config.node_id
        self.machine = Machine(world, self.name, big=big)
        self.host = Host(world, self.name, world.folder / self.name, self._run)
        self.driver: Driver | None = None
        self.busy = True
        self._plan = plan
        self._rng: random.Random = world.dice(f"{self.name}/says")

    def change_hardware(self) -> None:
        """Change something, and have the kernel say so."""
        news = self.machine.change()
        if self.driver is not None and self.host.is_up:
            self.host.life.context.run(self.driver.survey.handle, news)

    def alarms(self) -> dict[str, int] | None:
        """Return entity and severity of each alarm of ours; None while the outbox is not open."""
        if self.driver is None or not self.driver.alarms.is_open:
            return None
        rows = self.driver.alarms.table.rows.values()
        return {row.entity: int(row.severity) for row in rows if row.type == ALARM_TYPE}

    async def _run(self, life: Life) -> None:
        host, config = self.host, self.config
        root = host.folder / "root"
        boot_id = random.Random(f"{self.name}/{host.boots}").randbytes(16)
        (root / BOOT_ID).parent.mkdir(parents=True, exist_ok=True)
        (root / BOOT_ID).write_text(boot_id.hex())
        identity = next_identity(self.name, host.folder, root=root)
        spool = Spool(host.folder, config.outbox, clock=host.clock, entropy=host.entropy)
        instruments = Instruments(host.clock, host.entropy, self.machine.probe)
        driver = self.driver = Driver(config, identity, spool, instruments)
        try:
            async with asyncio.TaskGroup() as group:
                for name in driver.wires:
                    group.create_task(driver.carry(name, SimDialer(life)))
                group.create_task(driver.tick())
                group.create_task(self._store(driver))
                group.create_task(self._until_stopped(driver, life))
                driver.start()
        except* _StopError:
            pass
        finally:
            await spool.close()

    async def _store(self, driver: Driver) -> None:
        await driver.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(driver.deliver())
            group.create_task(driver.survey.run())
            group.create_task(driver.alarms.run())
            group.create_task(self._alarm(driver.alarms))
            if self._plan.say_every_s:
                group.create_task(self._say(driver.spool))

    async def _until_stopped(self, driver: Driver, life: Life) -> None:
        await life.stop.wait()
        try:
            async with asyncio.timeout(DRAIN_S):
                await driver.drain()
        except TimeoutError:
            self.world.trace.met("an agent was stopped with something unsaid")
        raise _StopError

    async def _alarm(self, alarms: Alarms) -> None:
        """Raise, change and clear alarms now and then: the centre must end with the same set."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / self._plan.alarm_every_s))
            if not self.busy:
                continue
            entity = f"fs=/mnt/{self._rng.randrange(ALARMS)}"
            severity = self._rng.choice([Severity.CLEARED, Severity.MAJOR, Severity.CRITICAL])
            if severity is Severity.CLEARED:
                alarms.clear(ALARM_TYPE, entity, "gone")
            else:
                alarms.raise_(Raise(ALARM_TYPE, entity, severity, "", {"what": "space"}))

    async def _say(self, spool: Spool) -> None:
        """Put numbered events and alarms into the outbox: what must arrive, once."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / self._plan.say_every_s))
            for _ in range(self._rng.choice([1, 1, 1, 5]) if self.busy else 0):
                self._say_one(spool)

    def _say_one(self, spool: Spool) -> None:
        lane = self._rng.choice([Lane.ALARM, Lane.BULK])
        severity = self._rng.choice([Severity.MINOR, Severity.CRITICAL])
        self.say(spool, lane, severity, size=self._rng.choice([10, 200]))

    def say(self, spool: Spool, lane: Lane, severity: Severity, *, size: int) -> None:
        """Put one numbered event into the outbox, with a text of so many bytes."""
        number = self.world.oracle.offer(self.name, lane)
        text, params = "x" * size, {"n": number}
        type_ = NUMBERED[lane.value]
        said = Event(v=VERSION, type=type_, severity=severity, text=text, params=params)
        body, compressed = pack(said)
        keep = lane is Lane.ALARM and severity is Severity.CRITICAL
        at_ms = self.host.clock.wall_ms()
        entry = Entry(lane, ItemKind.EVENT, at_ms, body, compressed, keep=keep)

        def on_disk(lanes: "Mapping[Lane, LaneCounts]") -> None:
            self.world.oracle.accept(self.name, number, keep=keep)

        try:
            spool.append(Batch((entry,), {}, on_disk))
        except StorageError:
            self.world.trace.met("an outbox was full in memory and took nothing")


class SimLink:
    """See roost_agent.paths.link.Link."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._incoming: asyncio.Queue[Message | None] = asyncio.Queue(INCOMING_MAX)
        self.connection: Connection | None = None

    def hear(self, topic: str, payload: bytes, _retained: bool) -> None:
        """Queue a message; one too many is discarded, as the client does."""
        if not self._incoming.full():
            self._incoming.put_nowait(Message(topic, payload))

    def end(self, _ended: object) -> None:
        """Wake the reader for the end."""
        if self._incoming.full():
            self._incoming.get_nowait()
        self._incoming.put_nowait(None)

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> bool:
        connection = self.connection
        assert connection is not None
        if not self._life.alive or connection.ended.done():
            raise LinkError("the connection is gone")
        self._life.host.world.oracle.said(self._life.host.name, topic, payload)
        ack = connection.publish(topic, payload, qos=qos)
        if ack is None:
            return True
        try:
            async with asyncio.timeout(ACK_S):
                acknowledged = await asyncio.shield(ack)
        except TimeoutError:
            return False
        if not acknowledged:
            raise LinkError("the connection ended before the PUBACK")
        return True

    async def messages(self) -> AsyncIterator[Message]:
        while (message := await self._incoming.get()) is not None:
            yield message
        assert self.connection is not None
        raise LinkError(self.connection.ended.result())


class SimDialer:
    """See roost_agent.paths.link.Dialer."""

    def __init__(self, life: Life) -> None:
        self._life = life

    @asynccontextmanager
    async def connect(self, dial: Dial) -> AsyncIterator[SimLink]:
        world = self._life.host.world
        link = SimLink(self._life)
        client = Client(dial.client_id, dial.subscriptions, link.hear, dial.will_topic, dial.will)
        broker = world.brokers[dial.path.host]
        connection = link.connection = Connection(world.net, self._life, broker, client)
        connection.ended.add_done_callback(link.end)
        try:
            if not await connection.open():
                raise LinkError("no CONNACK")
            yield link
        finally:
            connection.leave()
