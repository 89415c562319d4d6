"""Software updates at work on this node: one loop, which goes on with the job that was offered.

What happens to the job is handled; what only others know is looked at; then it waits. Read on in
offers.py (an order becomes a job), course.py (step by step), ending.py (what follows).

Leaves to others: who may go down (site_job.py).
"""

import asyncio
from typing import Any

import msgspec
from msgspec.structs import replace

from roost_agent.alarms.service import Alarms
from roost_agent.ports import Clock, Entropy
from roost_agent.update import events as ev
from roost_agent.update import inhibit
from roost_agent.update.coordinator import Coordinator
from roost_agent.update.core import Node
from roost_agent.update.course import Course, Learnt
from roost_agent.update.ending import Ending
from roost_agent.update.freshness import Freshness
from roost_agent.update.hands import Hands
from roost_agent.update.holds import Holds
from roost_agent.update.keeper import Keeper
from roost_agent.update.lending import Lending
from roost_agent.update.local_job import LocalJob
from roost_agent.update.offers import Offers
from roost_agent.update.receipts import Receipts
from roost_agent.update.reports import Reports
from roost_agent.update.site_job import Verdict
from roost_agent.update.software import Software
from roost_agent.update.step import Step
from roost_agent.update.teller import Teller


class Updates:
    """The updates of one node.

    Args:
        node: its id.
        boot_id: of the running system, in hexadecimal digits.
        hands: do the steps.
        keeper: of the journal.
        coordinator: lets it go on.
        teller: of reports.
        receipts: of jobs that have ended.
        alarms: for what failed.
        clock: for deadlines.
        entropy: for when it asks whether what it knows is of these days.
        inhibits: the folder of holds by file.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that it works with
        self, node: str, boot_id: str, *, hands: Hands, keeper: Keeper, coordinator: Coordinator,
        teller: Teller, receipts: Receipts, alarms: Alarms, clock: Clock, entropy: Entropy,
        inhibits: str = inhibit.FOLDER,
    ) -> None:  # fmt: skip
        self._node = node
        self._hands = hands
        self._coordinator = coordinator
        self._clock = clock
        self._holds = Holds(keeper, inhibits, clock)
        self._software = Software(hands, teller)
        self._freshness = Freshness(hands.refreshed, alarms, entropy)
        self._lending = Lending(hands.lend, self._core)
        self._reports = Reports(
            node, keeper=keeper, hands=hands, receipts=receipts, teller=teller,
            coordinator=coordinator,
        )  # fmt: skip
        self._ending = Ending(
            hands=hands, software=self._software, freshness=self._freshness, receipts=receipts,
            reports=self._reports, alarms=alarms, is_free=lambda: self._course.job is None,
        )  # fmt: skip
        self._course = Course(
            boot_id, keeper=keeper, hands=hands, reports=self._reports, ending=self._ending,
            clock=clock,
        )  # fmt: skip
        offers = Offers(
            node, boot_id, course=self._course, keeper=keeper, hands=hands,
            coordinator=coordinator, teller=teller, clock=clock,
        )  # fmt: skip
        self.take = offers.take
        self.cancel = offers.cancel
        self.knows = offers.knows

    def _core(self) -> Node | None:
        job = self._course.job
        return None if job is None else job.node

    def hold(self, until_ms: int, why: str) -> None:
        """Let nothing go in until then (UTC, ms), HOLD_MS_MAX at most; 0 ends it."""
        self._holds.set(until_ms, why)
        self._course.wake()

    def status(self) -> dict[str, Any]:
        """Return where it is, as plain data."""
        self._holds.look()
        hold, job = self._holds.now, self._course.job
        return {
            "hold": None if hold is None else msgspec.to_builtins(hold),
            "faults": self._holds.faults,
            "components": {
                name: msgspec.to_builtins(each)
                for name, each in self._hands.installed().components.items()
            },
            "job": None if job is None else job.shown(self._clock.boot_ms()),
        }

    async def run(self) -> None:
        """Work until cancelled; the outbox is open."""
        course = self._course
        await course.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._software.run(), name="agent.update.software")
            group.create_task(self._freshness.run(), name="agent.update.freshness")
            group.create_task(self._lending.run(), name="agent.update.lend")
            if course.last is not None and course.job is None:  # it ended before it was vouched for
                self._ending.vouch(course.last, group)
            while True:
                await course.go_on(group)
                await self._holds.written()
                await self._look()
                await course.wait()

    async def _look(self) -> None:
        """Look at what may let a job go on: holds, the clock, the word of the site."""
        if (job := self._course.job) is not None and job.node.state.step is Step.STAGED:
            await self._holds.looked()
        last = self._course.last
        if last is not None and self._clock.wall_ms() < last.offer.not_after_ms:
            await self._coordinator.look(last.offer, is_at_it=self._course.job is last)
        self._ask_site()

    def _ask_site(self) -> None:
        """Ask where the site's job is; go on where it lets this node, go back where it must.

        It is asked of a job that has ended here, too: this node may be the one that lets the others
        go on.
        """
        last = self._course.last
        if last is None:
            return
        epoch, verdict = self._coordinator.ask(last.offer, last.kept, last.head, self._holds.now)
        if self._course.job is last:
            last.verdict = verdict
            self._follow(last, epoch, verdict)
            self._reports.tell(last)

    def _follow(self, job: LocalJob, epoch: int, verdict: Verdict) -> None:
        """Have happen to a job what the site's coordinator says."""
        if self._node in verdict.go and job.node.state.step is Step.STAGED:
            is_reached, before = self._coordinator.is_reached(), self._coordinator.baseline()
            kept = replace(job.kept, was_reached=is_reached, before=before)
            self._course.put(Learnt(job, kept), ev.Go(epoch))  # what it is measured by comes first
        elif self._node in verdict.back and not (job.is_past_return or job.goes_back):
            self._course.put(ev.Cancel(verdict.sentence))
