"""Moves rollouts on: every 2 s and with news of sites; writes, then sends what the cores decide.

What counts is in storage: heads, jobs, and the reports of nodes; a centre that was killed goes on
from there. A job is written as offered before anything is sent, so that a site's word always finds
it. An offer goes to an enrolled node as a signed order, with the director's document behind it; to
a node that never had an identity, as simulated ones, as it is, over brokers of this machine alone.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.errors import NotFoundError, SignerError, StorageError
from roost_central.fleet.view import Changes, FleetView
from roost_central.orders.core import OrderRecord, State
from roost_central.orders.desk import ID_BYTES
from roost_central.ports import Clock, Entropy
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.fault import ReleaseError
from roost_central.rollout import told
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Around, Head
from roost_central.rollout.job import ANSWER_MS, Job, job_id
from roost_central.rollout.offer import assignment_of, document_of, offer_of
from roost_central.rollout.offering import OFFERS_MAX
from roost_central.rollout.plan import read_plan
from roost_central.rollout.sight import Sites, job_for
from roost_central.rollout.table import JOB_ENDS, JobState, MoveError, Pause, RolloutState
from roost_central.storage import audit, events, orders, rollouts
from roost_central.storage.engine import Database
from roost_central.storage.rollouts import ApprovalRecord
from roost_protocol.order import body_digest
from roost_protocol.release.director import Assignment
from roost_protocol.update_verbs import UpdateCancel, UpdateOffer

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0
REST: Final = 10  # times as long as a turn took: rollouts of the whole fleet cost a tenth of a core
LATE_LOOK_S: Final = 60.0  # between looks for sites that a rollout's selector holds for by now
FLEET_LOOK_S: Final = 10.0  # between counts of how much of the fleet is silent
SETTLE_S: Final = 120.0  # after a start nobody is heard yet; then silence is believed
SETTLED_PCT: Final = 20.0  # or as soon as no more than this are silent
HEAD_SAVED_MS: Final = 30_000  # between writes of how far a soak has come
BY: Final = "central"

Hears = Callable[[str], int | None]  # node -> the generation that it speaks with
SendBare = Callable[[str, bytes], bool]
SelectSites = Callable[[str], Awaitable[Collection[str]]]  # a selector's sites, of the whole fleet


@dataclass(slots=True)
class OpenRollout:
    """A rollout that is not at its end.

    Attributes:
        plan: the file.
        saved_rev, saved_ms: of the head as it is in storage.
        placed: orders that offers went out with, to the sites that they are for.
    """

    rollout: Rollout
    plan: bytes
    saved_rev: int = -1
    saved_ms: int = 0
    placed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sending:
    """What goes out after a turn is written."""

    offers: dict[str, bytes]
    bare: list[tuple[str, bytes]]
    orders: list[OrderRecord]


class RolloutRunner:
    """Works on the rollouts that are open.

    Attributes:
        hears: says with which generation a node speaks.
        send_bare: offers to a node that has no identity.
        wake_orders: has the orders looked at now.
        select: returns the sites that a selector holds for.
        is_deaf: says whether the centre distrusts its own ears.
        releases: keeps what the signer signs; None: nothing is signed here, so that only nodes
            without an identity are offered anything.
    """

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        database: Database,
        view: FleetView,
        book: AlarmBook,
        clock: Clock,
        entropy: Entropy,
        *,
        releases: ReleaseDesk | None = None,
    ) -> None:
        self.hears: Hears = lambda _node: None
        self.send_bare: SendBare = lambda _node, _offer: False
        self.wake_orders: Callable[[], None] = lambda: None
        self.is_deaf: Callable[[], bool] = lambda: False
        self.select: SelectSites = _no_sites
        self.releases = releases
        self.wake = asyncio.Event()
        self.open: dict[str, OpenRollout] = {}
        self.sites = Sites(view, book)
        self._database = database
        self._view = view
        self._book = book
        self._clock = clock
        self._entropy = entropy
        self._moving = asyncio.Lock()
        self._dark_pct = 0.0
        self._counted_ms = -1_000_000
        self._began_ms = clock.mono_ms()
        self._is_settled = False
        self._late_ms = self._began_ms

    async def load(self) -> None:
        """Read what is open.

        Raises:
            StorageError: it cannot be read.
            ProtocolError: a plan is none: it was written by a later release.
        """
        now_ms = self._clock.wall_ms()
        async with self._database.read() as connection:
            for head, raw in await rollouts.load_open(connection):
                jobs = await rollouts.jobs_of(connection, head.id)
                rollout = Rollout(head, read_plan(raw), jobs, now_ms)
                self.open[head.id] = OpenRollout(rollout, raw, head.rev, now_ms)

    async def run(self) -> None:
        """Work until cancelled."""
        with self._view.listen() as changes:
            while True:
                self.wake.clear()
                begun_s = asyncio.get_running_loop().time()
                is_more = False
                try:
                    is_more = await self.turn(changes)
                except StorageError as err:
                    logger.warning("rollouts: tried again: %s", err)
                if is_more:
                    await asyncio.sleep(0)
                    continue
                spent_s = asyncio.get_running_loop().time() - begun_s
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(LOOK_S, spent_s * REST)):
                        await self.wake.wait()

    async def turn(self, changes: Changes) -> bool:
        """Move each rollout by what is new; return whether more is to be offered at once.

        Raises:
            StorageError: it is done with the next turn.
        """
        if not self.open or not self._has_settled():
            return False
        news = changes.drain()
        seen = {*news.sites, *(node.partition(".")[0] for node in news.nodes)}
        seen |= self.sites.refresh()
        is_more = False
        async with self._moving:
            await self._read_refused()
            await self._take_late()
            for known in list(self.open.values()):
                is_more |= await self._move(known, seen)
        return is_more

    async def add(self, rollout: Rollout, plan: bytes, act: Act) -> None:
        """Take in a new rollout.

        Raises:
            StorageError: it is not written.
        """
        now_ms, head = self._clock.wall_ms(), rollout.head
        async with self._moving:
            async with self._database.write() as connection:
                await rollouts.add(connection, head, plan, rollout.jobs.values())
                await events.append(connection, [told.event_of(head, str(head.state), now_ms)])
                await audit.add(connection, act)
            rollout.taken()
            self.open[head.id] = OpenRollout(rollout, plan, head.rev, now_ms)
        self.wake.set()

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

    def known(self, id_: str) -> OpenRollout:
        """Return an open rollout.

        Raises:
            NotFoundError: there is none.
        """
        found = self.open.get(id_)
        if found is None:
            raise NotFoundError("rollout", field="rollout", got=id_)
        return found

    def busy(self, but: str = "") -> set[str]:
        """Return the sites at work in rollouts other than one."""
        return {
            site for id_, known in self.open.items() if id_ != but for site in known.rollout.at_work
        }

    # -- a turn ----------------------------------------------------------------------------

    def _has_settled(self) -> bool:
        now_ms = self._clock.mono_ms()
        if now_ms - self._counted_ms >= FLEET_LOOK_S * 1_000:
            self._counted_ms = now_ms
            self._dark_pct = self.sites.dark_pct()
        if not self._is_settled:
            is_late = now_ms - self._began_ms >= SETTLE_S * 1_000
            self._is_settled = is_late or self._dark_pct <= SETTLED_PCT
            if not self._is_settled:
                self._counted_ms = now_ms - round(FLEET_LOOK_S * 1_000 - LOOK_S * 1_000)
        return self._is_settled

    async def _move(self, known: OpenRollout, seen: Iterable[str]) -> bool:
        rollout, now_ms = known.rollout, self._clock.wall_ms()
        head = rollout.head
        offered = rollout.turn(
            seen,
            lambda job: self.sites.standing(job, head.id, head.component),
            self._around(head.id),
            now_ms,
        )
        await self._write(known, offered)
        return len(offered) >= OFFERS_MAX

    def _around(self, id_: str) -> Around:
        others = [each.rollout for key, each in self.open.items() if key != id_]
        hw: Counter[str] = Counter()
        link: Counter[str] = Counter()
        for each in others:
            hw.update(each.hw)
            link.update(each.link)
        return Around(
            in_flight=sum(each.in_flight() for each in others),
            hw=hw,
            link=link,
            busy=frozenset().union(*(each.at_work for each in others)),
            is_deaf=self.is_deaf(),
            dark_pct=self._dark_pct,
        )

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
        sending = await self._prepared(known, offered, now_ms)
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
        for node, offer in sending.bare:
            self.send_bare(node, offer)
        if sending.orders:
            self.wake_orders()
        if head.is_ended:
            del self.open[head.id]

    async def _prepared(self, known: OpenRollout, offered: Sequence[Job], now_ms: int) -> Sending:
        """Return what is to go out: offers as they are, or as orders with documents behind them."""
        rollout = known.rollout
        sending = Sending({}, [], [])
        signed: list[Job] = []
        for job in offered:
            offer = self._offer(rollout, job)
            sending.offers[job.site] = offer
            if any(self.hears(node) is not None for node in job.nodes):
                signed.append(job)
            else:
                sending.bare.extend((node, offer) for node in job.nodes)
        refused = await self._directed(signed)
        for job in signed:
            if job.site in refused:
                rollout.unsent(job.site, refused[job.site], now_ms)
                del sending.offers[job.site]
                continue
            digest = body_digest(sending.offers[job.site])
            given: dict[str, str | int] = {
                "job": job_id(rollout.head.id, job),
                "attempt": job.attempt,
                "digest": digest,
            }
            self._order(known, job, UpdateOffer.verb, given, sending)
        if refused:
            why = next(iter(refused.values()))
            rollout.rest(Pause.STALE_METADATA, f"{len(refused)} sites: {why}", now_ms)
        await self._withdraw(known, sending)
        return sending

    def _offer(self, rollout: Rollout, job: Job) -> bytes:
        return offer_of(
            rollout.head,
            rollout.plan,
            rollout.rules(job.wave),
            job,
            rollout.target(job),
            deadline_ms=rollout.deadline_ms(job.wave),
            timezone=self.sites.timezone(job.site),
        )

    def _order(
        self,
        known: OpenRollout,
        job: Job,
        verb: str,
        given: dict[str, str | int],
        sending: Sending,
    ) -> None:
        """Order something of every enrolled node of a job that speaks."""
        now_ms = self._clock.wall_ms()
        for node in job.nodes:
            if self.hears(node) is None:
                continue
            record = OrderRecord(
                id=self._entropy.token(ID_BYTES).hex(),
                node=node,
                site=job.site,
                verb=verb,
                given=given,
                reason=f"rollout {known.rollout.head.name}"[:200],
                by=BY,
                placed_ms=now_ms,
                not_after_ms=now_ms + ANSWER_MS,
                state=State.READY,
                changed_ms=now_ms,
            )
            sending.orders.append(record)
            if verb == UpdateOffer.verb:
                known.placed[record.id] = job.site

    async def _withdraw(self, known: OpenRollout, sending: Sending) -> None:
        """Ask sites to give up what they have, and let their documents name it no more."""
        rollout = known.rollout
        cancels, rollout.cancels = rollout.cancels, []
        enrolled = []
        for job in cancels:
            given: dict[str, str | int] = {"job": job_id(rollout.head.id, job)}
            self._order(known, job, UpdateCancel.verb, given, sending)
            if any(self.hears(node) is not None for node in job.nodes):
                enrolled.append(job)
            else:
                self._cancel_bare(rollout, job)
        for site, why in (await self._directed(enrolled)).items():
            logger.warning("rollout %s: %s keeps its document: %s", rollout.head.id, site, why)

    def _cancel_bare(self, rollout: Rollout, job: Job) -> None:
        """Tell nodes without an identity by the job's bare name, where its offer went."""
        cancel = job_id(rollout.head.id, job).encode()
        for node in job.nodes:
            self.send_bare(node, cancel)

    async def _directed(self, jobs: Collection[Job]) -> dict[str, str]:
        """Have the documents of sites signed; return why not, by site."""
        if not jobs:
            return {}
        if self.releases is None:
            return {job.site: "this centre signs no releases" for job in jobs}
        documents = [document_of(job.site, self._assignments(job.site)) for job in jobs]
        async with self._database.read() as connection:
            signed = [
                each.signed
                for known in self.open.values()
                for each in await rollouts.approvals_of(connection, known.rollout.head.id)
            ]
        try:
            whys = await self.releases.assign(documents, signed)
        except (SignerError, ReleaseError) as err:
            return {job.site: f"the signer: {err}" for job in jobs}
        return {job.site: why for job, why in zip(jobs, whys, strict=True) if why}

    def _assignments(self, site: str) -> list[Assignment]:
        """Return all that a site is to install, by all rollouts."""
        found = []
        for known in self.open.values():
            rollout = known.rollout
            job = rollout.jobs.get(site)
            if job is None or job.is_canceling or not job.offered_ms:
                continue
            if job.state in JOB_ENDS | {JobState.QUEUED}:
                continue
            version, _ = rollout.target(job)
            found.append(assignment_of(rollout.head, job, version, rollout.deadline_ms(job.wave)))
        return found

    async def _read_refused(self) -> None:
        """Take in which orders of offers nodes refused, or could not act on."""
        for known in self.open.values():
            if not known.placed:
                continue
            async with self._database.read() as connection:
                found = await orders.by_ids(connection, known.placed)
            for id_, record in found.items():
                if record.state in {State.FAILED, State.REFUSED}:
                    why = f"{record.node}: {record.text or record.code}"
                    known.rollout.refused(known.placed[id_], why, self._clock.wall_ms())
                if record.ended_ms is not None:
                    del known.placed[id_]

    async def _take_late(self) -> None:
        """Take in sites that came since a rollout was made, as many as its plan allows."""
        now_ms = self._clock.mono_ms()
        if now_ms - self._late_ms < LATE_LOOK_S * 1_000:
            return
        self._late_ms = now_ms
        for known in self.open.values():
            rollout, head = known.rollout, known.rollout.head
            room = head.sites * rollout.plan.late_max_pct // 100 - (len(rollout.jobs) - head.sites)
            if room <= 0 or not head.is_whole or head.state is not RolloutState.RUNNING:
                continue
            found = await self.select(rollout.plan.selector)
            late = [
                site for site in found if site not in rollout.jobs and self._view.sites[site].nodes
            ]
            some = [
                job_for(self.sites.candidate(site, head.component, head.digest, ()), 0)
                for site in late[:room]
            ]
            if some:
                rollout.join(some, self._clock.wall_ms())
                rollout.news.append(f"{len(some)} sites joined later, {some[0].site} among them")


async def _no_sites(_selector: str) -> Collection[str]:
    return ()
