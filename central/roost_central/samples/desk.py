"""Asks nodes for samples while somebody looks, and remembers what they answered for a while.

Invariants: one question on its way for each node and wish, whoever asks; a node's uplink carries
what NODE_BYTES_MAX says in an hour and no more, however much is looked at; memory is bounded.

Leaves to others: who may ask (the API), what a node says by itself (storage).
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from roost_central.ports import Clock
from roost_protocol.envelope import SamplesAsk
from roost_protocol.samples import Samples

FRESH_MS: Final = 60_000  # an answer is as good as a new one: the node measures by minutes
ANSWER_S: Final = 10.0  # for the way there and back, over a satellite too
ASKS_MAX: Final = 64  # on their way at once
CACHE_BYTES_MAX: Final = 32 << 20
NODE_BYTES_MAX: Final = 2 << 20  # that one node is made to tell in an hour
HOUR_MS: Final = 3_600_000
_STEP_BYTES: Final = 6

Send: TypeAlias = Callable[[str, SamplesAsk], bool]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which samples of a node; see SamplesAsk."""

    since_ms: int
    until_ms: int
    step_s: int
    series: tuple[str, ...] = ()
    board: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a node said, and when the centre heard it, in ms of UTC."""

    samples: Samples
    received_ms: int

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 256 + len(self.samples.series) * (128 + _STEP_BYTES * self.samples.steps)


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to show; ``why`` it is not the node's word of now, empty where it is."""

    told: Told | None
    why: str = ""


class SampleDesk:
    """The questions of this process.

    Args:
        clock: of this machine.
    """

    def __init__(self, clock: Clock) -> None:
        # Puts a question on its way to a node; false: it cannot be reached now.
        self.send: Send = lambda _node, _ask: False
        self._clock = clock
        self._number = max(clock.wall_ms(), 1)  # another than before a restart
        # By number: the node, the board that is meant, who waits.
        self._asked: dict[int, tuple[str, str, asyncio.Future[Told | None]]] = {}
        self._waited: dict[tuple[str, Wish], asyncio.Future[Told | None]] = {}
        self._kept: OrderedDict[tuple[str, Wish], Told] = OrderedDict()
        self._kept_bytes = 0
        self._spent: dict[str, deque[tuple[int, int]]] = {}  # by node: when, bytes

    async def fetch(self, node: str, wish: Wish) -> Answer:
        """Return what a node measured: its answer of the last minute, or a new one."""
        kept = self._kept.get((node, wish))
        now_ms = self._clock.wall_ms()
        if kept is not None and 0 <= now_ms - kept.received_ms < FRESH_MS:
            return Answer(kept)
        future = self._waited.get((node, wish))
        if future is None:
            if len(self._asked) >= ASKS_MAX:
                return Answer(kept, f"{ASKS_MAX} nodes are being asked already")
            if self._bytes_of(node, now_ms) >= NODE_BYTES_MAX:
                bound = f"{NODE_BYTES_MAX >> 20} MiB"
                return Answer(kept, f"it was asked for {bound} within the hour: try again later")
            future = self._ask(node, wish)
            if future is None:
                return Answer(kept, "it cannot be asked now: no broker takes the question")
        told = await asyncio.shield(future)  # whoever else waits goes on when this one leaves
        if told is None:
            return Answer(kept, f"it did not answer within {ANSWER_S:g} s")
        return Answer(told)

    def took(self, node: str, samples: Samples) -> None:
        """Take in an answer; one that nobody waits for any more is let go."""
        asked = self._asked.get(samples.ask)
        if asked is None or asked[0] != node or samples.board != asked[1]:
            return
        _settle(asked[2], Told(samples, self._clock.wall_ms()))

    def _ask(self, node: str, wish: Wish) -> "asyncio.Future[Told | None] | None":
        self._number += 1
        number = self._number
        ask = SamplesAsk(
            number=number,
            since_ms=wish.since_ms,
            until_ms=wish.until_ms,
            step_s=wish.step_s,
            series=list(wish.series),
            board=wish.board,
        )
        if not self.send(node, ask):
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Told | None] = loop.create_future()
        self._asked[number] = (node, wish.board, future)
        self._waited[node, wish] = future
        given_up = loop.call_later(ANSWER_S, _settle, future, None)

        def over(done: "asyncio.Future[Told | None]") -> None:
            given_up.cancel()
            del self._asked[number]
            del self._waited[node, wish]
            if (told := done.result()) is not None:
                self._keep(node, wish, told)

        future.add_done_callback(over)
        return future

    def _keep(self, node: str, wish: Wish, told: Told) -> None:
        before = self._kept.pop((node, wish), None)
        self._kept[node, wish] = told
        self._kept_bytes += told.size - (0 if before is None else before.size)
        while self._kept_bytes > CACHE_BYTES_MAX:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.size
        self._spent.setdefault(node, deque()).append((told.received_ms, told.size))

    def _bytes_of(self, node: str, now_ms: int) -> int:
        """Return what a node told within the last hour."""
        spent = self._spent.get(node)
        if spent is None:
            return 0
        while spent and not 0 <= now_ms - spent[0][0] < HOUR_MS:
            spent.popleft()
        if not spent:
            del self._spent[node]
        return sum(size for _, size in spent)


def _settle(future: "asyncio.Future[Told | None]", told: Told | None) -> None:
    if not future.done():
        future.set_result(told)
