"""Rollouts of releases among the others: what goes out, what is refused, and what is wanted.

Leaves to others: what a rollout comes to (core.py), what is signed and sent (outgoing.py), who
comes later (late.py).

Invariant: what sites are to run is told to the fleet at least every WANTED_LOOK_S after a change.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from roost_central.fleet.view import FleetView
from roost_central.orders.core import OrderRecord, State
from roost_central.ports import Clock
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head, Sight
from roost_central.rollout.job import Job
from roost_central.rollout.late import LateSites
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.outgoing import Outgoing, Sending
from roost_central.rollout.sight import Sites
from roost_central.rollout.table import Kind
from roost_central.rollout.unaware import Unaware
from roost_central.rollout.wanted import Wanted, is_of_before
from roost_central.storage import orders, rollouts
from roost_central.storage.engine import Database
from roost_protocol.remedy import OF_OFFERS, Refusal

logger = logging.getLogger(__name__)

NAMED_CHARS_MAX: Final = 200  # of nodes, in a line of the log
WANTED_LOOK_S: Final = 10.0  # between tellings of the fleet what its sites are to run


class ReleaseCarrier:
    """Brings releases.

    Args:
        open_: the rollouts that are open, now and later.
        view: of the fleet.
        sites: what is known of them.
        database: with orders.
        clock: UTC.
        outgoing: prepares what is sent.

    Attributes:
        wake_orders: has the orders looked at now.
        late: looks for sites that came later.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a shell joins what others are
        self,
        open_: Mapping[str, OpenRollout],
        view: FleetView,
        sites: Sites,
        database: Database,
        clock: Clock,
        outgoing: Outgoing,
    ) -> None:
        self.wake_orders: Callable[[], None] = lambda: None
        self.late = LateSites(view, sites, clock)
        self._open = open_
        self._view = view
        self._sites = sites
        self._database = database
        self._clock = clock
        self._outgoing = outgoing
        self._unaware = Unaware(open_, view, database)
        self._wanted = Wanted()
        self._told_ms = 0
        self._is_told = True  # of the fleet: what its sites are to run

    async def load(self, created: Mapping[str, int]) -> None:
        """See Carrier: what ended rollouts want of sites, and documents of sites that went."""
        async with self._database.read() as connection:
            for head, jobs in await rollouts.load_ended(connection):
                here = [
                    job
                    for job in jobs
                    if job.site in created and not is_of_before(head, job, created[job.site])
                ]
                self._wanted.take(head, here)
        releases = self._outgoing.releases
        if releases is not None:
            for site in releases.told() - created.keys():
                releases.forget(site)

    async def settle(self) -> None:
        """See Carrier: sites that were silent when it was given up are told, once they are heard.

        An order that cannot be written is made anew when the node would have been told again.
        """
        now_ms, sending = self._clock.mono_ms(), Sending()
        for each in await self._unaware.look(now_ms):
            names = ", ".join(node for job in each.jobs for node in job.nodes)[:NAMED_CHARS_MAX]
            logger.info("rollout %s: was given up, which is told to %s", each.head.id, names)
            await self._outgoing.cancel(each.head, each.jobs, sending)
        self._unaware.tell(sending.canceled, now_ms)
        if sending.orders:
            async with self._database.write() as connection:
                await orders.save(connection, *sending.orders)
            self.wake_orders()

    async def look(self, open_: Sequence[OpenRollout]) -> None:
        """See Carrier."""
        for known in open_:
            await self._read_refused(known)
        await self.late.take(open_)

    def sight(self, head: Head) -> Sight:
        """See Carrier."""
        return lambda job: self._sites.standing(job, head.id, head.component)

    async def begin(self, rollout: Rollout) -> None:
        """See Carrier: a release counts for a site once it is offered."""

    async def prepared(self, known: OpenRollout, offered: Sequence[Job], now_ms: int) -> Sending:
        """See Carrier."""
        return await self._outgoing.prepared(known, offered, now_ms)

    def send(
        self,
        known: OpenRollout,  # noqa: ARG002 - the port has it
        sending: Sending,
        changed: Sequence[Job],  # noqa: ARG002 - as above
    ) -> None:
        """See Carrier."""
        for node, offer in sending.bare:
            self._outgoing.send_bare(node, offer)
        self._unaware.tell(sending.canceled, self._clock.mono_ms())
        if sending.orders:
            self.wake_orders()
        self._is_told = False

    def take_end(self, head: Head, jobs: Iterable[Job]) -> None:
        """See Carrier: what it brought is wanted on."""
        self._wanted.take(head, jobs)

    def tell(self, *, is_now: bool) -> None:
        """See Carrier."""
        now_ms = self._clock.mono_ms()
        if not is_now and (self._is_told or now_ms - self._told_ms < WANTED_LOOK_S * 1_000):
            return
        self._is_told, self._told_ms = True, now_ms
        open_ = [
            (each.rollout.head, each.rollout.jobs.values())
            for each in self._open.values()
            if each.rollout.head.kind is Kind.RELEASE
        ]
        wanted = self._wanted.now(open_)
        for site, row in self._view.sites.items():
            row.wanted = wanted.get(site, {})

    async def forget(self, site: str) -> None:
        """See Carrier."""
        self._wanted.forget(site)
        if self._outgoing.releases is not None:
            self._outgoing.releases.forget(site)

    async def _read_refused(self, known: OpenRollout) -> None:
        """Take in which orders of offers nodes refused, or could not act on."""
        if not known.placed:
            return
        async with self._database.read() as connection:
            found = await orders.by_ids(connection, known.placed)
        for id_, record in found.items():
            if record.state in {State.FAILED, State.REFUSED}:
                rollout = known.rollout
                take_in = rollout.put_off if record.code == Refusal.BUSY else rollout.refused
                take_in(known.placed[id_], _refused(record), self._clock.wall_ms())
            if record.ended_ms is not None:
                del known.placed[id_]


def _refused(record: OrderRecord) -> str:
    """Return why a node took no offer, with the code of its update's, where it is one."""
    text = record.text or record.code
    if record.code == Refusal.BUSY:  # no failure: it waits
        return f"{record.node}: {text}"
    code = f"{record.code}: " if record.code in OF_OFFERS else ""
    return f"{record.node}: offer: {code}{text}"
