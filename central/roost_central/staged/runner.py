"""Moves staged changes on: counts what their nodes say, and keeps where each change stands.

The core decides (core.py). Where a change stands is written before its next group is let have it;
a centre that was killed goes on from there.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.delivery.core import Word
from roost_central.delivery.runner import DeliveryRunner, sliced
from roost_central.errors import NotFoundError, StorageError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.staged import core
from roost_central.staged.core import NAMED_MAX, StagedChange, State, Tally
from roost_central.staged.open import OpenChange, OpenChanges
from roost_central.staged.words import STOPPED_TYPE, entity_of_change, event_of
from roost_central.storage import audit, events, staged
from roost_central.storage.engine import Database
from roost_protocol.severity import Severity

logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0  # soaks are minutes
REST: Final = 20  # times as long as a turn took: a change of the whole fleet costs 5 % of a core


class StagedRunner:
    """Works on the changes that are open.

    Args:
        changes: the open ones; loaded already.
        deliveries: knows what nodes say.
    """

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        database: Database,
        view: FleetView,
        book: AlarmBook,
        clock: Clock,
        *,
        changes: OpenChanges,
        deliveries: DeliveryRunner,
    ) -> None:
        self.changes = changes
        self._database = database
        self._view = view
        self._book = book
        self._clock = clock
        self._deliveries = deliveries
        self._moving = asyncio.Lock()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            begun_s = asyncio.get_running_loop().time()
            try:
                await self.turn()
            except StorageError as err:
                logger.warning("staged changes: tried again: %s", err)
            spent_s = asyncio.get_running_loop().time() - begun_s
            await asyncio.sleep(max(LOOK_S, spent_s * REST))

    async def turn(self) -> None:
        """Move each change by what its nodes say now.

        Raises:
            StorageError: it is done with the next turn.
        """
        for known in self.changes.all():
            if known.change.state is not State.RUNNING:
                continue
            tally = await self.tally(known)
            async with self._moving:
                after = core.step(known.change, tally, self._clock.wall_ms())
                if after != known.change:
                    await self._keep(known.change, after, None)

    async def tally(self, known: OpenChange) -> Tally:
        """Count what the nodes of a change say whose turn has come."""
        seen = Tally()
        failed: set[str] = set()
        told: set[str] = set()
        has_had = [node for node, each in known.nodes.items() if known.change.has_had(each.stage)]
        async for node in sliced(has_had):
            if node not in self._view.nodes:
                continue
            word, is_heard = self._deliveries.word_past(node, known.nodes[node].former_generation)
            if word is Word.FAILED:
                failed.add(node)
            if word not in {Word.UNABLE, Word.NONE}:  # what these suffer from is not the change
                told.add(node)
            if known.nodes[node].stage == known.change.stage:
                seen = _counted(seen, word, is_heard=is_heard)
        worse = self._worse(known) & told - failed
        named = tuple(sorted(failed | worse)[:NAMED_MAX])
        return replace(seen, failed=len(failed), worse=len(worse), named=named)

    async def pause(self, change: str, why: str, act: Act) -> StagedChange:
        """Let no other group have it until somebody resumes it.

        Raises:
            NotFoundError: no such change is open.
            ChangeMoveError: it is not running.
        """
        async with self._moving:
            known = self._known(change)
            after = core.pause(known.change, why, self._clock.wall_ms())
            return await self._keep(known.change, after, act)

    async def resume(self, change: str, act: Act) -> StagedChange:
        """Let it go on; the nodes that failed until now are accepted.

        Raises:
            NotFoundError: no such change is open.
            ChangeMoveError: it neither rests nor was stopped.
        """
        tally = await self.tally(self._known(change))
        async with self._moving:
            known = self._known(change)
            after = core.resume(known.change, tally, self._clock.wall_ms())
            return await self._keep(known.change, after, act)

    async def abort(self, change: str, why: str, act: Act) -> StagedChange:
        """Let it go no further.

        Raises:
            NotFoundError: no such change is open.
            ChangeMoveError: it is aborted already.
        """
        async with self._moving:
            known = self._known(change)
            after = core.abort(known.change, why, self._clock.wall_ms())
            return await self._keep(known.change, after, act)

    async def rolled_back(self, change: str, why: str) -> StagedChange:
        """End it: its profiles are as they were, and that is stored.

        Raises:
            NotFoundError: no such change is open.
            ChangeMoveError: it is at its end.
        """
        async with self._moving:
            known = self._known(change)
            after = core.rolled_back(known.change, why, self._clock.wall_ms())
            return await self._keep(known.change, after, None)

    def _known(self, change: str) -> OpenChange:
        known = self.changes.find(change)
        if known is None:
            raise NotFoundError("change", field="change", got=change)
        return known

    async def _keep(
        self, before: StagedChange, after: StagedChange, act: Act | None
    ) -> StagedChange:
        """Write where a change stands, then let those have it whose turn has come."""
        is_news = (before.state, before.stage) != (after.state, after.stage)
        async with self._database.write() as connection:
            await staged.save(connection, after)
            if is_news:
                await events.append(connection, [event_of(after, self._clock.wall_ms())])
            if act is not None:
                await audit.add(connection, act)
        let_go = self.changes.put(after)
        self._deliveries.desired_changed(let_go)
        if is_news:
            self._sign(after)
        return after

    def _sign(self, change: StagedChange) -> None:
        """Raise the alarm of a change that stopped, or end it."""
        if change.state is State.STOPPED:
            params = {"change": change.id, "reason": change.why}
            self._book.raise_own(STOPPED_TYPE, entity_of_change(change), Severity.MAJOR, params)
        else:
            self._book.clear_own(STOPPED_TYPE, entity_of_change(change), change.state)

    def _worse(self, known: OpenChange) -> set[str]:
        """Return the nodes with a critical alarm that is younger than the change."""
        found: set[str] = set()
        for row in self._book.open_alarms():
            if row.severity is Severity.CRITICAL and row.raised_ms >= known.change.made_ms:
                entry = known.nodes.get(row.node or "")
                if entry is not None and known.change.has_had(entry.stage):
                    found.add(entry.node)
        return found


def _counted(seen: Tally, word: Word, *, is_heard: bool) -> Tally:
    if word is Word.IN_SYNC:
        return replace(seen, in_sync=seen.in_sync + 1)
    if not is_heard or word in {Word.UNABLE, Word.NONE}:
        return replace(seen, dark=seen.dark + 1)
    if word is Word.FAILED:
        return seen
    if word is Word.WAITING:
        return replace(seen, shut=seen.shut + 1)
    return replace(seen, waiting=seen.waiting + 1)
