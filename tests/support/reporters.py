"""Nodes of a test: they report numbered events, hear receipts and measure how long those take.

The wire's other end without an agent: what is said is known exactly, and nothing is kept on disk.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiomqtt

from roost_protocol.alarm import Event
from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Item, ItemKind, Lane, Receipt, Report
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

PATIENCE_S = 1.0  # then a report is said again
RETRY_S = 0.1  # between attempts to connect

_receipts = Decoder[Receipt](Receipt)


@dataclass
class Reporter:
    """One node: what it said, and what central says of it."""

    node: str
    mark: int = 0
    delays_s: list[float] = field(default_factory=list)  # from a report to its receipt
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stream(self) -> bytes:
        """Its only stream."""
        return self.node.encode().ljust(16, b"-")[:16]

    @property
    def topics(self) -> NodeTopics:
        """Its topics."""
        return NodeTopics.of(self.node)

    def report(self, prev: int, bodies: list[bytes], kind: ItemKind = ItemKind.EVENT) -> bytes:
        """Return a report of items that follow ``prev``."""
        return encode(
            Report(
                v=1,
                node=self.node,
                boot_id=b"b" * 16,
                incarnation=1,
                path="wan1",
                sent_ms=int(time.time() * 1000),
                lane=Lane.BULK,
                stream=self.stream,
                prev=prev,
                items=[Item(prev + 1 + n, kind, 1, body) for n, body in enumerate(bodies)],
            )
        )

    def events(self, prev: int, count: int) -> bytes:
        """Return a report of numbered events."""
        return self.report(prev, [event(prev + 1 + n) for n in range(count)])


class Reporters:
    """Several nodes on one connection."""

    def __init__(self, client: aiomqtt.Client, nodes: list[Reporter]) -> None:
        self.client = client
        self._by_topic = {node.topics.receipt: node for node in nodes}

    async def listen(self) -> None:
        """Hear receipts until cancelled."""
        for topic in self._by_topic:
            await self.client.subscribe(topic, qos=1)
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            node = self._by_topic[str(message.topic)]
            node.mark = max(node.mark, _receipts.decode(message.payload).seq)
            node.heard.set()

    async def talk(self, node: Reporter, *, every_s: float, goal: int = 1 << 60) -> None:
        """Report one event after the other, each again until central has it."""
        while node.mark < goal:
            began = time.monotonic()
            wanted = node.mark + 1
            while node.mark < wanted:
                node.heard.clear()
                await self.client.publish(node.topics.report, node.events(wanted - 1, 1), qos=1)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_S):
                        await node.heard.wait()
            took_s = time.monotonic() - began
            node.delays_s.append(took_s)
            await asyncio.sleep(max(0.0, every_s - took_s))


@asynccontextmanager
async def connected(port: int, nodes: list[Reporter]) -> AsyncIterator[Reporters]:
    """Give the nodes a connection, with their receipts heard."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        client.pending_calls_threshold = 10 * len(nodes)  # all of them may wait at once
        reporters = Reporters(client, nodes)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(reporters.listen())
            try:
                yield reporters
            finally:
                task.cancel()


def event(number: int) -> bytes:
    """Return an event whose text is its number."""
    return encode(Event(v=1, type="100.101", severity=Severity.MINOR, text=str(number)))
