"""The feed to the NOC's broker: retained state, every transition, incidents, events, summaries.

One connection feeds every tree: the whole one, the collapsed one where somebody reads it, and one
for each tenant. At each connect the retained trees are read once, ghosts are deleted and what is
missing is published. Leaves to others: the connection itself (noc_line), what a tree looks like
(noc_branch), what the logs say (noc_log).
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import aiomqtt
import msgspec

from roost_central.access.chain import START
from roost_central.alarms.transition import Transition
from roost_central.errors import StorageError
from roost_central.fleet.view import Changes, FleetView
from roost_central.northbound import noc_head, noc_line, noc_log, noc_tree
from roost_central.northbound.config import NocBrokerConfig
from roost_central.northbound.core import LINE_RETRIES_S, retry_ms
from roost_central.northbound.feed import AlarmFeed, flatten
from roost_central.northbound.hold import Hold, is_untold
from roost_central.northbound.noc_branch import Branch, Present
from roost_central.northbound.noc_line import IN_FLIGHT_MAX, Line
from roost_central.northbound.noc_log import LogReader
from roost_central.northbound.noc_sites import SiteStates
from roost_central.northbound.noc_tenants import Tenancy
from roost_central.northbound.noc_tree import Message
from roost_central.northbound.target import TargetState
from roost_central.ports import Clock, Entropy
from roost_central.storage import audit
from roost_central.storage.engine import Database
from roost_protocol import __version__

logger = logging.getLogger(__name__)

BATCH: Final = 200  # transitions read at once
BACKLOG_MAX: Final = 10_000  # after a longer pause the stream begins later; the state is whole
SUMMARY_S: Final = 5.0  # at most one summary in this time
TICK_S: Final = 1.0
LOOK_S: Final = 60.0  # all sites are looked at, also those that nobody said had changed


class NocFeed:
    """The target ``mqtt``; ``root`` vouches for the broker where that has TLS."""

    def __init__(  # noqa: PLR0913 - the parts of a shell
        self,
        config: NocBrokerConfig,
        password: str,
        state: TargetState,
        *,
        view: FleetView,
        database: Database,
        clock: Clock,
        entropy: Entropy,
        root: Path | None = None,
    ) -> None:
        self.state = state
        self.sessions = 0
        self._root = root
        self._config = config
        self._password = password
        self._feed: AlarmFeed = state.feed
        self._view = view
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._line: Line | None = None
        self._states = SiteStates(view, clock)
        self._log = LogReader()
        self._whole = Branch(values=config.values)
        self._tenants = {tenant.name: Tenancy(tenant.query) for tenant in config.tenants}
        self._branches = self._grown()
        self._collapsed = [branch for branch in self._branches if branch.collapses]
        self._hold = Hold(self._feed.is_candidate)  # for those; the others show what is, at once
        self._order = asyncio.Lock()  # a message made earlier is never published later
        self._touched: dict[str, None] = {}  # sites that a tenant may have gained or lost
        self._touched_seq: int | None = None

    async def run(self) -> None:
        """See Target."""
        while True:
            try:
                await self._session()
            except* (aiomqtt.MqttError, TimeoutError, OSError) as errors:
                self.state.failed(_first(errors))
            finally:
                self._line = None
            failures = max(1, self.state.health.failures)
            dice = self._entropy.uniform(0, 1)
            await asyncio.sleep(retry_ms(LINE_RETRIES_S, failures, dice) / 1000)

    async def test(self) -> str:
        """See Target."""
        if self._line is None:
            return self.state.health.last_error or "not connected"
        try:
            await self._publish([self._status("online")])
        except (aiomqtt.MqttError, TimeoutError) as err:
            return str(err) or "no answer"
        return ""

    async def _session(self) -> None:
        """Connect, make the tree true, then follow until the connection is lost."""
        async with noc_line.connected(self._config, self._password, self._root) as line:
            with self._view.listen() as touched:
                await self._follow_all(line, touched)

    async def _follow_all(self, line: Line, touched: Changes) -> None:
        retained = await line.retained(
            f"{branch.root}/{each}" for branch in self._branches for each in noc_tree.RETAINED
        )
        self._line = line
        self._review_tenants(self._view.sites)
        self._states.review()
        at, present = self._feed.last_seq, self._present()
        truth = [
            each for branch in self._branches for each in branch.truth(present, self._states.states)
        ]
        changes = noc_tree.rebuild(retained, truth)
        logger.info("the NOC's trees: %d topics, %d to change", len(truth), len(changes))
        self.state.moved(at - BACKLOG_MAX)
        await line.paced(changes)
        await self._publish([self._status("online")])
        self.state.worked(0)
        self.sessions += 1
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.watch(), name="northbound.mqtt.watch")
            tasks.create_task(self._follow(), name="northbound.mqtt.follow")
            tasks.create_task(self._follow_log(), name="northbound.mqtt.log")
            tasks.create_task(self._tick(touched), name="northbound.mqtt.tick")

    def _grown(self) -> list[Branch]:
        """Return the trees that somebody may read, the whole one first."""
        branches = [self._whole]
        if self._config.collapsed_readers:
            collapsed = Branch(noc_tree.COLLAPSED, collapse=True, values=self._config.values)
            branches.append(collapsed)
        return branches + [
            Branch(
                noc_tree.tenant_root(tenant.name),
                collapse=tenant.collapse,
                selects=self._tenants[tenant.name],
                values=self._config.values,
            )
            for tenant in self._config.tenants
        ]

    def _present(self) -> Present:
        feed, seq = self._feed, self._feed.last_seq
        return Present(
            alarms=feed.open_alarms(),
            incidents=[feed.flat_incident(each, "change", seq) for each in feed.open_incidents()],
            flat=lambda row: feed.flat(row, "change", seq),
            seq=seq,
            waits=self._hold.has,
        )

    async def _follow(self) -> None:
        """Publish transitions as they are committed."""
        while True:
            await self._feed.wait(self.state.cursor)
            changes = await self._feed.transitions(self.state.cursor, BATCH)
            if not changes:  # what the cursor points at is not kept any more
                self.state.moved(self._feed.last_seq)
                continue
            async with self._order:
                await self._publish(self._messages(changes))
            self.state.worked(len(changes))
            self.state.moved(changes[-1].seq)

    def _messages(self, changes: Sequence[Transition]) -> list[Message]:
        """Return the messages of transitions, for every tree."""
        now_ms = self._clock.boot_ms()
        partial = [branch for branch in self._branches if branch.is_partial]
        messages: list[Message] = []
        if any(change.incident is not None for change in changes):
            messages += self._refreshed(partial)
        for change in changes:
            kept = self._collapsed and self._hold.keeps(change)
            branches = [each for each in self._branches if not (kept and each.collapses)]
            messages += self._changed(change, branches, now_ms)
        return messages + self._refreshed([branch for branch in partial if branch.is_behind])

    def _changed(
        self, change: Transition, branches: Sequence[Branch], now_ms: int
    ) -> list[Message]:
        flat = flatten(self._feed, change)
        if flat is None:
            return []
        return [each for branch in branches for each in branch.changed(flat, now_ms)]

    def _released(self) -> list[Message]:
        """Return the messages of what no storm took; of one that did its incident tells."""
        now_ms = self._clock.boot_ms()
        messages: list[Message] = []
        for steps in self._hold.due(is_behind=self.state.cursor < self._feed.last_seq):
            if is_untold(steps):
                for branch in self._collapsed:
                    branch.pass_over(steps)
                continue
            for change in steps:
                messages += self._changed(change, self._collapsed, now_ms)
        return messages

    def _refreshed(self, branches: Sequence[Branch]) -> list[Message]:
        present = self._present() if branches else None
        if present is None:
            return []
        return [each for branch in branches for each in branch.refresh(present)]

    async def _follow_log(self) -> None:
        """Publish what the event log and the audit log are given, within a second."""
        heads = noc_head.HeadNews()
        while True:
            try:
                async with self._database.read() as connection:
                    await self._log.begin(connection)
                    found, acts = await self._log.read(connection)
                    head = await audit.anchor(connection, audit.HEAD) or START
            except StorageError as err:
                logger.warning("the event log cannot be read for the NOC: %s", err)
                found, acts, head = [], [], None
            trees = [(branch.root, branch.selects) for branch in self._branches]
            await self._publish(noc_log.messages(found, acts, trees))
            if head is not None and heads.due(head, self._clock.boot_ms()):
                await self._publish([noc_head.head_message(head, self._clock.wall_ms())])
            self._log.passed(found, acts)
            if len(found) < noc_log.BATCH and len(acts) < noc_log.BATCH:
                await asyncio.sleep(TICK_S)

    async def _tick(self, touched: Changes) -> None:
        """Empty what was cleared a minute ago; tell sites and summaries where they changed."""
        told_ms = looked_ms = -(1 << 40)
        while True:
            now_ms = self._clock.boot_ms()
            is_time = now_ms - told_ms >= SUMMARY_S * 1000
            changes, is_whole = touched.drain(), now_ms - looked_ms >= LOOK_S * 1000
            looked_ms = now_ms if is_whole else looked_ms
            async with self._order:
                summaries = self._summaries() if is_time else []
                await self._publish([*self._released(), *self._regrown(changes), *summaries])
            told_ms = now_ms if summaries else told_ms
            changed = self._states.review(None if is_whole else self._states.touched(changes))
            for branch in self._branches:
                branch.touch_sites(changed)
            count = IN_FLIGHT_MAX
            while count:
                count = await self._tell_due(now_ms)
                await asyncio.sleep(count / noc_line.REBUILD_RATE)
            await asyncio.sleep(TICK_S)

    async def _tell_due(self, now_ms: int) -> int:
        """Publish a part of what time and sites bring; returns how much, 0 at its end."""
        async with self._order:
            messages: list[Message] = []
            for branch in self._branches:
                messages += branch.emptied(now_ms, IN_FLIGHT_MAX - len(messages))
                messages += branch.sites(self._states.states, IN_FLIGHT_MAX - len(messages))
            await self._publish(messages)
        return len(messages) if len(messages) >= IN_FLIGHT_MAX else 0

    def _regrown(self, changes: Changes) -> list[Message]:
        """Return what changes in tenants' trees because a site became theirs, or was.

        Not before what the site's alarms did until then is told: the ends of a removed one's.
        """
        if changes.sites or changes.structure:
            self._touched |= changes.sites
            self._touched_seq = self._feed.last_seq
        if self._touched_seq is None or self.state.cursor < self._touched_seq:
            return []
        touched, self._touched, self._touched_seq = self._touched, {}, None
        changed = self._review_tenants(touched)
        for branch in changed:
            branch.touch_sites(self._view.sites)
        return self._refreshed(changed)

    def _review_tenants(self, touched: Iterable[str]) -> list[Branch]:
        """Look again which sites are whose; returns the trees of tenants that gained or lost."""
        sites, names = self._view.sites, list(touched)
        changed = [t for t in self._tenants.values() if t.review(sites, names)]
        return [branch for branch in self._branches if branch.selects in changed]

    def _summaries(self) -> list[Message]:
        """Return the summary of each tree, where it is another one."""
        fleet = self._feed.flat_summary()
        messages: list[Message] = []
        for branch in self._branches:
            own = branch.selects
            summary = self._feed.flat_summary(own.selected) if isinstance(own, Tenancy) else fleet
            messages += branch.summary(summary)
        return messages

    def _status(self, state: str) -> Message:
        ts = self._clock.wall_ms() // 1000
        status = noc_tree.Status(state, __version__, ts)
        return Message(noc_tree.STATUS, msgspec.json.encode(status))

    async def _publish(self, messages: Iterable[Message]) -> None:
        if self._line is None:
            raise aiomqtt.MqttError("not connected")
        await self._line.publish(messages)


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    """Return the words of the first error in a group of groups."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or "no answer in time"
