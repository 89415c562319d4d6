"""Power cuts under the centre: the real ingest and storage, on a disk that loses power.

Each session opens the database that the cut before left and checks it: what was receipted is
there, each item took effect once, each mark is the number of its stream's events. Then a few
nodes report until the power is gone again: some of it repeated, some out of order, as brokers and
agents do. Everything is the product's but the disk, the broker (its seam) and the clock.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import jumping_loop
from apsw_driver import Connection, InlineConnection
from powercut import Disk, empty

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.errors import StorageError
from roost_central.fleet.restore import restore
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.service import IngestService
from roost_central.storage.engine import Database
from roost_protocol.alarm import Event
from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Item, ItemKind, Lane, Receipt, Report
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

FILE = "roost.db"
NODES = ("lab.n1", "lab.n2", "far.n1")
OPERATIONS_MAX = 600  # of the disk in one session; to open takes 230 the first time, then 110
FRESH_SHARE = 0.05  # sessions that begin with an empty disk: the migrations are cut as well
ANSWER_S_MAX = 60.0  # of the loop, which jumps: no cut until then, and yet no receipt
TEXT_CHARS = 200  # the database grows by pages, and its log is written back now and then

receipt_of = Decoder[Receipt](Receipt).decode


@dataclass
class Tally:
    """What the cuts found."""

    cuts: int = 0
    written_back: int = 0  # cuts while the log was written back
    receipts: int = 0
    faults: list[str] = field(default_factory=list)


class Clock:
    """Time that passes a little at each look: nothing waits for it."""

    def __init__(self) -> None:
        self._now_ms = 1_000_000

    def wall_ms(self) -> int:
        """UTC."""
        return 1_700_000_000_000 + self.mono_ms()

    def mono_ms(self) -> int:
        """See wall_ms."""
        self._now_ms += 7
        return self._now_ms

    boot_ms = mono_ms


class Entropy:
    """Numbers from the seed."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.uniform = dice.uniform

    def token(self, size: int) -> bytes:
        """Return bytes from the seed."""
        return self._dice.randbytes(size)


@dataclass
class Node:
    """One node's end: its outbox is what the receipts say of it."""

    name: str
    stream: bytes
    mark: int = 0


class Link:
    """A broker in memory, gone with the power."""

    def __init__(self, name: str, listener: IngestService, disk: Disk, centre: "Centre") -> None:
        self._name = name
        self._listener = listener
        self._disk = disk
        self._centre = centre

    async def run(self) -> None:
        """Be connected until the end."""
        self._listener.on_up(self._name)
        await asyncio.get_running_loop().create_future()

    def publish(self, _topic: str, payload: bytes) -> bool:
        """Take a receipt out, unless there is no machine any more that could send it."""
        if self._disk.is_off:
            return False
        receipt = receipt_of(payload)
        self._centre.receipted(receipt.stream, receipt.seq)
        return True

    def say(self, topic: str, payload: bytes) -> None:
        """Bring a message in."""
        self._listener.on_message(self._name, topic, payload, retained=False)


