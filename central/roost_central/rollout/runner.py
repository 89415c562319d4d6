"""Moves rollouts on: every 2 s and with news of sites; writes, then sends what the cores decide.

What counts is in storage: heads, jobs, and the reports of nodes; a centre that was killed goes on
from there. A job is written as offered before anything is sent, so that a site's word always finds
it.

Leaves to others: what a rollout comes to (core.py), what people do with one (acts.py), how it is
written (open_rollouts.py), and what is brought to sites and how (carrier.py); it does not know what
kinds there are.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.errors import StorageError
from roost_central.fleet.view import Changes, FleetView
from roost_central.pace import Pace
from roost_central.ports import Clock, Entropy
from roost_central.releases.site_documents import SiteDocuments
from roost_central.rollout.acts import RolloutActs
from roost_central.rollout.core import Rollout
from roost_central.rollout.figures import Figures
from roost_central.rollout.offering import OFFERS_MAX
from roost_central.rollout.open import OpenRollout, around
from roost_central.rollout.open_rollouts import OpenRollouts
from roost_central.rollout.outgoing import Outgoing
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.release_carrier import ReleaseCarrier
from roost_central.rollout.sight import Sites
from roost_central.rollout.silence import LOOK_S, Silence
from roost_central.rollout.supersede import is_newer
from roost_central.rollout.table import Kind, MoveError, RolloutState
from roost_central.rollout.wanted import removed
from roost_central.storage import rollouts, sites
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

REST: Final = 10  # rollouts of the whole fleet cost a tenth of a core


class RolloutRunner:
    """Works on the rollouts that are open.

    Attributes:
        is_deaf: says whether the centre distrusts its own ears.
        carriers: who brings what rollouts of a kind send.
        outgoing: prepares what is sent of releases.
        figures: asks for what gates go by.
        acts: what people do with them.
    """

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        database: Database,
        view: FleetView,
        book: AlarmBook,
        clock: Clock,
        entropy: Entropy,
        *,
        releases: SiteDocuments | None = None,
    ) -> None:
        self.is_deaf: Callable[[], bool] = lambda: False
        self.wake = asyncio.Event()
        self._open = OpenRollouts(database, book, clock)
        self.open = self._open.by_id
        self.carriers = self._open.carriers
        self.acts = RolloutActs(self._open, database, clock, self.wake)
        self.sites = Sites(view, book)
        self.outgoing = Outgoing(self.open, self.sites, database, clock, entropy, releases=releases)
        self.releases = ReleaseCarrier(self.open, view, self.sites, database, clock, self.outgoing)
        self.carriers[Kind.RELEASE] = self.releases
        self.figures = Figures(clock)
        self._database = database
        self._view = view
        self._clock = clock
        self._silence = Silence(self.sites, clock)

    async def load(self) -> None:
        """Read what is open.

        Raises:
            StorageError: it cannot be read.
            ProtocolError: a plan is none: it was written by a later release.
        """
        now_ms = self._clock.wall_ms()
        async with self._database.read() as connection:
            created = {each.site: each.created_ms for each in await sites.load_all(connection)}
            for head, raw in await rollouts.load_open(connection):
                jobs = await rollouts.jobs_of(connection, head.id)
                rollout = Rollout(head, read_plan(raw), jobs, now_ms)
                rollout.forget(removed(head, jobs, created), now_ms)
                self.open[head.id] = OpenRollout(rollout, raw, head.rev, now_ms)
        for carrier in self.carriers.values():
            await carrier.load(created)
        self._open.tell()

    async def run(self) -> None:
        """Work until cancelled."""
        with self._view.listen() as changes:
            pace = Pace(self.wake, REST)
            while True:
                pace.begin()
                is_more = False
                try:
                    is_more = await self.turn(changes)
                except StorageError as err:
                    logger.warning("rollouts: tried again: %s", err)
                if is_more:
                    await asyncio.sleep(0)
                    continue
                await pace.rest(LOOK_S)

    async def turn(self, changes: Changes) -> bool:
        """Move each rollout by what is new; return whether more is to be offered at once.

        Raises:
            StorageError: it is done with the next turn.
        """
        async with self._open.moving:
            for carrier in self.carriers.values():
                await carrier.settle()
        if not self.open or not self._silence.look():
            return False
        news = changes.drain()
        seen = {*news.sites, *(node.partition(".")[0] for node in news.nodes)}
        seen |= self.sites.refresh()
        is_more = False
        async with self._open.moving:
            for kind, carrier in self.carriers.items():
                await carrier.look(
                    [each for each in self.open.values() if each.rollout.head.kind is kind]
                )
            await self.figures.look(self.open.values())
            for known in list(self.open.values()):
                self._supersede(known)
                await self._begin_due(known)
                is_more |= await self._move(known, seen)
        self._open.tell(is_now=False)
        return is_more

    async def forget(self, site: str) -> None:
        """Let a site go that was removed: one of its name that comes later gets nothing of it.

        What cannot be written now is with the next turn, or by the next start.
        """
        async with self._open.moving:
            concerned = [each for each in self.open.values() if site in each.rollout.jobs]
            for known in concerned:
                known.rollout.forget([site], self._clock.wall_ms())
            try:
                for carrier in self.carriers.values():
                    await carrier.forget(site)
                for known in concerned:
                    await self._open.write(known, [])
            except (StorageError, OSError) as err:
                logger.warning("what rollouts have of %s, which was removed, stays: %s", site, err)

    def busy(self, kind: Kind, but: str = "") -> set[str]:
        """See OpenRollouts."""
        return self._open.busy(kind, but)

    def known(self, id_: str) -> OpenRollout:
        """See OpenRollouts."""
        return self._open.known(id_)

    def _supersede(self, known: OpenRollout) -> None:
        """Let newer rollouts take sites over."""
        rollout, now_ms = known.rollout, self._clock.wall_ms()
        for newer in self.open.values():
            other = newer.rollout
            if other.plan.supersede and is_newer(other.head, rollout.head):
                rollout.supersede(other.jobs.keys(), other.head.id, now_ms)

    async def _move(self, known: OpenRollout, seen: Iterable[str]) -> bool:
        rollout, now_ms = known.rollout, self._clock.wall_ms()
        head = rollout.head
        offered = rollout.turn(
            seen,
            self._open.carrier(head).sight(head),
            around(
                self.open,
                head.id,
                now_ms,
                is_deaf=self.is_deaf(),
                dark_pct=self._silence.dark_pct,
                kpis=self.figures.known(),
            ),
            now_ms,
        )
        await self._open.write(known, offered)
        if rollout.head.state is not head.state:
            self._open.tell()
        return len(offered) >= OFFERS_MAX

    async def _begin_due(self, known: OpenRollout) -> None:
        """Begin a rollout whose start has come; one that cannot begin ends."""
        head = known.rollout.head
        is_due = head.state is RolloutState.SCHEDULED and head.start_ms
        if not is_due or self._clock.wall_ms() < head.start_ms:
            return
        try:
            await self._open.carrier(head).begin(known.rollout)
        except MoveError as err:
            known.rollout.abort(f"it could not begin: {err}", self._clock.wall_ms())
            await self._open.write(known, [])
