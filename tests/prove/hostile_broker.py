"""A broker that turned against its fleet: TLS with the fleet's own certificate, Mosquitto behind.

It believes every certificate and reads everything. While it is hostile, what it hands out is
dropped, changed, held back, said twice or left as it is; and between that it says of itself, faster
than anybody else, what it remembers, as it was or made into something else. Toward the real broker
it acknowledges what it swallowed, as the reader would.
"""

import asyncio
import random
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from packets import PUBLISH, packet, puback, split

REMEMBERED = 20_000  # messages, of each reader
HELD_MAX = 20  # messages that overtake one that is held back
TURN_S = 0.02
GONE_S = 0.1  # for what was closed to be gone before the loop is
QOS_1 = 0x02
CONNECT = 1
READ_BYTES = 1 << 16

Said = tuple[str, bytes]
Trick = Callable[[random.Random, list[Said]], Said]


class HostileBroker:
    """What stands between the fleet and its broker.

    Args:
        port, behind: its own, and the real broker's.
        tls: its certificate.
        forged: makes a message of those that were said.
        per_s: how many it says of itself to each reader.
    """

    def __init__(  # noqa: PLR0913 - what a broker is
        self,
        port: int,
        behind: int,
        tls: ssl.SSLContext,
        dice: random.Random,
        *,
        forged: Trick,
        per_s: int,
    ) -> None:
        self.is_hostile = False
        self.done: Counter[str] = Counter()
        self.dice, self.forged = dice, forged
        self.a_turn = max(1, round(per_s * TURN_S))
        self._port, self._behind, self._tls = port, behind, tls
        self._open: set[asyncio.Task[None]] = set()

    @property
    def messages(self) -> int:
        """How many it has handed out, or swallowed, while it was hostile."""
        return sum(self.done.values())

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Stand there, in a thread, while the context lasts."""
        loop = asyncio.new_event_loop()
        is_over = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(self._serve(is_over)))
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(is_over.set)
            thread.join()
            loop.close()

    async def _serve(self, is_over: asyncio.Event) -> None:
        server = await asyncio.start_server(self._meet, "127.0.0.1", self._port, ssl=self._tls)
        await is_over.wait()
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(GONE_S)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        ends = [writer]
        try:
            behind = await asyncio.open_connection("127.0.0.1", self._behind)
            ends.append(behind[1])
            with suppress(OSError, asyncio.IncompleteReadError):
                await Line(self, (reader, writer), behind).run()
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            for end in ends:
                end.transport.abort()


class Line:
    """One client and its connection to the real broker."""

    def __init__(
        self,
        of: HostileBroker,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        behind: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._of = of
        self._client, self._behind = client, behind
        self._is_5 = False
        self._said: deque[Said] = deque(maxlen=REMEMBERED)
        self._held: list[tuple[int, bytes]] = []  # how many may still overtake it

    async def run(self) -> None:
        """Pass on until one end goes."""
        async with asyncio.TaskGroup() as tasks:
            ways = [
                tasks.create_task(self._up()),
                tasks.create_task(self._down()),
                tasks.create_task(self._lie()),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()

    async def _up(self) -> None:
        """What the client says goes on as it is."""
        while data := await self._client[0].read(READ_BYTES):
            if data[0] >> 4 == CONNECT:
                self._is_5 = data[data.index(b"MQTT") + 4] == 5
            self._behind[1].write(data)
            await self._behind[1].drain()

    async def _down(self) -> None:
        rest = b""
        while data := await self._behind[0].read(READ_BYTES):
            rest += data
            at = 0
            for first, start, end in split(rest):
                whole = rest[at:end]
                at = end
                self._hand_out(first, rest[start:end], whole)
            rest = rest[at:]
            await self._client[1].drain()

    async def _lie(self) -> None:
        """Say what was never said, or not now."""
        while True:
            await asyncio.sleep(TURN_S)
            if self._of.is_hostile and self._said:
                said = list(self._said)
                for _ in range(self._of.a_turn):
                    self._say(*self._of.forged(self._of.dice, said))
                self._of.done["forged or said again"] += self._of.a_turn
                await self._client[1].drain()

    def _hand_out(self, first: int, body: bytes, whole: bytes) -> None:
        if first >> 4 != PUBLISH:
            self._write(whole)
            return
        topic, number, payload = self._parts(first, body)
        self._said.append((topic, payload))
        if not self._of.is_hostile:
            self._release()
            self._write(whole)
            return
        fate = self._of.dice.choices(
            ("as it is", "dropped", "said twice", "held back", "changed"), (60, 12, 8, 8, 12)
        )[0]
        self._of.done[fate] += 1
        if fate == "held back":
            self._held.append((self._of.dice.randint(1, HELD_MAX), whole))
        elif fate in {"dropped", "changed"}:
            if number:
                self._behind[1].write(puback(number))
            if fate == "changed":
                self._say(*self._of.forged(self._of.dice, [(topic, payload)]))
        else:
            self._write(whole * (2 if fate == "said twice" else 1))
        self._held = [(left - 1, each) for left, each in self._held]
        self._release(lambda left: left <= 0)

    def _release(self, is_due: Callable[[int], bool] = lambda _left: True) -> None:
        for left, whole in self._held:
            if is_due(left):
                self._write(whole)
        self._held = [each for each in self._held if not is_due(each[0])]

    def _parts(self, first: int, body: bytes) -> tuple[str, bytes, bytes]:
        """Return topic, packet number and payload (MQTT 3.1.1 and 5, section 3.3)."""
        at = 2 + int.from_bytes(body[:2], "big")
        topic, number = body[2:at].decode(), b""
        if first & (QOS_1 | QOS_1 << 1):
            number, at = body[at : at + 2], at + 2
        if self._is_5:
            at += 1 + body[at]  # properties: fewer than 128 bytes of them
        return topic, number, body[at:]

    def _say(self, topic: str, payload: bytes) -> None:
        head = len(topic).to_bytes(2, "big") + topic.encode()
        self._write(packet(0x30, head + (b"\0" if self._is_5 else b"") + payload))

    def _write(self, data: bytes) -> None:
        self._client[1].write(data)
