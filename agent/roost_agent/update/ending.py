"""What follows once a job has ended on this node: alarms, a receipt, what runs measured anew."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from roost_agent.alarms.service import Alarms
from roost_agent.update import words
from roost_agent.update.freshness import Freshness
from roost_agent.update.hands import Hands
from roost_agent.update.local_job import LocalJob
from roost_agent.update.receipts import Receipts
from roost_agent.update.reports import Reports
from roost_agent.update.software import Software

log = logging.getLogger(__name__)

FAILED: Final = "900.021"
ROLLED_BACK: Final = "900.801"
STUCK: Final = "900.804"


class Ending:
    """One node's.

    Args:
        hands: forget what was fetched.
        software, freshness: look anew.
        receipts: sign how it ended.
        reports: tell that.
        alarms: for what failed.
        is_free: whether no other job is under way, whose reports would have the receipt with them.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that follows
        self, *, hands: Hands, software: Software, freshness: Freshness, receipts: Receipts,
        reports: Reports, alarms: Alarms, is_free: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._hands = hands
        self._software = software
        self._freshness = freshness
        self._receipts = receipts
        self._reports = reports
        self._alarms = alarms
        self._is_free = is_free

    def stuck(self, job: LocalJob, why: str) -> None:
        """Tell that a node could not go back whole: an alarm that the next good job clears."""
        self._raise(STUCK, job, why)

    async def after(self, job: LocalJob, group: asyncio.TaskGroup) -> None:
        """Do all that follows; the receipt is made in a task of the group."""
        outcome, detail = job.node.outcome, job.node.state.detail
        log.info("update: job %s.%d: %s %s", job.offer.job, job.offer.attempt, outcome, detail)
        if outcome == "succeeded":
            for type_ in (FAILED, ROLLED_BACK, STUCK):
                self._alarms.clear_condition(type_)
        elif outcome != "canceled" and not job.node.state.stuck:
            self._raise(ROLLED_BACK if outcome == "rolled_back" else FAILED, job, detail)
        await asyncio.to_thread(self._hands.forget_blobs)
        self._software.changed()
        self._freshness.doubt()
        self.vouch(job, group)

    def vouch(self, job: LocalJob, group: asyncio.TaskGroup) -> None:
        """Sign how a job ended, where that is not done yet and something was installed."""
        if not job.kept.had and self._receipts.is_missing(job.offer):
            group.create_task(self._vouched(job), name="agent.update.receipt")

    async def _vouched(self, job: LocalJob) -> None:
        if await self._receipts.make(job.offer, job.node.outcome) and self._is_free():
            self._reports.tell(job)

    def _raise(self, type_: str, job: LocalJob, why: str) -> None:
        said = {"release": words.release_of(job.offer), "reason": why}
        self._alarms.raise_condition(type_, said)
