"""Software updates at work on this node: the core of core.py joined to journal, root and reports.

One job at a time. What the core records is on the disk before anything that follows is begun. An
agent that was killed asks root how the step ended that it was in.

Leaves to others: what a step does (hands.py), who may go down (site_job.py), what is told
(words.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from roost_agent.alarms.service import Alarms
from roost_agent.errors import StorageError
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_agent.update import core, words
from roost_agent.update.core import Node, Plan
from roost_agent.update.hands import Hands
from roost_agent.update.journal import Hold, Journal, Kept, Open
from roost_agent.update.site_job import Head, Verdict
from roost_agent.update.step import Step, Who
from roost_protocol.codec import VERSION, encode, pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.update import JobReport, Offer, SiteState, WaitReason, read_offer

log = logging.getLogger(__name__)

FAILED: Final = "900.021"
ROLLED_BACK: Final = "900.801"
STUCK: Final = "900.804"
TYPES: Final = frozenset({FAILED, ROLLED_BACK, STUCK})
TICK_S: Final = 2.0
IDLE_S: Final = 3_600.0
LEND_AGAIN_S: Final = 30.0  # after a port that was taken
LENDS: Final = frozenset({Step.VERIFY, Step.STAGED})  # all have it before anybody goes on
RETRY_S: Final = 1.0  # after a journal that took nothing
MEASURE_EVERY_S: Final = 3_600.0  # what runs is read anew
BUSY_AGAIN_MS: Final = 600_000  # one job a node: another one may be offered again then
HOLD_MS_MAX: Final = 7 * 86_400_000  # a hold that is forgotten ends
REPORTS_A_LINE: Final = 1_000  # so that a number outlives a restart: lines are counted by journal
_T = TypeVar("_T")


class RejectedError(Exception):
    """An offer or a cancel is not taken; ``code`` is a word for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Coordinator(Protocol):
    """Who lets this node go on: its site's coordinator, or itself where it is alone."""

    def ask(self, offer: Offer, kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """Return the coordinator's epoch, and where the site's job is."""

    def is_reached(self) -> bool:
        """Say whether this node beats on any path."""


class Updates:
    """The updates of one node.

    Args:
        node: its id.
        boot_id: of the running system, in hexadecimal digits.
        hands: do the steps.
        journal: keeps them.
        coordinator: lets it go on.
        spool: for reports.
        alarms: for what failed.
        clock: for deadlines.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that it works with
        self, node: str, boot_id: str, *, hands: Hands, journal: Journal,
        coordinator: Coordinator, spool: Spool, alarms: Alarms, clock: Clock,
    ) -> None:  # fmt: skip
        self._node_id = node
        self._boot_id = boot_id
        self._hands = hands
        self._journal = journal
        self._coordinator = coordinator
        self._spool = spool
        self._alarms = alarms
        self._clock = clock
        self._events: deque[core.Event | _Learnt | _Held] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="update")  # the journal's only one
        self._taking = asyncio.Lock()  # offers, one after the other
        self._is_open = asyncio.Event()
        self._job: Node | None = None
        self._offer: Offer | None = None
        self._kept = Kept()
        self._recent: tuple[Offer, Kept, Node] | None = (
            None  # of the site, which may be at it still
        )
        self._hold: Hold | None = None
        self._verdict: Verdict | None = None
        self._receipt = ""
        self._is_new = False
        self._act: asyncio.Task[None] | None = None
        self._attempts: dict[tuple[str, int], str] = {}
        self._said = b""
        self._numbers = 0
        self._software = b""
        self._software_due = asyncio.Event()

    async def take(self, job: str, attempt: int, body: bytes) -> str:
        """Take a job up; return how.

        Args:
            job: of the order.
            attempt: of it.
            body: of the order, an Offer.

        Raises:
            RejectedError: it is not taken.
        """
        try:
            offer = read_offer(body)
        except ProtocolError as err:
            raise RejectedError(err.code, str(err)) from err
        if (offer.job, offer.attempt) != (job, attempt):
            raise RejectedError("offer", f"the body is an offer of job {offer.job}")
        await self._is_open.wait()
        async with self._taking:
            if self.knows(job, attempt):
                return "accepted"
            self._check(offer)
            if words.is_running(offer, self._hands.installed()):
                self._tell(offer, SiteState.NOT_NEEDED, f"{words.release_of(offer)} runs already")
                return "not needed: it runs already"
            try:
                await self._in_thread(self._journal.begin, job, attempt, body)
            except StorageError as err:
                raise RejectedError("journal", str(err)) from err
            self._attempts[job, attempt] = ""
            self._begin(Open(job, attempt, body, Kept(), None), offer)
        log.info("update: job %s.%d taken: %s", job, attempt, words.release_of(offer))
        return "accepted"

    async def cancel(self, job: str) -> str:
        """Give a job up; return how.

        Raises:
            RejectedError: it is not known, has ended, or cannot be given up any more.
        """
        await self._is_open.wait()
        offer, node = self._offer, self._job
        if offer is None or node is None or offer.job != job:
            known = any(each == job for each, _ in self._attempts)
            raise RejectedError(
                "ended" if known else "unknown",
                f"job {job} {'has ended here' if known else 'is not in the journal of this node'}",
            )
        if node.state.committed or node.state.step is Step.COMMIT:
            self._tell(offer, SiteState.CANCEL_REJECTED, "it is committed on this node")
            raise RejectedError("committed", "it is past its commit: a job to go back may follow")
        self._put(core.Cancel())
        return "it is given up at the end of the step that is under way"

    def knows(self, job: str, attempt: int) -> bool:
        """Say whether the journal has a job."""
        return (job, attempt) in self._attempts

    def hold(self, until_ms: int, why: str) -> None:
        """Let nothing go in until then (UTC, ms), HOLD_MS_MAX at most; 0 ends it."""
        now_ms = self._clock.wall_ms()
        until_ms = min(until_ms, now_ms + HOLD_MS_MAX)
        self._hold = Hold(until_ms, why) if until_ms > now_ms else None
        self._put(_Held(self._hold))

    def status(self) -> dict[str, Any]:
        """Return where it is, as plain data."""
        offer, node, hold = self._offer, self._job, self._hold
        found: dict[str, Any] = {
            "hold": None if hold is None else msgspec.to_builtins(hold),
            "components": {
                name: msgspec.to_builtins(each)
                for name, each in self._hands.installed().components.items()
            },
            "job": None,
        }
        if offer is not None and node is not None:
            found["job"] = {
                "job": offer.job,
                "attempt": offer.attempt,
                "release": words.release_of(offer),
                "step": str(node.state.step),
                "for_s": (self._clock.boot_ms() - node.state.since_ms) // 1_000,
                "state": str(words.site_state(node, self._verdict)),
                "why": node.state.detail
                or ("" if self._verdict is None else self._verdict.sentence),
            }
        return found

    async def run(self) -> None:
        """Work until cancelled; the outbox is open."""
        await self._open()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_software(), name="agent.update.software")
            group.create_task(self._lend(), name="agent.update.lend")
            while True:
                while self._events:
                    await self._handle(self._events.popleft(), group)
                self._look_at_site()
                if not self._events:
                    await self._rest()

    async def _open(self) -> None:
        """Open the journal, however long the disk refuses, and go on with what is in it."""
        while True:
            try:
                found = await self._in_thread(self._load)
            except StorageError as err:
                log.warning("update: the journal cannot be opened: %s", err)
                await asyncio.sleep(RETRY_S)
                continue
            break
        if found is not None:
            await self._resume(found)
        self._is_open.set()

    async def _resume(self, found: Open) -> None:
        """Go on with a job of the journal, or remember one that has ended here."""
        try:
            offer = read_offer(found.offer)
        except ProtocolError as err:
            log.error("update: job %s is given up, it cannot be read: %s", found.job, err)  # noqa: TRY400
            await self._kept_at_last(partial(self._journal.abandon, found.job, found.attempt))
            return
        self._begin(found, offer)
        assert self._job is not None  # noqa: S101 - it was begun
        if self._job.is_ended:
            self._offer, self._job = None, None
            self._events.clear()

    def _load(self) -> Open | None:
        self._journal.open()
        self._hold = self._journal.hold()
        self._attempts = self._journal.known()
        found = self._journal.opened() or self._journal.last()
        if found is not None:
            self._numbers = self._journal.count(found.job, found.attempt) * REPORTS_A_LINE
        return found

    def _begin(self, found: Open, offer: Offer) -> None:
        self._offer, self._kept, self._verdict = offer, found.kept, None
        plan = _plan(offer, found.kept)
        self._job = Node(plan, found.state, self._boot_id, self._clock.boot_ms())
        self._recent = (offer, found.kept, self._job)
        self._is_new = found.state is None
        if self._is_new:
            self._numbers = 0
        self._put(core.Started(self._boot_id))

    def _check(self, offer: Offer) -> None:
        """Refuse what cannot be begun.

        Raises:
            RejectedError: why not.
        """
        name = words.release_of(offer)
        if self._node_id not in offer.nodes:
            raise RejectedError("node", f"the job is not for {self._node_id}")
        if offer.not_after_ms <= self._clock.wall_ms():
            raise RejectedError("late", f"{name}: its time has ended")
        newer = [each for job, each in self._attempts if job == offer.job and each > offer.attempt]
        if newer:
            raise RejectedError("attempt", f"attempt {max(newer)} of the job was here already")
        if self._offer is not None:
            text = f"{words.release_of(self._offer)} is under way on this node"
            at_ms = self._clock.wall_ms() + BUSY_AGAIN_MS
            self._tell(offer, SiteState.REJECTED, text, retry_at_ms=at_ms)
            raise RejectedError("busy", text)

    def _put(self, event: "core.Event | _Learnt | _Held") -> None:
        self._events.append(event)
        self._wake.set()

    async def _handle(
        self, event: "core.Event | _Learnt | _Held", group: asyncio.TaskGroup
    ) -> None:
        if isinstance(event, _Held):
            await self._kept_at_last(partial(self._journal.set_hold, event.hold))
            return
        node, offer = self._job, self._offer
        if node is None or offer is None:
            return
        if isinstance(event, _Learnt):
            await self._learn(node, offer, event.kept)
            return
        if isinstance(event, core.Go):  # what it is measured by is on the disk before
            kept = replace(self._kept, was_reached=self._coordinator.is_reached())
            await self._learn(node, offer, kept)
        now_ms = self._clock.boot_ms()
        if self._is_new:
            self._is_new = False
            actions = node.start(now_ms)
        else:
            actions = node.handle(event, now_ms)
        for action in actions:
            await self._do(action, group)
        if isinstance(event, core.Cancel) and node.state.step is Step.DOWNLOAD:
            self._stop()  # it may wait for days for a mirror
            self._put(core.Did(node.key, Who.NODE))
        self._report()
        if node.is_ended:
            await self._end(node, offer)

    async def _do(self, action: core.Action, group: asyncio.TaskGroup) -> None:
        match action:
            case core.Record():
                await self._record(action)
            case core.Do():
                assert self._offer is not None  # noqa: S101 - its core has spoken
                log.info("update: %s", action.step)
                self._start(self._acted(action, self._offer, self._kept), group, action.key)
            case core.Ask(key):
                self._start(self._asked(key), group, key)
            case core.Alarm(name, detail):
                log.error("update: %s: %s", name, detail)
                if name == "rollback-failed":
                    self._raise(STUCK, detail)
            case core.Refused(why):
                log.info("update: %s", why)

    async def _record(self, record: core.Record) -> None:
        """Bring a line to the disk: nothing goes on before it is there."""
        node, offer = self._job, self._offer
        assert node is not None and offer is not None  # noqa: S101, PT018 - its core has spoken
        outcome = node.outcome if record.state.step is Step.END else ""
        at_ms = self._clock.wall_ms()
        write = partial(self._journal.record, offer.job, offer.attempt, record, at_ms, outcome)
        self._receipt = await self._kept_at_last(write)
        self._numbers = (self._numbers // REPORTS_A_LINE + 1) * REPORTS_A_LINE

    async def _learn(self, node: Node, offer: Offer, learnt: Kept) -> None:
        """Keep what is known of the release, before anything goes by it."""
        if learnt == self._kept:
            return
        await self._kept_at_last(partial(self._journal.keep, offer.job, offer.attempt, learnt))
        self._kept = learnt
        self._recent = (offer, learnt, node)
        node.plan = _plan(offer, learnt)

    async def _kept_at_last(self, write: Callable[[], _T]) -> _T:
        """Write into the journal, however long the disk refuses."""
        while True:
            try:
                return await self._in_thread(write)
            except StorageError as err:
                log.warning("update: not kept yet: %s", err)
                await asyncio.sleep(RETRY_S)

    async def _in_thread(self, act: Callable[..., _T], *given: object) -> _T:
        """Use the journal: all that is asked of it goes one after the other."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, act, *given)

    def _start(self, act: Coroutine[Any, Any, None], group: asyncio.TaskGroup, key: str) -> None:
        """Begin what a step does; what another step was doing ends."""
        self._stop()
        self._act = group.create_task(act, name=f"agent.update.{key.split('.')[2]}")

    def _stop(self) -> None:
        if self._act is not None:
            self._act.cancel()

    async def _acted(self, todo: core.Do, offer: Offer, kept: Kept) -> None:
        did, learnt = await self._hands.do(todo, offer, kept)
        self._put(_Learnt(learnt))
        self._put(did)

    async def _asked(self, key: str) -> None:
        self._put(await self._hands.known(key))

    def _look_at_site(self) -> None:
        """Ask where the site's job is; go on where it lets this node, go back where it must.

        It is asked of a job that has ended here, too: this node may be the one that lets the others
        go on.
        """
        if self._recent is None:
            return
        offer, kept, node = self._recent
        if self._hold is not None and self._hold.until_ms <= self._clock.wall_ms():
            self._hold = None
        epoch, verdict = self._coordinator.ask(offer, kept, _head(node), self._hold)
        if self._job is None:
            return
        self._verdict = verdict
        if self._node_id in verdict.go and node.state.step is Step.STAGED:
            self._put(core.Go(epoch))
        elif self._node_id in verdict.back and not node.state.canceled and not _is_over(node):
            self._put(core.Cancel())
        self._report()

    async def _end(self, node: Node, offer: Offer) -> None:
        """Leave a job that has ended, and tell what stands because of it."""
        outcome, detail = node.outcome, node.state.detail
        log.info("update: job %s.%d: %s %s", offer.job, offer.attempt, outcome, detail)
        if outcome == "succeeded":
            for type_ in TYPES:
                self._alarms.clear_condition(type_)
        elif outcome != "canceled" and not node.state.stuck:
            self._raise(ROLLED_BACK if outcome == "rolled_back" else FAILED, detail)
        self._attempts[offer.job, offer.attempt] = outcome
        self._offer, self._job, self._verdict = None, None, None
        await asyncio.to_thread(self._hands.forget_blobs)
        self._software_due.set()

    def _raise(self, type_: str, detail: str) -> None:
        release = "" if self._offer is None else words.release_of(self._offer)
        self._alarms.raise_condition(type_, {"release": release, "reason": detail})

    def _report(self) -> None:
        """Tell where the job is, where that is news."""
        node, offer = self._job, self._offer
        if node is None or offer is None:
            return
        nodes = [words.said(self._node_id, node, self._receipt)]
        said = words.report(offer, node, nodes, self._verdict, 0)
        if self._hands.short_of and node.state.step is Step.DOWNLOAD:
            said = replace(
                said, state=SiteState.WAITING, wait=WaitReason.BUDGET,
                detail=words.cut(self._hands.short_of),
            )  # fmt: skip
        if encode(said) != self._said and self._append(ItemKind.UPDATE, self._numbered(said)):
            self._said = encode(said)

    def _tell(self, offer: Offer, state: SiteState, text: str, *, retry_at_ms: int = 0) -> None:
        """Tell of an offer that is not begun here, or of a cancel that came too late."""
        mine = self._offer is not None and self._offer.job == offer.job
        said = JobReport(
            v=VERSION, job=offer.job, attempt=offer.attempt, seq=0, state=state,
            detail=words.cut(text), retry_at_ms=retry_at_ms,
        )  # fmt: skip
        self._append(ItemKind.UPDATE, self._numbered(said) if mine else replace(said, seq=1))

    def _numbered(self, said: JobReport) -> JobReport:
        self._numbers += 1
        return replace(said, seq=self._numbers)

    def _append(self, kind: ItemKind, body: msgspec.Struct) -> bool:
        raw, compressed = pack(body)
        entry = Entry(Lane.BULK, kind, self._clock.wall_ms(), raw, compressed)
        try:
            self._spool.append(Batch((entry,), {}))
        except StorageError as err:
            log.warning("update: not told yet: %s", err)
            return False
        return True

    async def _lend(self) -> None:
        """Lend the site what was fetched, while the job goes on here."""
        while True:
            node = self._job
            if node is not None and node.state.step in LENDS:
                async with asyncio.TaskGroup() as group:
                    child = group.create_task(self._hands.lend(), name="agent.update.lend.child")
                    while self._job is node and node.state.step in LENDS and not child.done():  # noqa: ASYNC110 - the core's state
                        await asyncio.sleep(TICK_S)
                    child.cancel()
                await asyncio.sleep(LEND_AGAIN_S)
            await asyncio.sleep(TICK_S)

    async def _tell_software(self) -> None:
        """Tell what runs, measured: at the start, after each job, and where it changed since."""
        while True:
            self._software_due.clear()
            try:
                has_any = bool(self._hands.installed().components)
                report = words.software(await self._hands.measured() if has_any else {})
            except (OSError, ValueError) as err:
                log.warning("update: what runs cannot be told: %s", err)
            else:
                if encode(report) != self._software and self._append(ItemKind.SOFTWARE, report):
                    self._software = encode(report)
            with suppress(TimeoutError):
                async with asyncio.timeout(MEASURE_EVERY_S):
                    await self._software_due.wait()

    async def _rest(self) -> None:
        node = self._job
        wait_s = IDLE_S if self._recent is None else TICK_S
        if node is not None:
            due_ms = node.due_ms
            now_ms = self._clock.boot_ms()
            wait_s = TICK_S if due_ms is None else min(TICK_S, max(due_ms - now_ms, 0) / 1_000)
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            self._events.append(core.Tick(self._clock.wall_ms()))
        self._wake.clear()


@dataclass(frozen=True, slots=True)
class _Learnt:
    """A step has learnt something of the release; it comes before the step's own end."""

    kept: Kept


@dataclass(frozen=True, slots=True)
class _Held:
    """A person holds this node, or no more."""

    hold: Hold | None


def _plan(offer: Offer, kept: Kept) -> Plan:
    return Plan(offer.job, offer.attempt, kept.reboot, kept.drain, offer.not_after_ms)


def _is_over(node: Node) -> bool:
    """Say whether an order to go back would be refused: it goes back already, or is committed."""
    state = node.state
    return state.failure is not None or state.committed or state.step is Step.COMMIT


def _head(node: Node) -> Head:
    state = node.state
    failure = "" if state.failure is None else str(state.failure)
    return Head(state.step, node.outcome, failure, state.committed, state.stuck)
