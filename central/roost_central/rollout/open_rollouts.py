"""The open rollouts, as memory and storage have them: written first, then sent.

Invariant: whoever moves one holds ``moving`` from what it reads to what is written, so that one
follows the other.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.errors import NotFoundError, StorageError
from roost_central.ports import Clock
from roost_central.rollout import told
from roost_central.rollout.carrier import Carrier
from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.table import Kind, RolloutState
from roost_central.storage import audit, events, orders, rollouts
from roost_central.storage.engine import Database

HEAD_SAVED_MS: Final = 30_000  # between writes of how far a soak has come


class OpenRollouts:
    """The rollouts that are not at their end.

    Args:
        database: they are kept in.
        book: has the alarms of those that halted.
        clock: UTC.

    Attributes:
        by_id: all of them.
        carriers: who brings what rollouts of a kind send.
        moving: see the module.
    """

    def __init__(self, database: Database, book: AlarmBook, clock: Clock) -> None:
        self.by_id: dict[str, OpenRollout] = {}
        self.carriers: dict[Kind, Carrier] = {}
        self.moving = asyncio.Lock()
        self._database = database
        self._book = book
        self._clock = clock

    def known(self, id_: str) -> OpenRollout:
        """Return an open rollout.

        Raises:
            NotFoundError: there is none.
        """
        found = self.by_id.get(id_)
        if found is None:
            raise NotFoundError("rollout", field="rollout", got=id_)
        return found

    def busy(self, kind: Kind, but: str = "") -> set[str]:
        """Return the sites at work in rollouts of a kind other than one."""
        return {
            site
            for id_, known in self.by_id.items()
            if id_ != but and known.rollout.head.kind is kind
            for site in known.rollout.at_work
        }

    def carrier(self, head: Head) -> Carrier:
        """Return who brings what a rollout sends."""
        return self.carriers[head.kind]

    def tell(self, *, is_now: bool = True) -> None:
        """Let the fleet know what its sites are to be; without ``is_now`` now and then."""
        for carrier in self.carriers.values():
            carrier.tell(is_now=is_now)

    async def write(
        self,
        known: OpenRollout,
        offered: Sequence[Job],
        *,
        act: Act | None = None,
        is_forced: bool = False,
    ) -> None:
        """Write what changed of a rollout, then send.

        Args:
            known: the rollout; the caller holds ``moving``.
            offered: its jobs that are to be offered.
            act: of whoever had it changed; None: nobody did.
            is_forced: its head is written whatever it is.

        Raises:
            StorageError: it is not written; it is by the next call.
        """
        rollout, now_ms = known.rollout, self._clock.wall_ms()
        carrier = self.carrier(rollout.head)
        sending = await carrier.prepared(known, offered, now_ms)
        changed = rollout.taken()
        head = rollout.head
        is_due = now_ms - known.saved_ms >= HEAD_SAVED_MS and head.state is RolloutState.RUNNING
        is_head = head.rev != known.saved_rev or is_forced or is_due
        news, rollout.news = rollout.news, []
        if not (changed or is_head or sending.orders or act):
            return
        try:
            async with self._database.write() as connection:
                await rollouts.save_jobs(connection, head.id, changed, sending.offers)
                if is_head:
                    await rollouts.save_head(connection, head)
                await events.append(
                    connection, [told.event_of(head, each, now_ms) for each in news]
                )
                await orders.save(connection, *sending.orders)
                if act is not None:
                    await audit.add(connection, act)
        except StorageError:
            rollout.mark(changed)
            rollout.news = news + rollout.news
            raise
        if is_head:
            known.saved_rev, known.saved_ms = head.rev, now_ms
        if news:
            told.sign(self._book, head)
        carrier.send(known, sending, changed)
        if head.is_ended:
            del self.by_id[head.id]
            carrier.take_end(head, rollout.jobs.values())
