"""The alarms of one node over a real outbox, in one loop."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import msgspec
import pytest

from roost_agent.alarm_types import shipped
from roost_agent.alarms.desk import Desk
from roost_agent.alarms.service import Alarms
from roost_agent.config import OutboxConfig
from roost_agent.outbox.spool import FILE, Spool
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.codec import unpack
from roost_protocol.envelope import Lane

LIMITS = OutboxConfig(8 << 20, 3_600_000, 1 << 20, 3_600_000)


async def until(look, what):
    """Wait on this loop for a condition."""
    for _ in range(4_000):
        if look():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"not within 20 s: {what}")


class Node:
    """One start of an agent's alarms on a state directory; the next one finds what it left."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = SystemClock()
        self.spool = Spool(folder, LIMITS, clock=self.clock, entropy=SystemEntropy())
        self.alarms = Alarms(self.spool, self.clock, shipped())
        self.desk = Desk(self.alarms, self.spool, self.clock, "lab.n1")

    @asynccontextmanager
    async def running(self, watched=frozenset({"100.101"})):
        await self.spool.open()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.spool.run(lambda event: None))]
            await self.alarms.open(watched)
            tasks.append(group.create_task(self.alarms.run()))
            yield self
            for task in tasks:
                task.cancel()
        await self.spool.close()

    async def settled(self):
        def is_settled():
            return not (self.alarms._is_writing or self.alarms._entries) and self.spool.is_idle

        await until(is_settled, "everything on disk")

    def items(self, lane=Lane.ALARM):
        """Everything of a lane that is on disk."""
        with closing(sqlite3.connect(self.folder / FILE)) as disk:
            rows = disk.execute(
                "SELECT kind, body, compressed FROM item WHERE lane = ? ORDER BY seq", (lane,)
            ).fetchall()
        return [
            (kind, msgspec.msgpack.decode(unpack(body, compressed=bool(compressed))))
            for kind, body, compressed in rows
        ]


@pytest.fixture
def wait():
    return until


@pytest.fixture
def make_node(tmp_path):
    return lambda: Node(tmp_path)
