"""The outbox's shell: one thread for the store, one transaction for all that waits, and patience.

What is appended while a transaction runs goes into the next one together. When the disk refuses,
the outbox is read-only: what comes waits in memory within bounds, the reason is in ``fault``, and
the same work is tried again with back-off until it passes. A damaged file is put aside, once.
The log of the file is written back when nobody waits; only a store that never rests leaves that
to SQLite, which then does it inside a transaction.

Leaves to others: what is sent when (core), and what is worth keeping (the caller's ``keep``).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from roost_agent.config import OutboxConfig
from roost_agent.errors import StorageDamagedError, StorageError
from roost_agent.outbox.core import (
    Appended,
    Event,
    Fetch,
    Fetched,
    Position,
    Restart,
    Restarted,
    SetMark,
)
from roost_agent.outbox.store import Entry, LaneCounts, Store, assert_fits
from roost_agent.ports import Clock, Entropy
from roost_protocol.envelope import Lane

log = logging.getLogger(__name__)

FILE: Final = "outbox.db"
DAMAGED: Final = "outbox.db.damaged"  # the last one, for the operator
PENDING_ITEMS_MAX: Final = 1_024  # in memory, while the disk refuses or is slow
PENDING_BYTES_MAX: Final = 2 << 20
RETRY_S: Final = (1.0, 60.0)
SWEEP_S: Final = 60.0
REST_S: Final = 0.02  # without work, and the log is written back: a burst is not held up
STREAM_BYTES: Final = 16

T = TypeVar("T")


class Batch(msgspec.Struct, frozen=True):
    """Entries that go to disk together, with what must change in the same transaction.

    Attributes:
        then: called once they are on disk.
        alarms: rows of the alarm table by key; None removes one.
    """

    entries: tuple[Entry, ...]
    notes: Mapping[str, bytes]
    then: Callable[[Mapping[Lane, LaneCounts]], None] | None = None
    alarms: Mapping[str, bytes | None] = {}

    @property
    def size(self) -> int:
        """Bytes in memory."""
        kept = (*self.notes.values(), *self.alarms.values())
        return sum(len(e.body) for e in self.entries) + sum(len(each or b"") for each in kept)


class Spool:
    """The outbox of one node.

    Args:
        folder: the state directory.
        limits: what the outbox may hold.
        clock: for ages.
        entropy: for the names of streams.
    """

    def __init__(
        self, folder: Path, limits: OutboxConfig, *, clock: Clock, entropy: Entropy
    ) -> None:
        self.fault = ""
        self.began_anew = False  # the file was damaged, and with it all notes are gone
        self.refused = 0  # entries that came while memory for them was full
        self.dropped = 0  # since the last report of it
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._entropy = entropy
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._store: Store | None = None
        self._pending: deque[Batch] = deque()
        self._on_disk = 0  # of them, from the left: written, while nobody was told yet
        self._marks: dict[Lane, tuple[int, bytes]] = {}
        self._reads: deque[Fetch | Restart] = deque()  # at most one of each a lane: core's promise
        self._wake = asyncio.Event()
        self._retry_s = RETRY_S[0]

    @property
    def lanes(self) -> Mapping[Lane, LaneCounts]:
        """What the lanes hold; empty until the file is open."""
        return self._store.lanes if self._store is not None else {}

    @property
    def is_idle(self) -> bool:
        """Whether all that was appended is on disk."""
        return not self._pending

    def append(self, batch: Batch) -> None:
        """Put a batch on its way to disk.

        Raises:
            StorageError: the disk refuses, and memory holds as much as it may.
        """
        assert_fits(batch.entries)
        items = sum(len(each.entries) for each in self._pending) + len(batch.entries)
        size = sum(each.size for each in self._pending) + batch.size
        if items > PENDING_ITEMS_MAX or (size > PENDING_BYTES_MAX and self._pending):
            self.refused += len(batch.entries)
            raise StorageError(f"the outbox is read-only and memory is full: {self.fault}")
        self._pending.append(batch)
        self._wake.set()

    def do(self, action: Fetch | SetMark | Restart) -> None:
        """Take over an action of the delivery core."""
        if isinstance(action, SetMark):
            self._marks[action.lane] = (action.seq, action.epoch)
        else:
            self._reads.append(action)
        self._wake.set()

    async def open(self) -> Mapping[Lane, Position]:
        """Open the file, as soon as the disk lets us, and return where its lanes stand."""
        store = await self._insist(self._open)
        self._store = store
        return {lane: counts.position for lane, counts in store.lanes.items()}

    async def note(self, name: str) -> bytes | None:
        """Return what was kept under ``name``."""
        store = self._opened()
        return await self._insist(lambda: store.note(name))

    async def alarms(self) -> list[bytes]:
        """Return the rows of the alarm table."""
        store = self._opened()
        return await self._insist(store.alarms)

    async def run(self, deliver: Callable[[Event], None]) -> None:
        """Work until cancelled; ``deliver`` gets what happened, in order."""
        swept = asyncio.get_running_loop().time()
        while True:
            await self._write(deliver)
            while self._reads:
                await self._read(self._reads[0], deliver)
                self._reads.popleft()
            if asyncio.get_running_loop().time() - swept >= SWEEP_S:
                swept = asyncio.get_running_loop().time()
                self.dropped += await self._insist(self._sweep)
            is_long = self._opened().log_is_long
            if await self._rests(REST_S if is_long else SWEEP_S) and is_long:
                await self._write_back()

    async def close(self) -> None:
        """Write what still waits, if the disk takes it, and close the file."""
        store, self._store = self._store, None
        if store is not None:
            pending, marks = tuple(self._pending), dict(self._marks)
            await self._in_thread(lambda: self._close(store, pending, marks))
        self._thread.shutdown(wait=False)

    def _close(
        self, store: Store, pending: Sequence[Batch], marks: Mapping[Lane, tuple[int, bytes]]
    ) -> None:
        try:
            # A write that was cancelled on the loop went on here: it is not done twice.
            self._write_all(store, pending[self._on_disk :], marks)
            store.close()
        except StorageError as err:
            log.warning("outbox: closed with %d batches not on disk: %s", len(pending), err)

    def _open(self) -> Store:
        file = self._folder / FILE
        try:
            return self._open_file(file)
        except StorageDamagedError as err:
            log.warning("outbox: %s; put aside as %s, a new one begins", err, DAMAGED)
            try:
                for end in ("-wal", "-shm"):
                    file.with_name(FILE + end).unlink(missing_ok=True)
                file.replace(file.with_name(DAMAGED))
            except OSError as os_err:
                raise StorageError(str(os_err)) from os_err
            self.began_anew = True
            return self._open_file(file)

    def _open_file(self, file: Path) -> Store:
        return Store(
            file,
            self._limits,
            new_stream=lambda: self._entropy.token(STREAM_BYTES),
            now_ms=self._clock.boot_ms(),
        )

    def _opened(self) -> Store:
        if self._store is None:
            raise StorageError("the outbox is not open")
        return self._store

    def _sweep(self) -> int:
        return self._opened().sweep(self._clock.boot_ms())

    async def _rests(self, seconds: float) -> bool:
        """Wait for work; return whether none came in this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return True
        self._wake.clear()
        return False

    async def _write_back(self) -> None:
        """Write the log back; where that fails nothing is lost."""
        try:
            await self._in_thread(self._opened().write_back)
        except StorageDamagedError:
            raise  # the next start puts the file aside
        except StorageError as err:
            log.warning("outbox: the log was not written back, a later write does it: %s", err)

    async def _write(self, deliver: Callable[[Event], None]) -> None:
        """Write all that waits in one transaction."""
        if not self._pending and not self._marks:
            return
        store, batches, marks = self._opened(), tuple(self._pending), dict(self._marks)
        self.dropped += await self._insist(lambda: self._write_all(store, batches, marks))
        self._on_disk = 0
        for batch in batches:
            self._pending.popleft()
            if batch.then is not None:
                batch.then(store.lanes)
        for lane, mark in marks.items():
            if self._marks.get(lane) == mark:
                del self._marks[lane]
        for lane in sorted({entry.lane for batch in batches for entry in batch.entries}):
            deliver(Appended(lane, store.lanes[lane].last))

    def _write_all(
        self, store: Store, batches: Sequence[Batch], marks: Mapping[Lane, tuple[int, bytes]]
    ) -> int:
        entries = [entry for batch in batches for entry in batch.entries]
        notes = {name: value for batch in batches for name, value in batch.notes.items()}
        alarms = {key: row for batch in batches for key, row in batch.alarms.items()}
        now_ms = self._clock.boot_ms()
        dropped = store.write(entries, notes, marks, now_ms=now_ms, alarms=alarms)
        self._on_disk = len(batches)
        return dropped

    async def _read(self, action: Fetch | Restart, deliver: Callable[[Event], None]) -> None:
        store = self._opened()
        if isinstance(action, Fetch):
            items = await self._insist(lambda: store.fetch(action.lane, action.prev))
            deliver(Fetched(action.lane, action.prev, items))
            return
        self._marks.pop(action.lane, None)  # of the stream that ends
        counts = await self._insist(lambda: store.restart(action.lane, action.after))
        log.warning("outbox: lane %s begins a new stream: central is ahead of it", action.lane)
        deliver(Restarted(action.lane, counts.stream, counts.last))

    async def _insist(self, work: Callable[[], T]) -> T:
        """Do it in the store's thread, again and again until the disk lets us."""
        while True:
            try:
                result = await self._in_thread(work)
            except StorageDamagedError:
                raise  # the next start puts the file aside
            except StorageError as err:
                if str(err) != self.fault:
                    log.warning("outbox: read-only, tried again within %g s: %s", RETRY_S[1], err)
                self.fault = str(err)
                await asyncio.sleep(self._entropy.uniform(0.5, 1) * self._retry_s)
                self._retry_s = min(self._retry_s * 2, RETRY_S[1])
                continue
            if self.fault:
                log.info("outbox: the disk takes writes again")
            self.fault, self._retry_s = "", RETRY_S[0]
            return result

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