class Centre:
    """The centre's disk over many cuts.

    Args:
        folder: scratch space, best on tmpfs.
        dice: all choices come from here.
        honest: whether the disk does what fsync asks.
    """

    def __init__(self, folder: Path, dice: random.Random, *, honest: bool = True) -> None:
        self._folders = [empty(folder / "a"), empty(folder / "b")]
        self._dice = dice
        self._honest = honest
        self._nodes: dict[bytes, Node] = {}
        self._is_fresh = True
        self._answered = asyncio.Event()
        self._tally = Tally()

    async def cut_power(self, count: int, after: Callable[[int], None]) -> Tally:
        """Run so many sessions, each ended by a cut; ``after`` hears of each."""
        for _ in range(count):
            await self._session()
            after(self._tally.cuts)
        return self._tally

    def receipted(self, stream: bytes, seq: int) -> None:
        """Remember the greatest number that was promised of a stream."""
        node = self._nodes[stream]
        node.mark = max(node.mark, seq)
        self._tally.receipts += 1
        self._answered.set()

    async def _session(self) -> None:
        if self._is_fresh or self._dice.random() < FRESH_SHARE:
            empty(self._folders[0])
            streams = [self._dice.randbytes(16) for _ in NODES]
            self._nodes = {s: Node(n, s) for s, n in zip(streams, NODES, strict=True)}
        self._is_fresh = False
        disk = Disk(self._folders[0], self._dice, honest=self._honest)
        disk.cut_at = self._dice.randint(1, OPERATIONS_MAX)
        try:
            await self._run(disk)
        except (StorageError, AssertionError) as err:
            if not (disk.is_off and isinstance(err, StorageError)):
                self._tally.faults.append(f"cut {self._tally.cuts}: {err}")
                self._is_fresh = True
        self._tally.cuts += 1
        self._tally.written_back += disk.last_written == FILE
        disk.cut(empty(self._folders[1]))
        self._folders.reverse()

    async def _run(self, disk: Disk) -> None:
        path = disk.folder / FILE

        async def creator(*_args: object, **_options: object) -> InlineConnection:
            return await InlineConnection(lambda: disk.connect(path))

        url = f"sqlite+aiosqlite:///{path}"
        database = await Database.open(url, clock=Clock(), async_creator=creator)
        try:
            self._check(disk.connect(path))
            async with self._ingest(database, disk) as link:
                await self._report_until_the_cut(link, disk)
        finally:
            with contextlib.suppress(StorageError):
                await database.close()

    def _check(self, db: Connection) -> None:
        """Compare what is on disk with what was promised, with SQL of our own."""
        (state,) = db.execute("PRAGMA integrity_check").fetchall()
        assert state == ("ok",), f"integrity_check: {state}"
        marks = {bytes(stream): seq for stream, seq in db.execute("SELECT stream, seq FROM mark")}
        for node in self._nodes.values():
            mark = marks.get(node.stream, 0)
            assert mark >= node.mark, f"{node.name}: receipted {node.mark}, its mark is {mark}"
            texts = db.execute(
                "SELECT text FROM event WHERE kind = 'node' AND node = ? ORDER BY seq",
                (node.name,),
            ).fetchall()
            numbers = [int(text.split()[0]) for (text,) in texts]
            assert numbers == list(range(1, mark + 1)), (
                f"{node.name}: mark {mark}, {len(numbers)} effects, of {len(set(numbers))} items"
            )
            node.mark = mark  # what a receipt of now would say
        db.close()

    @contextlib.asynccontextmanager
    async def _ingest(self, database: Database, disk: Disk) -> AsyncIterator[Link]:
        async with database.read() as connection:
            view = await restore(connection)
        links: list[Link] = []

        def link(address: BrokerAddress, listener: IngestService) -> Link:
            links.append(Link(address.name, listener, disk, self))
            return links[0]

        config = IngestConfig((BrokerAddress.parse("b1", "mqtt://127.0.0.1"),), admit="loopback")
        service = IngestService(
            database,
            view,
            Clock(),
            Entropy(self._dice),
            config,
            book=AlarmBook(shipped(), view, database, Clock()),
            link=link,
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_until_the_end(service))
            try:
                yield links[0]
            finally:
                task.cancel()

    async def _report_until_the_cut(self, link: Link, disk: Disk) -> None:
        while not disk.is_off:
            self._answered.clear()
            for node in self._dice.sample(list(self._nodes.values()), self._dice.randint(1, 3)):
                self._speak(link, node)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S_MAX):
                    await self._hear(disk)
            assert disk.is_off or self._answered.is_set(), "no receipt, and the power is there"

    async def _hear(self, disk: Disk) -> None:
        while not (disk.is_off or self._answered.is_set()):  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(0.001)

    def _speak(self, link: Link, node: Node) -> None:
        """Say a few reports from the mark on; now and then one twice, or one too early."""
        topic = NodeTopics.of(node.name).report
        prev = node.mark
        for _ in range(self._dice.randint(1, 3)):
            count = self._dice.randint(1, 6)
            chance = self._dice.random()
            payload = self._report(node, prev + (3 if chance < 0.1 else 0), count)
            link.say(topic, payload)
            if chance > 0.8:
                link.say(topic, payload)
            prev += count

    def _report(self, node: Node, prev: int, count: int) -> bytes:
        items = [
            Item(seq, ItemKind.EVENT, 1, encode(self._event(seq)))
            for seq in range(prev + 1, prev + 1 + count)
        ]
        return encode(
            Report(
                v=1,
                node=node.name,
                boot_id=b"b" * 16,
                incarnation=1,
                path="wan1",
                sent_ms=1,
                lane=Lane.BULK,
                stream=node.stream,
                prev=prev,
                items=items,
            )
        )

    def _event(self, seq: int) -> Event:
        text = f"{seq} " + "x" * self._dice.randrange(TEXT_CHARS)
        return Event(v=1, type="100.101", severity=Severity.MINOR, text=text)


async def _until_the_end(service: IngestService) -> None:
    """Run ingest; that it ends with the disk is no news."""
    with contextlib.suppress(StorageError):
        await service.run()


def cut_power(
    count: int,
    seed: int,
    folder: Path,
    *,
    honest: bool = True,
    after: Callable[[int], None] = lambda _cuts: None,
) -> Tally:
    """Run so many sessions, each ended by a cut; ``after`` hears of each."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret

    async def main() -> Tally:
        return await Centre(folder, dice, honest=honest).cut_power(count, after)

    logging.disable()  # hundreds of failing disks, each said at length
    try:
        return jumping_loop.run(main)
    finally:
        logging.disable(logging.NOTSET)
