"""Moves rollouts on: every 2 s and with news of sites; writes, then sends what the cores decide.

What counts is in storage: heads, jobs, and the reports of nodes; a centre that was killed goes on
from there. A job is written as offered before anything is sent, so that a site's word always finds
it.

Leaves to others: what a rollout comes to (core.py), and what is brought to sites and how
(carrier.py); it does not know what kinds there are.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.errors import NotFoundError, StorageError
from roost_central.fleet.view import Changes, FleetView
from roost_central.pace import Pace
from roost_central.ports import Clock, Entropy
from roost_central.releases.site_documents import SiteDocuments
from roost_central.rollout import told
from roost_central.rollout.apart import claim_of, in_the_way
from roost_central.rollout.carrier import Carrier
from roost_central.rollout.core import Rollout
from roost_central.rollout.figures import Figures
from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.offering import OFFERS_MAX
from roost_central.rollout.open import OpenRollout, around
from roost_central.rollout.outgoing import Outgoing
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.release_carrier import ReleaseCarrier
from roost_central.rollout.sight import Sites
from roost_central.rollout.silence import LOOK_S, Silence
from roost_central.rollout.supersede import is_newer
from roost_central.rollout.table import Kind, MoveError, RolloutState, Who, check
from roost_central.rollout.wanted import is_of_before
from roost_central.storage import audit, events, orders, rollout_changes, rollouts, sites
from roost_central.storage.engine import Database
from roost_central.storage.rollout_changes import ProfileTexts
from roost_central.storage.rollouts import ApprovalRecord

logger = logging.getLogger(__name__)

REST: Final = 10  # rollouts of the whole fleet cost a tenth of a core
HEAD_SAVED_MS: Final = 30_000  # between writes of how far a soak has come


class RolloutRunner:
    """Works on the rollouts that are open.

    Attributes:
        is_deaf: says whether the centre distrusts its own ears.
        carriers: who brings what rollouts of a kind send.
        outgoing: prepares what is sent of releases.
        figures: asks for what gates go by.
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
        self.open: dict[str, OpenRollout] = {}
        self.sites = Sites(view, book)
        self.outgoing = Outgoing(self.open, self.sites, database, clock, entropy, releases=releases)
        self.releases = ReleaseCarrier(self.open, view, self.sites, database, clock, self.outgoing)
        self.carriers: dict[Kind, Carrier] = {Kind.RELEASE: self.releases}
        self.figures = Figures(clock)
        self._database = database
        self._view = view
        self._book = book
        self._clock = clock
        self._moving = asyncio.Lock()
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
                rollout.forget(self._removed(head, jobs, created), now_ms)
                self.open[head.id] = OpenRollout(rollout, raw, head.rev, now_ms)
        for carrier in self.carriers.values():
            await carrier.load(created)
        self._tell()

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
        async with self._moving:
            for carrier in self.carriers.values():
                await carrier.settle()
        if not self.open or not self._silence.look():
            return False
        news = changes.drain()
        seen = {*news.sites, *(node.partition(".")[0] for node in news.nodes)}
        seen |= self.sites.refresh()
        is_more = False
        async with self._moving:
            for kind, carrier in self.carriers.items():
                await carrier.look(
                    [each for each in self.open.values() if each.rollout.head.kind is kind]
                )
            await self.figures.look(self.open.values())
            for known in list(self.open.values()):
                self._supersede(known)
                await self._begin_due(known)
                is_more |= await self._move(known, seen)
        self._tell(is_now=False)
        return is_more

    async def add(
        self, rollout: Rollout, plan: bytes, act: Act, texts: ProfileTexts | None = None
    ) -> None:
        """Take in a new rollout; ``texts``: of profiles, what it makes count.

        Raises:
            MoveError: one that was made in the same moment has some of its sites or profiles.
            StorageError: it is not written.
        """
        now_ms, head = self._clock.wall_ms(), rollout.head
        async with self._moving:
            self._check_apart(rollout)
            async with self._database.write() as connection:
                await rollouts.add(connection, head, plan, rollout.jobs.values())
                if texts is not None:
                    await rollout_changes.save_texts(connection, head.id, texts)
                await events.append(connection, [told.event_of(head, str(head.state), now_ms)])
                await audit.add(connection, act)
            rollout.taken()
            self.open[head.id] = OpenRollout(rollout, plan, head.rev, now_ms)
        self.wake.set()

    def _check_apart(self, rollout: Rollout) -> None:
        """Check once more that no other rollout has what this one takes: plans race.

        Raises:
            MoveError: one has.
        """
        for other in in_the_way(self.open, claim_of(rollout)):
            raise MoveError(f"{other}; it came in between: plan it anew")

    async def edit(self, id_: str, rev: int, after: Rollout, plan: bytes, act: Act) -> None:
        """Give a rollout that has not begun another plan; what was signed for it is void.

        Args:
            id_: of the rollout.
            rev: as it was read.
            after: the rollout of the new plan.
            plan: its file.
            act: of who does it.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: it has begun, was changed meanwhile, or another has some of its sites by now.
            StorageError: it is not written.
        """
        async with self._moving:
            now_ms, before = self._clock.wall_ms(), self.known(id_).rollout.head
            check(before.state, RolloutState.DRAFT, Who.OPERATOR)
            if before.rev != rev:
                raise MoveError(f"it is at rev {before.rev} by now, not {rev}: read it again")
            self._check_apart(after)
            after.keep(now_ms, rev=rev + 1, made_ms=before.made_ms)
            head, told_ = after.head, f"edited by {after.head.by}: {after.head.state}"
            async with self._database.write() as connection:
                await rollouts.replace(connection, head, plan, after.jobs.values())
                await events.append(connection, [told.event_of(head, told_, now_ms)])
                await audit.add(connection, act)
            after.taken()
            self.open[id_] = OpenRollout(after, plan, head.rev, now_ms)
            self._tell()
        self.wake.set()

    async def start(self, id_: str, act: Act) -> Head:
        """Begin with the first wave; the texts of profiles count from then on.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: it is not possible now.
            StorageError: it is not written.
        """
        async with self._moving:
            rollout = self.known(id_).rollout
            rollout.check_is(RolloutState.SCHEDULED)
            await self._carrier(rollout.head).begin(rollout)
        return await self.change(id_, Rollout.start, act)

    async def change(self, id_: str, move: Callable[[Rollout, int], None], act: Act) -> Head:
        """Do what a person asks for, and write it.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: it is not possible now.
            StorageError: it is not written.
        """
        async with self._moving:
            known = self.known(id_)
            now_ms = self._clock.wall_ms()
            before = known.rollout.head
            move(known.rollout, now_ms)
            await self._write(known, [], act=act, is_forced=known.rollout.head != before)
            self._tell()
        self.wake.set()
        return known.rollout.head

    async def approve(self, id_: str, record: ApprovalRecord, act: Act) -> None:
        """Take in an operator's approval; with enough of them the rollout may start.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: this operator approved it already, or nobody is waited for.
            StorageError: it is not written.
        """
        async with self._moving:
            known = self.known(id_)
            async with self._database.read() as connection:
                before = await rollouts.approvals_of(connection, id_)
            if any(
                (each.operator, each.digest) == (record.operator, record.digest) for each in before
            ):
                raise MoveError(f"{record.operator} approved this release already")
            digest = known.rollout.head.digest
            have = {each.operator for each in (*before, record) if each.digest == digest}
            async with self._database.write() as connection:
                await rollouts.add_approval(connection, record)
                await audit.add(connection, act)
            is_enough = len(have) >= known.rollout.head.approvers
            if is_enough and known.rollout.head.state is RolloutState.AWAITING_APPROVAL:
                known.rollout.approved(self._clock.wall_ms())
                await self._write(known, [])

    async def forget(self, site: str) -> None:
        """Let a site go that was removed: one of its name that comes later gets nothing of it.

        What cannot be written now is with the next turn, or by the next start.
        """
        async with self._moving:
            concerned = [each for each in self.open.values() if site in each.rollout.jobs]
            for known in concerned:
                known.rollout.forget([site], self._clock.wall_ms())
            try:
                for carrier in self.carriers.values():
                    await carrier.forget(site)
                for known in concerned:
                    await self._write(known, [])
            except (StorageError, OSError) as err:
                logger.warning("what rollouts have of %s, which was removed, stays: %s", site, err)

    @staticmethod
    def _removed(head: Head, jobs: Iterable[Job], created: Mapping[str, int]) -> set[str]:
        """Return the sites of jobs that are not there any more, or are others by now."""
        return {
            job.site
            for job in jobs
            if job.site not in created or is_of_before(head, job, created[job.site])
        }

    def known(self, id_: str) -> OpenRollout:
        """Return an open rollout.

        Raises:
            NotFoundError: there is none.
        """
        found = self.open.get(id_)
        if found is None:
            raise NotFoundError("rollout", field="rollout", got=id_)
        return found

    def busy(self, kind: Kind, but: str = "") -> set[str]:
        """Return the sites at work in rollouts of a kind other than one."""
        return {
            site
            for id_, known in self.open.items()
            if id_ != but and known.rollout.head.kind is kind
            for site in known.rollout.at_work
        }

    # -- a turn ----------------------------------------------------------------------------

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
            self._carrier(head).sight(head),
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
        await self._write(known, offered)
        if rollout.head.state is not head.state:
            self._tell()
        return len(offered) >= OFFERS_MAX

    def _carrier(self, head: Head) -> Carrier:
        return self.carriers[head.kind]

    def _tell(self, *, is_now: bool = True) -> None:
        """Let the fleet know what its sites are to be."""
        for carrier in self.carriers.values():
            carrier.tell(is_now=is_now)

    async def _begin_due(self, known: OpenRollout) -> None:
        """Begin a rollout whose start has come; one that cannot begin ends."""
        head = known.rollout.head
        is_due = head.state is RolloutState.SCHEDULED and head.start_ms
        if not is_due or self._clock.wall_ms() < head.start_ms:
            return
        try:
            await self._carrier(head).begin(known.rollout)
        except MoveError as err:
            known.rollout.abort(f"it could not begin: {err}", self._clock.wall_ms())
            await self._write(known, [])

    async def _write(
        self,
        known: OpenRollout,
        offered: Sequence[Job],
        *,
        act: Act | None = None,
        is_forced: bool = False,
    ) -> None:
        """Write what changed, then send."""
        rollout, now_ms = known.rollout, self._clock.wall_ms()
        carrier = self._carrier(rollout.head)
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
            del self.open[head.id]
            carrier.take_end(head, rollout.jobs.values())
