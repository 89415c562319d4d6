"""Orders about jobs, as this node answers them: an offer is taken up, needs nothing, or is refused.

What is taken is in the journal before it is said to be; from there course.py goes on with it.

Leaves to others: to weigh an offer (intake.py).
"""

import asyncio
import logging

from roost_agent.errors import StorageError
from roost_agent.ports import Clock
from roost_agent.update import events as ev
from roost_agent.update import intake, words
from roost_agent.update.coordinator import Coordinator
from roost_agent.update.course import Course
from roost_agent.update.hands import Hands
from roost_agent.update.intake import RejectedError
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Kept, Open
from roost_agent.update.local_job import LocalJob, local_job
from roost_agent.update.site_standing import Apply, apply_of
from roost_agent.update.step import Step
from roost_agent.update.teller import Teller
from roost_protocol.remedy import Refusal
from roost_protocol.update import IGNORED, NodeSaid, Offer, SiteState

log = logging.getLogger(__name__)


class Offers:
    """One node's.

    Args:
        node, boot_id: its id, and its running system.
        course: of what is taken up.
        keeper: of the journal.
        hands: know what runs.
        coordinator: knows what this node is for, and what is raised on it.
        teller: of answers that the centre is told, too.
        clock: for a job's time.
    """

    def __init__(  # noqa: PLR0913 - what an offer is answered by
        self, node: str, boot_id: str, *, course: Course, keeper: Keeper, hands: Hands,
        coordinator: Coordinator, teller: Teller, clock: Clock,
    ) -> None:  # fmt: skip
        self._node = node
        self._boot_id = boot_id
        self._course = course
        self._keeper = keeper
        self._hands = hands
        self._coordinator = coordinator
        self._teller = teller
        self._clock = clock
        self._taking = asyncio.Lock()  # offers, one after the other

    async def take(self, job: str, attempt: int, body: bytes) -> str:
        """Take a job up; return how.

        Args:
            job: of the order.
            attempt: of it.
            body: of the order, an Offer.

        Raises:
            RejectedError: it is not taken.
        """
        offer = intake.read(job, attempt, body)
        await self._course.is_open.wait()
        async with self._taking:
            if self.knows(job, attempt):
                await self._recall(job, attempt)
                return "accepted"
            self._check(offer)
            if words.is_running(offer, self._hands.installed()):
                text = f"{words.release_of(offer)} runs already"
                return await self._unneeded(offer, body, text)
            role = self._coordinator.role
            if apply_of(offer, role) is Apply.IGNORE:
                text = f"its role is {role}, which the plan leaves out"
                return await self._unneeded(offer, body, text, step=IGNORED)
            kept = Kept(stood=self._coordinator.standing(offer))
            try:
                await self._keeper.begin(job, attempt, body, kept)
            except StorageError as err:
                raise RejectedError(Refusal.JOURNAL, str(err)) from err
            self._course.begin(offer, kept)
        log.info("update: job %s.%d taken: %s", job, attempt, words.release_of(offer))
        return "accepted"

    async def cancel(self, job: str) -> str:
        """Give a job up; return how.

        Raises:
            RejectedError: it is not known, has ended, or cannot be given up any more.
        """
        await self._course.is_open.wait()
        here = self._course.job
        if here is None or here.offer.job != job:
            known = bool(self._keeper.attempts(job))
            raise RejectedError(
                Refusal.ENDED if known else Refusal.UNKNOWN,
                f"job {job} {'has ended here' if known else 'is not in the journal of this node'}",
            )
        if here.is_past_return:
            text = "it is committed on this node"
            self._teller.answer(here.offer, SiteState.CANCEL_REJECTED, text, is_mine=True)
            text = "it is past its commit: a job to go back may follow"
            raise RejectedError(Refusal.COMMITTED, text)
        self._course.put(ev.Cancel())
        return "it is given up at the end of the step that is under way"

    def knows(self, job: str, attempt: int) -> bool:
        """Say whether the journal has a job."""
        return attempt in self._keeper.attempts(job)

    async def _recall(self, job: str, attempt: int) -> None:
        """Have a job that ended here be the one that the site is at, where others came between.

        Who is offered it again has others at it still, and they have to hear of this node.

        Raises:
            RejectedError: that cannot be written.
        """
        last = self._course.last
        is_last = last is not None and (last.offer.job, last.offer.attempt) == (job, attempt)
        if self._course.job is not None or is_last:
            return
        try:
            found = await self._keeper.recall(job, attempt, self._clock.wall_ms())
        except StorageError as err:
            raise RejectedError(Refusal.JOURNAL, str(err)) from err
        if found is not None:
            self._course.remember(self._ended(intake.read(job, attempt, found.offer), found))

    def _ended(self, offer: Offer, found: Open) -> LocalJob:
        now_ms = self._clock.boot_ms()
        return local_job(offer, found.kept, found.state, boot_id=self._boot_id, now_ms=now_ms)

    def _check(self, offer: Offer) -> None:
        """Refuse what cannot be begun; of what may come again the centre is told when.

        Raises:
            RejectedError: why not.
        """
        here = self._course.job
        try:
            intake.check(
                offer, self._node, attempts=self._keeper.attempts(offer.job),
                under_way=None if here is None else here.offer, now_ms=self._clock.wall_ms(),
            )  # fmt: skip
        except RejectedError as err:
            if err.retry_at_ms:
                self._teller.answer(
                    offer, SiteState.REJECTED, str(err), retry_at_ms=err.retry_at_ms,
                    is_mine=self._is_mine(offer),
                )  # fmt: skip
            raise

    def _is_mine(self, offer: Offer) -> bool:
        here = self._course.job
        return here is not None and here.offer.job == offer.job

    async def _unneeded(self, offer: Offer, body: bytes, text: str, *, step: str = "") -> str:
        """Answer that there is nothing to do here, once that is written down; return the answer.

        Args:
            offer: of the job.
            body: of the order.
            text: why.
            step: what the centre is told beside that; empty: nothing.

        Raises:
            RejectedError: it cannot be written.
        """
        await self._have(offer, body, text)
        nodes = [NodeSaid(self._node, step)] if step else []
        self._teller.answer(
            offer, SiteState.NOT_NEEDED, text, nodes=nodes, is_mine=self._is_mine(offer)
        )
        return f"not needed: {text}"

    async def _have(self, offer: Offer, body: bytes, text: str) -> None:
        """Write down a job that leaves nothing to do here: others of the site may need it.

        Its coordinator has to know of it to let them go, and they have to hear that this node is
        done. What the release asks of a node was not read here, so the most is assumed.

        Raises:
            RejectedError: it cannot be written.
        """
        now_ms, stood = self._clock.boot_ms(), self._coordinator.standing(offer)
        kept = Kept(drain=True, had=True, stood=stood)
        state = ev.State(Step.END, now_ms, self._boot_id, committed=True)
        found = Open(offer.job, offer.attempt, body, kept, state)
        record = ev.Record(state, None, text)
        try:
            await self._keeper.have(found, record, self._clock.wall_ms(), "succeeded")
        except StorageError as err:
            raise RejectedError(Refusal.JOURNAL, str(err)) from err
        self._course.remember(self._ended(offer, found))
