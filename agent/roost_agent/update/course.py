"""The course of a job on this node: the core of core.py joined to journal, hands and reports.

One job at a time. What the core records is on the disk before anything that follows is begun. An
agent that was killed asks root how the step ended that it was in.

Leaves to others: which job (offers.py), whose word it goes on by (service.py), what a step does
(hands.py), what follows in the end (ending.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from roost_agent.ports import Clock
from roost_agent.update import events as ev
from roost_agent.update.ending import Ending
from roost_agent.update.hands import Hands
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Kept, Open
from roost_agent.update.local_job import LocalJob, local_job
from roost_agent.update.reports import Reports
from roost_agent.update.step import Step, Who
from roost_protocol.errors import ProtocolError
from roost_protocol.update import Offer, read_offer

log = logging.getLogger(__name__)

TICK_S: Final = 2.0
IDLE_S: Final = 3_600.0
GOES_IN: Final = frozenset({Step.DRAIN, Step.INSTALL})


class Learnt(msgspec.Struct, frozen=True):
    """Something of a job is known now; what goes by it comes after this."""

    job: LocalJob
    kept: Kept


class Course:
    """One node's.

    Args:
        boot_id: of the running system, in hexadecimal digits.
        keeper: of the journal.
        hands: do the steps.
        reports: of the job.
        ending: what follows.
        clock: for deadlines.

    Attributes:
        job: under way; None: none is.
        last: the same, or the one that ended last: the site may be at it still.
        is_open: set once what the journal had is taken up again.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that it works with
        self, boot_id: str, *, keeper: Keeper, hands: Hands, reports: Reports, ending: Ending,
        clock: Clock,
    ) -> None:  # fmt: skip
        self.job: LocalJob | None = None
        self.last: LocalJob | None = None
        self.is_open = asyncio.Event()
        self._boot_id = boot_id
        self._keeper = keeper
        self._hands = hands
        self._reports = reports
        self._ending = ending
        self._clock = clock
        self._events: deque[ev.Event | Learnt] = deque()
        self._wake = asyncio.Event()
        self._act: asyncio.Task[None] | None = None

    # -- which job it is -----------------------------------------------------------------------

    async def open(self) -> None:
        """Open the journal; go on with the job in it, or remember the one that ended last."""
        found = await self._keeper.open()
        if found is not None:
            await self._resume(found)
        self.is_open.set()

    async def _resume(self, found: Open) -> None:
        try:
            offer = read_offer(found.offer)
        except ProtocolError as err:
            log.error("update: job %s is given up, it cannot be read: %s", found.job, err)  # noqa: TRY400
            await self._keeper.give_up(found)
            return
        job = self._of(offer, found.kept, found.state)
        if job.node.is_ended:
            self._reports.number()
            self.remember(job)
        else:
            self._go_on(job)

    def begin(self, offer: Offer, kept: Kept) -> None:
        """Begin a job that the journal has taken up, with what it has of it."""
        self._go_on(self._of(offer, kept, None))

    def _go_on(self, job: LocalJob) -> None:
        self.job = self.last = job
        self._reports.number()
        self.put(ev.Started(self._boot_id))

    def remember(self, job: LocalJob) -> None:
        """Have a job that has ended here, and that the site may be at still."""
        self.last = job
        self.wake()

    def _of(self, offer: Offer, kept: Kept, state: ev.State | None) -> LocalJob:
        now_ms = self._clock.boot_ms()
        return local_job(offer, kept, state, boot_id=self._boot_id, now_ms=now_ms)

    # -- what happens to it --------------------------------------------------------------------

    def put(self, *events: ev.Event | Learnt) -> None:
        """Have something happen to the job that is under way, after all that was put before."""
        self._events.extend(events)
        self._wake.set()

    def wake(self) -> None:
        """End a wait: something else than an event is to be looked at."""
        self._wake.set()

    async def wait(self) -> None:
        """Wait until something happens; that time passes is an event, too."""
        if not self._events:
            try:
                async with asyncio.timeout(self._wait_s()):
                    await self._wake.wait()
            except TimeoutError:
                self._events.append(ev.Tick(self._clock.wall_ms(), self._waits()))
        self._wake.clear()

    def _waits(self) -> str:
        """Return for what the job waits: a mirror, or what its site says."""
        if self.job is None:
            return ""
        is_fetching = self.job.node.state.step is Step.DOWNLOAD
        return self._hands.broke_off if is_fetching else self.job.waits

    def _wait_s(self) -> float:
        if self.last is None:
            return IDLE_S
        due_ms = None if self.job is None else self.job.node.due_ms
        if due_ms is None:
            return TICK_S
        return min(TICK_S, max(due_ms - self._clock.boot_ms(), 0) / 1_000)

    async def go_on(self, group: asyncio.TaskGroup) -> None:
        """Handle all that has happened; what a step does is a task of the group."""
        while self._events:
            event, job = self._events.popleft(), self.job
            if job is None:
                continue
            if isinstance(event, Learnt):
                await self._learn(job, event)
            else:
                await self._handle(job, event, group)

    async def _learn(self, job: LocalJob, event: Learnt) -> None:
        """Keep what is known of the release, before anything goes by it."""
        if event.job is job and event.kept != job.kept:
            await self._keeper.learn(job.offer, event.kept)
            job.learn(event.kept)

    async def _handle(self, job: LocalJob, event: ev.Event, group: asyncio.TaskGroup) -> None:
        for action in job.node.handle(event, self._clock.boot_ms()):
            await self._do(job, action, group)
        if isinstance(event, ev.Cancel) and job.node.state.step is Step.DOWNLOAD:
            self._stop()  # it may wait for days for a mirror
            self.put(ev.Did(job.node.key, Who.NODE))
        self._reports.tell(job)
        if job.node.is_ended:
            self.job = None
            await self._ending.after(job, group)

    # -- what is done about it -----------------------------------------------------------------

    async def _do(self, job: LocalJob, action: ev.Action, group: asyncio.TaskGroup) -> None:
        match action:
            case ev.Record():
                await self._record(job, action)
            case ev.Do():
                log.info("update: %s", action.step)
                self._start(self._acted(job, action), group, job.node.state.step)
            case ev.Ask(key):
                self._start(self._asked(key), group, job.node.state.step)
            case ev.Alarm(name, detail):
                log.error("update: %s: %s", name, detail)
                if name == "rollback-failed":
                    self._ending.stuck(job, detail)
            case ev.Refused(why):
                log.info("update: %s", why)

    async def _record(self, job: LocalJob, record: ev.Record) -> None:
        """Bring a line to the disk: nothing goes on before it is there."""
        outcome = job.node.outcome if record.state.step is Step.END else ""
        await self._keeper.record(job.offer, record, self._clock.wall_ms(), outcome)
        self._reports.number()

    def _start(self, act: Coroutine[Any, Any, None], group: asyncio.TaskGroup, step: Step) -> None:
        """Begin what a step does; what another step was doing ends."""
        self._stop()
        self._act = group.create_task(act, name=f"agent.update.{step}")

    def _stop(self) -> None:
        if self._act is not None:
            self._act.cancel()

    async def _acted(self, job: LocalJob, todo: ev.Do) -> None:
        if todo.step in GOES_IN:
            await self._reports.until_told()
        did, kept = await self._hands.do(todo, job.offer, job.kept)
        self.put(Learnt(job, kept), did)

    async def _asked(self, key: str) -> None:
        self.put(await self._hands.known(key))
