"""Keeps the node's minutes, answers who asks for them, and tells a few of them once an hour.

Files and sums are a thread's work. What comes faster than the disk takes it is let go: minutes of
measurement are worth less than the node's memory.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from roost_agent.alarms.samples.sampler import Measured
from roost_agent.errors import StorageError
from roost_agent.host.samples import rollup
from roost_agent.host.samples.minutes import Minutes, Row
from roost_agent.host.samples.ring import FOLDER, Ring
from roost_agent.host.samples.summary import chosen
from roost_agent.outbox.latest import Outbox
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol.codec import pack
from roost_protocol.envelope import ItemKind, Lane, SamplesAsk
from roost_protocol.samples import Samples

log = logging.getLogger(__name__)

ROWS_WAITING_MAX: Final = 10  # minutes that the disk may be behind
ASKS_WAITING_MAX: Final = 4  # the centre asks again
ANSWER_MS_MIN: Final = 1_000  # between two answers: the uplink is for alarms
SUMMARY_EVERY_MS: Final = 3_600_000
SUMMARY_STEP_S: Final = 600
MINUTE_MS: Final = 60_000

T = TypeVar("T")


class History:
    """The minutes of one node.

    Args:
        state_dir: holds their folder.
        outbox: brings answers and summaries to the centre.
        clock: for minutes, and for what is due.
        first_s: until the first summary, so that a fleet does not tell at once.
    """

    def __init__(
        self, state_dir: Path, outbox: Outbox, clock: Clock, first_s: Callable[[], float]
    ) -> None:
        self.fault = ""
        self._ring = Ring(state_dir / FOLDER)
        self._outbox = outbox
        self._clock = clock
        self._first_s = first_s
        self._minutes = Minutes()
        self._rows: deque[Row] = deque(maxlen=ROWS_WAITING_MAX)
        self._asks: deque[SamplesAsk] = deque(maxlen=ASKS_WAITING_MAX)
        self._answered: deque[int] = deque(maxlen=2 * ASKS_WAITING_MAX)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._wake = asyncio.Event()

    @property
    def left_out(self) -> int:
        """How many series found no place in the last minute."""
        return self._minutes.left_out

    def keep(self, seen: Iterable[Measured]) -> None:
        """Take in what was measured now."""
        row = self._minutes.take(seen, max(self._clock.wall_ms(), 0) // MINUTE_MS)
        if row is not None:
            self._rows.append(row)
            self._wake.set()

    def ask(self, ask: SamplesAsk) -> None:
        """Answer this, once, however many paths it comes by."""
        if ask.number in self._answered:
            return
        self._answered.append(ask.number)
        self._asks.append(ask)
        self._wake.set()

    async def run(self) -> None:
        """Keep, answer and tell, until cancelled."""
        due_ms = self._clock.boot_ms() + round(self._first_s() * 1000)
        try:
            while True:
                wait_s = max(due_ms - self._clock.boot_ms(), 0) / 1000
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                except TimeoutError:
                    due_ms = self._clock.boot_ms() + SUMMARY_EVERY_MS
                    await self._tell(self._summary)
                self._wake.clear()
                await self._write()
                while self._asks:
                    ask = self._asks.popleft()
                    await self._tell(partial(self._answer, ask))
                    await asyncio.sleep(ANSWER_MS_MIN / 1000)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _write(self) -> None:
        while self._rows:
            row = self._rows.popleft()
            try:
                await self._in_thread(partial(self._ring.append, row))
            except OSError as err:
                self._note(f"samples: minutes are not kept: {err.strerror}")
            else:
                self._note("")

    async def _tell(self, make: Callable[[], Samples | None]) -> None:
        """Put what is made in the thread on its way to the centre."""
        entry = await self._in_thread(lambda: _entry(make(), max(self._clock.wall_ms(), 0)))
        if entry is None or not self._outbox.lanes:
            return
        try:
            self._outbox.append(Batch((entry,), {}))
        except StorageError as err:
            log.info("samples: not told: %s", err)  # who asked asks again

    def _answer(self, ask: SamplesAsk) -> Samples:
        wanted = rollup.window(ask.since_ms, ask.until_ms, ask.step_s)
        return rollup.samples(self._ring.parts(), wanted, frozenset(ask.series), ask=ask.number)

    def _summary(self) -> Samples | None:
        """Return the steps that ended within the last hour, of a few series."""
        end_ms = max(self._clock.wall_ms(), 0) // (SUMMARY_STEP_S * 1000) * SUMMARY_STEP_S * 1000
        wanted = rollup.window(end_ms - SUMMARY_EVERY_MS, end_ms, SUMMARY_STEP_S)
        return chosen(rollup.samples(self._ring.parts(), wanted, frozenset()))

    def _note(self, fault: str) -> None:
        if fault != self.fault:
            self.fault = fault
            if fault:
                log.warning("%s", fault)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _entry(said: Samples | None, at_ms: int) -> Entry | None:
    if said is None:
        return None
    body, compressed = pack(said)
    return Entry(Lane.BULK, ItemKind.SAMPLES, at_ms, body, compressed)
