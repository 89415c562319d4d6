"""A FAKE central: the mark rule in memory, over a real broker. Nothing of roost_central is in it.

It receipts a report at once, with no disk behind it, forgets everything when asked to (as one that
is restored from an older backup), and can be told to stay silent.
"""

import asyncio
from types import TracebackType

import aiomqtt
from broker import Broker

from roost_protocol.beat import Beat
from roost_protocol.codec import Decoder, encode, unpack
from roost_protocol.envelope import Gone, ItemKind, Lane, Receipt, Report, Resync
from roost_protocol.topics import NodeTopics, parse_up

BEATS, REPORTS, GONES = Decoder[Beat](Beat), Decoder[Report](Report), Decoder[Gone](Gone)


class FakeCentral:
    """Everything one broker's nodes said, in order."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.epoch = 1
        self.marks: dict[bytes, int] = {}
        self.items: dict[Lane, list[bytes]] = {lane: [] for lane in Lane}
        self.kinds: list[tuple[ItemKind, bytes]] = []  # of all lanes, as they came
        self.order: list[Lane] = []  # of the items, as they came
        self.beats: list[Beat] = []
        self.gones: list[Gone] = []
        self.resync: list[Resync] = []
        self.is_silent = False
        self.pause_s = 0.0  # before each receipt: a busy centre
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "FakeCentral":
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        assert self._task is not None
        while not self._task.done():  # a client that fails to disconnect hides a cancellation
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)

    def restore(self) -> None:
        """Come back from a backup that was made before anything was said."""
        self.epoch += 1
        self.marks.clear()
        self.items = {lane: [] for lane in Lane}

    async def _run(self) -> None:
        while True:
            try:
                async with aiomqtt.Client(self._broker.host, self._broker.port) as client:
                    await client.subscribe("roost/v1/+/+/up/+", qos=1)
                    async for message in client.messages:
                        await self._hear(client, message)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def _hear(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        speaker = parse_up(str(message.topic))
        if speaker.leaf == "beat":
            self.beats.append(BEATS.decode(message.payload))
        elif speaker.leaf == "gone":
            self.gones.append(GONES.decode(message.payload))
        else:
            receipt = self._take(REPORTS.decode(message.payload))
            await asyncio.sleep(self.pause_s)
            if not self.is_silent:
                await client.publish(NodeTopics.of(speaker.node).receipt, encode(receipt), qos=1)

    def _take(self, report: Report) -> Receipt:
        report.check_order()
        if report.prev == self.marks.get(report.stream, 0) and not self.is_silent:
            self.marks[report.stream] = report.last
            for item in report.items:
                self.order.append(report.lane)
                body = unpack(item.body, compressed=item.compressed)
                self.items[report.lane].append(body)
                self.kinds.append((item.kind, body))
        resync, self.resync = self.resync, []
        return Receipt(
            v=1,
            node=report.node,
            lane=report.lane,
            stream=report.stream,
            seq=self.marks.get(report.stream, 0),
            central_epoch=b"epoch%03d" % self.epoch,
            sent_ms=0,
            resync=resync,
            reconnect_window_s=1,
        )
