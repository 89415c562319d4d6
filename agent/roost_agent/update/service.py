"""Software updates at work on this node: the core of core.py joined to journal, root and reports.

One job at a time. What the core records is on the disk before anything that follows is begun. An
agent that was killed asks root how the step ended that it was in.

Leaves to others: what is taken up (intake.py), to keep (keeper.py) and to tell it (teller.py), what
a step does (hands.py), who may go down (site_job.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from roost_agent.alarms.service import Alarms
from roost_agent.errors import StorageError
from roost_agent.ports import Clock, Entropy
from roost_agent.update import events as ev
from roost_agent.update import inhibit, intake, words
from roost_agent.update.baseline import Baseline
from roost_agent.update.core import Node
from roost_agent.update.events import Plan
from roost_agent.update.freshness import Freshness
from roost_agent.update.hands import Hands
from roost_agent.update.holds import Holds
from roost_agent.update.intake import RejectedError
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Hold, Kept, Open
from roost_agent.update.lending import Lending
from roost_agent.update.receipts import Receipts
from roost_agent.update.site_job import Verdict
from roost_agent.update.site_standing import Apply, Head, Role, apply_of
from roost_agent.update.software import Software
from roost_agent.update.step import Step, Who
from roost_agent.update.teller import Teller
from roost_protocol.errors import ProtocolError
from roost_protocol.update import IGNORED, NodeSaid, Offer, SiteState, WaitReason, read_offer

log = logging.getLogger(__name__)

FAILED: Final = "900.021"
ROLLED_BACK: Final = "900.801"
STUCK: Final = "900.804"
TYPES: Final = frozenset({FAILED, ROLLED_BACK, STUCK})
TICK_S: Final = 2.0
IDLE_S: Final = 3_600.0
TELL_S: Final = 5.0  # for the centre to hear that a release goes in; with no way to it nobody waits
TELL_STEP_S: Final = 0.05
GOES_IN: Final = frozenset({Step.DRAIN, Step.INSTALL})


class Coordinator(Protocol):
    """Who lets this node go on: its site's coordinator, or itself where it is alone."""

    def ask(self, offer: Offer, kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """Return the coordinator's epoch, and where the site's job is."""

    @property
    def role(self) -> Role:
        """What this node is for in its site."""

    async def look(self, offer: Offer) -> None:
        """Look at what ``ask`` goes by and cannot wait for, such as who keeps the clock."""

    def is_reached(self) -> bool:
        """Say whether this node beats on any path."""

    def baseline(self) -> Baseline:
        """Return what runs and is raised on this node now."""


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
        self._node_id = node
        self._boot_id = boot_id
        self._hands = hands
        self._keeper = keeper
        self._coordinator = coordinator
        self._teller = teller
        self._receipts = receipts
        self._alarms = alarms
        self._clock = clock
        self._events: deque[ev.Event | _Learnt | _Held] = deque()
        self._wake = asyncio.Event()
        self._taking = asyncio.Lock()  # offers, one after the other
        self._is_open = asyncio.Event()
        self._job: Node | None = None
        self._offer: Offer | None = None
        self._kept = Kept()
        self._recent: tuple[Offer, Kept, Node] | None = (
            None  # of the site, which may be at it still
        )
        self._holds = Holds(keeper, inhibits, clock)
        self._verdict: Verdict | None = None
        self._is_new = False
        self._act: asyncio.Task[None] | None = None
        self._software = Software(hands, teller)
        self._freshness = Freshness(hands.refreshed, alarms, entropy)

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
        await self._is_open.wait()
        async with self._taking:
            if self.knows(job, attempt):
                return "accepted"
            self._check(offer)
            if words.is_running(offer, self._hands.installed()):
                text = f"{words.release_of(offer)} runs already"
                return await self._unneeded(offer, body, text)
            role = self._coordinator.role
            if apply_of(offer, role) is Apply.IGNORE:
                text = f"its role is {role}, which the plan leaves out"
                return await self._unneeded(offer, body, text, step=IGNORED)
            try:
                await self._keeper.begin(job, attempt, body)
            except StorageError as err:
                raise RejectedError("journal", str(err)) from err
            self._begin(Open(job, attempt, body, Kept(), None), offer)
        log.info("update: job %s.%d taken: %s", job, attempt, words.release_of(offer))
        return "accepted"

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
        nodes = [NodeSaid(self._node_id, step)] if step else []
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
        now_ms, kept = self._clock.boot_ms(), Kept(drain=True, had=True)
        state = ev.State(Step.END, now_ms, self._boot_id, committed=True)
        found = Open(offer.job, offer.attempt, body, kept, state)
        record = ev.Record(state, None, text)
        try:
            await self._keeper.have(found, record, self._clock.wall_ms(), "succeeded")
        except StorageError as err:
            raise RejectedError("journal", str(err)) from err
        self._recent = (offer, kept, Node(_plan(offer, kept), state, self._boot_id, now_ms))
        self._wake.set()

    async def cancel(self, job: str) -> str:
        """Give a job up; return how.

        Raises:
            RejectedError: it is not known, has ended, or cannot be given up any more.
        """
        await self._is_open.wait()
        offer, node = self._offer, self._job
        if offer is None or node is None or offer.job != job:
            known = bool(self._keeper.attempts(job))
            raise RejectedError(
                "ended" if known else "unknown",
                f"job {job} {'has ended here' if known else 'is not in the journal of this node'}",
            )
        if node.state.committed or node.state.step is Step.COMMIT:
            text = "it is committed on this node"
            self._teller.answer(offer, SiteState.CANCEL_REJECTED, text, is_mine=True)
            raise RejectedError("committed", "it is past its commit: a job to go back may follow")
        self._put(ev.Cancel())
        return "it is given up at the end of the step that is under way"

    def knows(self, job: str, attempt: int) -> bool:
        """Say whether the journal has a job."""
        return attempt in self._keeper.attempts(job)

    def hold(self, until_ms: int, why: str) -> None:
        """Let nothing go in until then (UTC, ms), HOLD_MS_MAX at most; 0 ends it."""
        self._put(_Held(self._holds.set(until_ms, why)))

    def status(self) -> dict[str, Any]:
        """Return where it is, as plain data."""
        offer, node = self._offer, self._job
        self._holds.look()
        hold = self._holds.now
        found: dict[str, Any] = {
            "hold": None if hold is None else msgspec.to_builtins(hold),
            "faults": self._holds.faults,
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
            group.create_task(self._software.run(), name="agent.update.software")
            group.create_task(self._freshness.run(), name="agent.update.freshness")
            lending = Lending(self._hands.lend, lambda: self._job)
            group.create_task(lending.run(), name="agent.update.lend")
            if self._recent is not None and self._job is None:  # it ended before it was vouched for
                self._vouch(*self._recent, group)
            while True:
                while self._events:
                    await self._handle(self._events.popleft(), group)
                if self._job is not None and self._job.state.step is Step.STAGED:
                    await self._holds.looked()
                if self._recent is not None and self._is_of_these_days(self._recent[0]):
                    await self._coordinator.look(self._recent[0])
                self._look_at_site()
                if not self._events:
                    await self._rest()

    def _is_of_these_days(self, offer: Offer) -> bool:
        return self._clock.wall_ms() < offer.not_after_ms

    async def _open(self) -> None:
        """Open the journal, and go on with what is in it."""
        found = await self._keeper.open()
        if found is not None:
            await self._resume(found)
        self._is_open.set()

    async def _resume(self, found: Open) -> None:
        """Go on with a job of the journal, or remember one that has ended here."""
        try:
            offer = read_offer(found.offer)
        except ProtocolError as err:
            log.error("update: job %s is given up, it cannot be read: %s", found.job, err)  # noqa: TRY400
            await self._keeper.give_up(found)
            return
        self._begin(found, offer)
        assert self._job is not None  # noqa: S101 - it was begun
        if self._job.is_ended:
            self._offer, self._job = None, None
            self._events.clear()

    def _begin(self, found: Open, offer: Offer) -> None:
        self._offer, self._kept, self._verdict = offer, found.kept, None
        plan = _plan(offer, found.kept)
        self._job = Node(plan, found.state, self._boot_id, self._clock.boot_ms())
        self._recent = (offer, found.kept, self._job)
        self._is_new = found.state is None
        self._teller.begin(self._keeper.lines)
        self._put(ev.Started(self._boot_id))

    def _check(self, offer: Offer) -> None:
        """Refuse what cannot be begun; of what may come again the centre is told when.

        Raises:
            RejectedError: why not.
        """
        try:
            intake.check(
                offer, self._node_id, attempts=self._keeper.attempts(offer.job),
                under_way=self._offer, now_ms=self._clock.wall_ms(),
            )  # fmt: skip
        except RejectedError as err:
            if err.retry_at_ms:
                self._teller.answer(
                    offer, SiteState.REJECTED, str(err), retry_at_ms=err.retry_at_ms,
                    is_mine=self._is_mine(offer),
                )  # fmt: skip
            raise

    def _is_mine(self, offer: Offer) -> bool:
        return self._offer is not None and self._offer.job == offer.job

    def _put(self, event: "ev.Event | _Learnt | _Held") -> None:
        self._events.append(event)
        self._wake.set()

    async def _handle(self, event: "ev.Event | _Learnt | _Held", group: asyncio.TaskGroup) -> None:
        if isinstance(event, _Held):
            await self._keeper.set_hold(event.hold)
            return
        node, offer = self._job, self._offer
        if node is None or offer is None:
            return
        if isinstance(event, _Learnt):
            await self._learn(node, offer, event.kept)
            return
        if isinstance(event, ev.Go):  # what it is measured by is on the disk before
            was_reached, before = self._coordinator.is_reached(), self._coordinator.baseline()
            kept = replace(self._kept, was_reached=was_reached, before=before)
            await self._learn(node, offer, kept)
        now_ms = self._clock.boot_ms()
        if self._is_new:
            self._is_new = False
            actions = node.start(now_ms)
        else:
            actions = node.handle(event, now_ms)
        for action in actions:
            await self._do(action, group)
        if isinstance(event, ev.Cancel) and node.state.step is Step.DOWNLOAD:
            self._stop()  # it may wait for days for a mirror
            self._put(ev.Did(node.key, Who.NODE))
        self._report()
        if node.is_ended:
            await self._end(node, offer)
            self._vouch(offer, self._kept, node, group)

    async def _do(self, action: ev.Action, group: asyncio.TaskGroup) -> None:
        match action:
            case ev.Record():
                await self._record(action)
            case ev.Do():
                assert self._offer is not None  # noqa: S101 - its core has spoken
                log.info("update: %s", action.step)
                self._start(self._acted(action, self._offer, self._kept), group, action.key)
            case ev.Ask(key):
                self._start(self._asked(key), group, key)
            case ev.Alarm(name, detail):
                log.error("update: %s: %s", name, detail)
                if name == "rollback-failed":
                    self._raise(STUCK, detail)
            case ev.Refused(why):
                log.info("update: %s", why)

    async def _record(self, record: ev.Record) -> None:
        """Bring a line to the disk: nothing goes on before it is there."""
        node, offer = self._job, self._offer
        assert node is not None and offer is not None  # noqa: S101, PT018 - its core has spoken
        outcome = node.outcome if record.state.step is Step.END else ""
        await self._keeper.record(offer, record, self._clock.wall_ms(), outcome)
        self._teller.begin(self._keeper.lines)

    async def _learn(self, node: Node, offer: Offer, learnt: Kept) -> None:
        """Keep what is known of the release, before anything goes by it."""
        if learnt == self._kept:
            return
        await self._keeper.learn(offer, learnt)
        self._kept = learnt
        self._recent = (offer, learnt, node)
        node.plan = _plan(offer, learnt)

    def _start(self, act: Coroutine[Any, Any, None], group: asyncio.TaskGroup, key: str) -> None:
        """Begin what a step does; what another step was doing ends."""
        self._stop()
        self._act = group.create_task(act, name=f"agent.update.{key.split('.')[2]}")

    def _stop(self) -> None:
        if self._act is not None:
            self._act.cancel()

    async def _acted(self, todo: ev.Do, offer: Offer, kept: Kept) -> None:
        if todo.step in GOES_IN:
            await self._until_told()
        did, learnt = await self._hands.do(todo, offer, kept)
        self._put(_Learnt(learnt))
        self._put(did)

    async def _until_told(self) -> None:
        """Let the centre hear that a release goes in, before it does.

        A node that falls silent by it would else count as one whose network failed while it waited.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(TELL_S):
                while (  # noqa: ASYNC110 - receipts change it, nothing is set
                    self._coordinator.is_reached() and not self._teller.is_told
                ):
                    await asyncio.sleep(TELL_STEP_S)

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
        epoch, verdict = self._coordinator.ask(offer, kept, _head(node), self._holds.now)
        if self._job is None:
            return
        self._verdict = verdict
        if self._node_id in verdict.go and node.state.step is Step.STAGED:
            self._put(ev.Go(epoch))
        elif self._node_id in verdict.back and not node.state.canceled and not _is_over(node):
            self._put(ev.Cancel(verdict.sentence))
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
        self._offer, self._job, self._verdict = None, None, None
        await asyncio.to_thread(self._hands.forget_blobs)
        self._software.changed()
        self._freshness.doubt()

    def _vouch(self, offer: Offer, kept: Kept, node: Node, group: asyncio.TaskGroup) -> None:
        if not kept.had and self._receipts.is_missing(offer):
            group.create_task(self._vouched(offer, node), name="agent.update.receipt")

    async def _vouched(self, offer: Offer, node: Node) -> None:
        """Sign how a job ended, and tell; the next job's reports have it with them, too."""
        if await self._receipts.make(offer, node.outcome) and self._job is None:
            self._report_of(node, offer)

    def _raise(self, type_: str, detail: str) -> None:
        release = "" if self._offer is None else words.release_of(self._offer)
        self._alarms.raise_condition(type_, {"release": release, "reason": detail})

    def _report(self) -> None:
        """Tell where the job is, where that is news."""
        if self._job is not None and self._offer is not None:
            self._report_of(self._job, self._offer)

    def _report_of(self, node: Node, offer: Offer) -> None:
        nodes = [words.said(self._node_id, node, self._keeper.receipt)]
        said = words.report(offer, node, nodes, self._verdict, 0)
        if self._hands.short_of and node.state.step is Step.DOWNLOAD:
            said = replace(
                said, state=SiteState.WAITING, wait=WaitReason.BUDGET,
                detail=words.cut(self._hands.short_of),
            )  # fmt: skip
        self._teller.report(replace(said, install=self._receipts.newest))

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
            self._events.append(ev.Tick(self._clock.wall_ms()))
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
