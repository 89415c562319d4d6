"""Keeps the node's minutes, answers who asks for them, and tells a few of them once an hour.

Files are a thread's work, sums a child's. What comes faster than the disk takes it is let go:
minutes of measurement are worth less than the node's memory.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from roost_agent import child
from roost_agent.alarms.samples.sampler import Measured
from roost_agent.errors import StorageError
from roost_agent.host.samples.minutes import Minutes, Row
from roost_agent.host.samples.ring import BOARDS_FOLDER, FOLDER, Ring
from roost_agent.outbox.latest import Outbox
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol.envelope import ItemKind, Lane, SamplesAsk
from roost_protocol.limits import BODY_BYTES_MAX

log = logging.getLogger(__name__)

ROWS_WAITING_MAX: Final = 10  # minutes that the disk may be behind
ASKS_WAITING_MAX: Final = 4  # the centre asks again
ANSWER_MS_MIN: Final = 1_000  # between two answers: the uplink is for alarms
SUMMARY_EVERY_MS: Final = 3_600_000
CHILD_S: Final = 20.0  # for one message; it takes a tenth of a second
MINUTE_MS: Final = 60_000


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
        self._folder = state_dir / FOLDER
        self._boards = state_dir / BOARDS_FOLDER
        self._ring = Ring(self._folder)
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
                    await self._tell(None)
                self._wake.clear()
                await self._write()
                while self._asks:
                    ask = self._asks.popleft()
                    await self._tell(ask)
                    await asyncio.sleep(ANSWER_MS_MIN / 1000)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _write(self) -> None:
        while self._rows:
            row = self._rows.popleft()
            try:
                append = partial(self._ring.append, row)
                await asyncio.get_running_loop().run_in_executor(self._thread, append)
            except OSError as err:
                self._note(f"samples: minutes are not kept: {err.strerror}")
            else:
                self._note("")

    async def _tell(self, ask: SamplesAsk | None) -> None:
        """Put what is asked, or the last hour, on its way to the centre; who asks asks again."""
        try:
            entry = await self._made(ask)
            if entry is not None and self._outbox.lanes:
                self._outbox.append(Batch((entry,), {}))
        except TimeoutError:
            log.info("samples: not told: not made within %g s", CHILD_S)
        except (OSError, StorageError) as err:
            log.info("samples: not told: %s", err)

    async def _made(self, ask: SamplesAsk | None) -> Entry | None:
        """Have a child make a message; None where nothing was measured."""
        now_ms = max(self._clock.wall_ms(), 0)
        folder = self._boards / ask.board if ask is not None and ask.board else self._folder
        words = (sys.executable, "-P", "-m", "roost_agent.host.samples.answer", str(folder))
        given = msgspec.json.encode({"now_ms": now_ms, "ask": ask})
        done = await child.run(words, seconds=CHILD_S, bytes_max=BODY_BYTES_MAX, given=given)
        if done.status:
            raise OSError(done.complaint.decode("utf-8", "replace")[-200:])
        if not done.output:
            return None
        compressed, body = bool(done.output[0]), done.output[1:]
        return Entry(Lane.BULK, ItemKind.SAMPLES, now_ms, body, compressed)

    def _note(self, fault: str) -> None:
        if fault != self.fault:
            self.fault = fault
            if fault:
                log.warning("%s", fault)
