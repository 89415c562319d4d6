"""Keeps the journal for a running agent: in one thread, and a write until it is on the disk.

Nothing of a job goes on before its write has returned, however long the disk refuses. What the
journal says of other jobs, of holds and of how many lines there are is here, too: asked of memory.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from roost_agent.errors import StorageError
from roost_agent.update.events import Record
from roost_agent.update.journal import Journal
from roost_agent.update.kept import Hold, Kept, Open, Receipt
from roost_protocol.update import Offer

log = logging.getLogger(__name__)

RETRY_S: Final = 1.0  # after a journal that took nothing
_T = TypeVar("_T")


class Keeper:
    """One journal's.

    Args:
        journal: not open yet.

    Attributes:
        hold: of a person on this node.
        receipt: of the newest line that was written here; empty: none was.
        signed: the newest receipt that this node's key has signed; None: there is none.
        lines: of the job that is under way, so that numbers of reports outlive a restart.
    """

    def __init__(self, journal: Journal) -> None:
        self.hold: Hold | None = None
        self.receipt = ""
        self.signed: Receipt | None = None
        self.lines = 0
        self._journal = journal
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="update")  # the journal's only one
        self._ends: dict[tuple[str, int], str] = {}  # job and attempt to how it ended

    async def open(self) -> Open | None:
        """Open the journal; return the job that has not ended, else the one that ended last."""
        return await self._at_last(self._load)

    def _load(self) -> Open | None:
        self._journal.open()
        self.hold = self._journal.hold()
        self.signed = self._journal.receipt()
        self._ends = self._journal.known()
        found = self._journal.opened() or self._journal.last()
        if found is not None:
            self.lines = self._journal.count(found.job, found.attempt)
        return found

    def attempts(self, job: str) -> list[int]:
        """Return the attempts of a job that were here."""
        return [attempt for name, attempt in self._ends if name == job]

    async def begin(self, job: str, attempt: int, offer: bytes, kept: Kept) -> None:
        """Take a job up, with what is known of it by the offer alone.

        Raises:
            StorageError: it is not on the disk; it is not tried again, who offers it may.
        """
        await self._in_thread(partial(self._journal.begin, job, attempt, offer, kept))
        self._ends[job, attempt] = ""
        self.lines = 0

    async def have(self, found: Open, record: Record, at_ms: int, outcome: str) -> None:
        """Take a job up that has ended as it came.

        Raises:
            StorageError: it is not on the disk; it is not tried again, who offers it may.
        """
        await self._in_thread(partial(self._journal.have, found, record, at_ms, outcome))
        self._ends[found.job, found.attempt] = outcome

    async def recall(self, job: str, attempt: int, at_ms: int) -> Open | None:
        """Have a job that has ended be the one that ended last; return it; None: it is not there.

        Raises:
            StorageError: it is not on the disk.
        """
        return await self._in_thread(partial(self._journal.recall, job, attempt, at_ms))

    async def record(self, offer: Offer, record: Record, at_ms: int, outcome: str) -> None:
        """Bring a line to the disk: nothing goes on before it is there."""
        write = partial(self._journal.record, offer.job, offer.attempt, record, at_ms, outcome)
        self.receipt = await self._at_last(write)
        self.lines += 1
        self._ends[offer.job, offer.attempt] = outcome

    async def learn(self, offer: Offer, kept: Kept) -> None:
        """Write what a job was found to ask."""
        await self._at_last(partial(self._journal.keep, offer.job, offer.attempt, kept))

    async def give_up(self, found: Open) -> None:
        """End a job that cannot be read."""
        await self._at_last(partial(self._journal.abandon, found.job, found.attempt))
        self._ends[found.job, found.attempt] = "failed"

    async def put_receipt(self, receipt: Receipt) -> None:
        """Keep what was signed; it is told from now on."""
        await self._at_last(partial(self._journal.put_receipt, receipt))
        self.signed = receipt

    async def set_hold(self, hold: Hold | None) -> None:
        """Write what a person holds."""
        await self._at_last(partial(self._journal.set_hold, hold))

    async def _at_last(self, act: Callable[[], _T]) -> _T:
        """Use the journal, however long the disk refuses."""
        while True:
            try:
                return await self._in_thread(act)
            except StorageError as err:
                log.warning("update: the journal is not used yet: %s", err)
                await asyncio.sleep(RETRY_S)

    async def _in_thread(self, act: Callable[[], _T]) -> _T:
        """Use the journal: all that is asked of it goes one after the other."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)
