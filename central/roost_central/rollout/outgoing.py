"""What goes out to sites: offers and cancels, with the director's documents behind them.

An offer goes to an enrolled node as a signed order, with the director's document behind it; to a
node that never had an identity, as simulated ones, as it is, over brokers of this machine alone.

Leaves to others: whose turn it is (core.py), and what is written before it goes (runner.py).
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from roost_central.errors import SignerError, SignerUnavailableError
from roost_central.orders.core import OrderRecord, State
from roost_central.orders.desk import ID_BYTES
from roost_central.ports import Clock, Entropy
from roost_central.releases.fault import ReleaseError
from roost_central.releases.site_documents import SiteDocuments
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head
from roost_central.rollout.job import ANSWER_MS, Job, job_id
from roost_central.rollout.meant import shown
from roost_central.rollout.offer import assignment_of, document_of, offer_of
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.sight import Sites
from roost_central.rollout.table import JOB_ENDS, JobState, Pause
from roost_central.storage import rollouts
from roost_central.storage.engine import Database
from roost_protocol.order import body_digest
from roost_protocol.release.director import Assignment
from roost_protocol.release.meant import Shown
from roost_protocol.update_verbs import UpdateCancel, UpdateOffer

logger = logging.getLogger(__name__)

BY: Final = "central"
# What the signer refuses of one site's document; every other word of it is about all of them.
OF_A_SITE: Final = frozenset({"approval", "document", "image", "members"})

Hears = Callable[[str], int | None]  # node -> the generation that it speaks with
SendBare = Callable[[str, bytes], bool]


@dataclass(frozen=True, slots=True)
class Sending:
    """What goes out after a turn is written.

    Attributes:
        canceled: nodes that are told, with the job that they are to give up.
    """

    offers: dict[str, bytes] = field(default_factory=dict)
    bare: list[tuple[str, bytes]] = field(default_factory=list)
    orders: list[OrderRecord] = field(default_factory=list)
    canceled: list[tuple[str, str]] = field(default_factory=list)


class Outgoing:
    """Prepares what sites are sent.

    Args:
        open_: the rollouts that are open, now and later.
        sites: what is known of them.
        database: with approvals.
        clock: for how long an order holds.
        entropy: for ids of orders.

    Attributes:
        hears: says with which generation a node speaks.
        send_bare: offers to a node that has no identity.
        releases: keeps what the signer signs; None: nothing is signed here, so that only nodes
            without an identity are offered anything.
    """

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        open_: Mapping[str, OpenRollout],
        sites: Sites,
        database: Database,
        clock: Clock,
        entropy: Entropy,
        *,
        releases: SiteDocuments | None,
    ) -> None:
        self.hears: Hears = lambda _node: None
        self.send_bare: SendBare = lambda _node, _offer: False
        self.releases = releases
        self._open = open_
        self._sites = sites
        self._database = database
        self._clock = clock
        self._entropy = entropy

    async def prepared(self, known: OpenRollout, offered: Sequence[Job], now_ms: int) -> Sending:
        """Return what is to go out: offers as they are, or as orders with documents behind them."""
        rollout = known.rollout
        sending = Sending()
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
                _put_off(rollout, job.site, refused[job.site], now_ms)
                del sending.offers[job.site]
                continue
            digest = body_digest(sending.offers[job.site])
            given: dict[str, str | int] = {
                "job": job_id(rollout.head.id, job),
                "attempt": job.attempt,
                "digest": digest,
            }
            for record in self._order(rollout.head, job, UpdateOffer.verb, given, sending):
                known.placed[record.id] = job.site
        silent = [each for each in refused.values() if each.code not in OF_A_SITE]
        if silent:
            why = f"the signer: {silent[0].detail}"
            rollout.rest(Pause.STALE_METADATA, why, now_ms)
        await self._withdraw(known, sending)
        return sending

    def _offer(self, rollout: Rollout, job: Job) -> bytes:
        return offer_of(
            rollout.head,
            rollout.plan,
            rollout.rules(job.wave),
            job,
            rollout.target(job),
            deadline_ms=rollout.job_deadline_ms(job),
            timezone=self._sites.timezone(job.site),
        )

    def _order(
        self, head: Head, job: Job, verb: str, given: dict[str, str | int], sending: Sending
    ) -> list[OrderRecord]:
        """Order something of every enrolled node of a job that speaks; return the orders."""
        now_ms, placed = self._clock.wall_ms(), []
        for node in job.nodes:
            if self.hears(node) is None:
                continue
            record = OrderRecord(
                id=self._entropy.token(ID_BYTES).hex(),
                node=node,
                site=job.site,
                verb=verb,
                given=given,
                reason=f"rollout {head.name}"[:200],
                by=BY,
                placed_ms=now_ms,
                not_after_ms=now_ms + ANSWER_MS,
                state=State.READY,
                changed_ms=now_ms,
            )
            placed.append(record)
        sending.orders.extend(placed)
        return placed

    async def _withdraw(self, known: OpenRollout, sending: Sending) -> None:
        """Ask sites to give up what they have, and let their documents name it no more."""
        rollout = known.rollout
        cancels, rollout.cancels = rollout.cancels, []
        await self.cancel(rollout.head, cancels, sending)

    async def cancel(self, head: Head, jobs: Collection[Job], sending: Sending) -> None:
        """Ask sites to give up what they have of a rollout; a site that is silent hears nothing.

        Args:
            head: of the rollout, open or at its end.
            jobs: of these sites.
            sending: takes the orders.
        """
        enrolled = []
        for job in jobs:
            id_ = job_id(head.id, job)
            if not job.dark_ms:
                sending.canceled.extend((node, id_) for node in job.nodes)
            self._order(head, job, UpdateCancel.verb, {"job": id_}, sending)
            if any(self.hears(node) is not None for node in job.nodes):
                enrolled.append(job)
            else:  # who has no identity is told by the job's bare name, where its offer went
                for node in job.nodes:
                    self.send_bare(node, id_.encode())
        for site, why in (await self._directed(enrolled)).items():
            logger.warning("rollout %s: %s keeps its document: %s", head.id, site, why.detail)

    async def _directed(self, jobs: Collection[Job]) -> dict[str, SignerError]:
        """Have the documents of sites signed; return why not, by site."""
        if not jobs:
            return {}
        if self.releases is None:
            none = SignerUnavailableError("releases", "this centre signs no releases")
            return {job.site: none for job in jobs}
        documents = [document_of(job.site, self._assignments(job.site)) for job in jobs]
        async with self._database.read() as connection:
            signed = [
                each.signed
                for known in self._open.values()
                for each in await rollouts.approvals_of(connection, known.rollout.head.id)
            ]
        why_meant = {job.site: self._shown(job.site) for job in jobs}
        try:
            whys = await self.releases.assign(documents, signed, why_meant)
        except SignerError as err:
            return {job.site: err for job in jobs}
        except ReleaseError as err:
            broken = SignerUnavailableError("kept", f"documents cannot be kept: {err}")
            return {job.site: broken for job in jobs}
        return {job.site: why for job, why in zip(jobs, whys, strict=True) if why is not None}

    def _assignments(self, site: str) -> list[Assignment]:
        """Return all that a site is to install, by all rollouts."""
        found = []
        for known, job in self._assigned(site):
            rollout = known.rollout
            version, _ = rollout.target(job)
            found.append(assignment_of(rollout.head, job, version, rollout.job_deadline_ms(job)))
        return found

    def _shown(self, site: str) -> list[Shown]:
        """Return what shows the signer that a site is meant, by all rollouts in its document."""
        return [shown(known.rollout.head, known.tree, job) for known, job in self._assigned(site)]

    def _assigned(self, site: str) -> Iterator[tuple[OpenRollout, Job]]:
        for known in self._open.values():
            job = known.rollout.jobs.get(site)
            if job is None or job.is_canceling or not job.offered_ms:
                continue
            if job.state not in JOB_ENDS | {JobState.QUEUED}:
                yield known, job


def _put_off(rollout: Rollout, site: str, why: SignerError, now_ms: int) -> None:
    """Have a site wait whose document was not signed: it alone, where it alone was refused."""
    if why.code in OF_A_SITE:
        rollout.unsigned(site, f"signer: the signer refuses its document: {why.detail}", now_ms)
    else:
        rollout.unsent(site, why.detail, now_ms)
