"""Takes profiles from people, and keeps what each node should be: the shell around the cores.

Invariants: a change of profiles is refused whole, before anything of it is written, where one node
concerned cannot have it; profiles are written with their audit row first and what nodes should be
after them, so that a process that ends in between goes on at its next start: everything is compiled
then. Nothing here waits for a node.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.errors import RevisionConflictError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.profiles.change import REMOVED, Change, Wanted, change_of, read_all
from roost_central.profiles.core import Compilation, compile_profiles, parts_asked
from roost_central.profiles.desired import document_of
from roost_central.profiles.draft import Plan, concerned, work_out
from roost_central.profiles.drafted import Drafted
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.layer import Profile, ProfileChange, ProfileRecord
from roost_central.profiles.ledger import Ledger
from roost_central.profiles.possible import Machine, needs_inventory
from roost_central.profiles.possible_names import Names, ha_names
from roost_central.profiles.selector import Subject
from roost_central.profiles.settle import Cause, Writes, settle
from roost_central.profiles.source import ProfileError
from roost_central.rollout.holding import Holding
from roost_central.storage import audit, desired, profiles, rollout_changes
from roost_central.storage.engine import Database
from roost_central.storage.rollout_changes import FormerNode
from roost_protocol.beat import PathKind
from roost_protocol.profile.document import settings_digest
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

BY_ITSELF: Final = "central"  # who changes what nodes should be when labels or nodes are others
WHY_BY_ITSELF: Final = "labels, nodes or what they are made of are others"
PREVIEWS_MAX: Final = 2  # at a time: each is a second of a core for 50,000 nodes; others wait

Note = Callable[[Plan], Act]  # the row of the audit log
Changed = Callable[[Collection[str]], None]
May = Callable[[Profile], ProfileFault | None]  # why somebody may not change a profile


@dataclass(frozen=True, slots=True)
class Approval:
    """Who stands behind a change.

    Attributes:
        expect: how many nodes are to change; None: any.
        undoes: the rollout that this one rolls back; empty: none.
        rollout: that lets each node have it in its turn; empty: none.
    """

    by: str
    reason: str
    expect: int | None = None
    undoes: str = ""
    rollout: str = ""


class ProfileDesk:
    """Profiles as people see them, and what they make of the fleet.

    Attributes:
        holding: the nodes that rollouts of profiles hold back.
        on_changed: told which nodes should be something else, once that is written.
    """

    def __init__(
        self,
        database: Database,
        view: FleetView,
        clock: Clock,
    ) -> None:
        self.holding = Holding()
        self._database = database
        self._view = view
        self._clock = clock
        self._ledger = Ledger(database)
        self._changing = asyncio.Lock()
        self._looking = asyncio.Semaphore(PREVIEWS_MAX)
        self._is_behind = False
        self._asks_inventory = True  # until it is known
        self._turn = 0  # +1 when something was compiled for good
        self._drafted: Drafted | None = None  # of the last preview that somebody is to apply
        self.on_changed: Changed = lambda _nodes: None

    @property
    def asks_inventory(self) -> bool:
        """Whether a profile is for nodes by what they are made of, as of the last compilation."""
        return self._asks_inventory

    @property
    def is_behind(self) -> bool:
        """Whether profiles count that nodes were not compiled for, and nobody is at it."""
        return self._is_behind and not self._changing.locked()

    async def preview(self, wanted: Wanted, may: May, *, is_kept: bool = False) -> Plan:
        """Return what a change would do; what is wrong with it is in the plan.

        Args:
            wanted: the change.
            may: why who asks may not change a profile.
            is_kept: it is about to be applied, and need not be worked out again then.

        Raises:
            NotFoundError: one that is to go is not there.
        """
        async with self._looking:
            try:
                drafted = await self._draft(wanted, may, Cause(self._clock.wall_ms(), "", ""))
            except ProfileError as err:
                return Plan(faults=err.faults)
            if is_kept:
                self._drafted = drafted
            return drafted.plan

    async def apply(self, wanted: Wanted, may: May, approval: Approval, note: Note) -> Plan:
        """Make a change count, and compile what nodes should be.

        Raises:
            ProfileError: it is refused; nothing is changed.
            NotFoundError: one that is to go is not there.
            RevisionConflictError: ``expect``: another number of nodes would change; ``profiles``:
                another change came in between; ``rollout``: it would cross one that is open.
        """
        async with self._changing:
            cause = Cause(self._clock.wall_ms(), approval.by, approval.reason)
            drafted = await self._draft_of(wanted, may, cause)
            change, revisions, plan = drafted.change, drafted.revisions, drafted.plan
            writes = drafted.written_by(cause)
            if plan.faults:
                raise ProfileError(plan.faults)
            if approval.expect not in {None, plan.changed}:
                raise RevisionConflictError(
                    "expect", field="expect", bound=approval.expect, got=plan.changed
                )
            ended = {*self.holding.superseded(change.outcomes), approval.undoes} - {""}
            self._check_open(change, writes, ended)
            async with self._database.write() as connection:
                if await profiles.revisions(connection) != revisions:
                    raise RevisionConflictError("profiles", field="profiles")
                await _write_texts(connection, change, revisions, cause)
                former = await self._begin(connection, change, revisions, writes, approval)
                for id_ in ended:
                    await rollout_changes.drop_nodes(connection, id_)
                await audit.add(connection, note(plan))
            if (
                approval.rollout
            ):  # who is held by another one is held by this one, or has nothing new
                self._let_go(ended)
                self.holding.add(approval.rollout, change.outcomes, former)
            self._is_behind = True
            self._asks_inventory = bool(parts_asked(change.result))
            self._turn += 1
            await self._ledger.write(writes)
            self._is_behind = False
            self._told(writes, self._let_go(ended))
        return plan

    async def count(self, kept: list[Profile], view: FleetView) -> dict[str, int]:
        """Return for how many nodes of a view each profile is."""
        async with self._looking:
            return (await self._compiled(kept, view=view)).matched

    async def refresh(self, sites: Collection[str] | None = None) -> int:
        """Compile anew for some sites or for all; return how many nodes change.

        For labels and nodes that are others, and after a process that ended in between.
        """
        async with self._changing:
            async with self._database.read() as connection:
                records = await profiles.load(connection)
            try:
                kept = await asyncio.to_thread(read_all, records)
            except ProfileError as err:
                logger.error(  # noqa: TRY400 - its text says all
                    "nodes keep what they should be: a profile is not within the schema: %s", err
                )
                return 0
            self._asks_inventory = bool(parts_asked(kept))
            compilation = await self._compiled(kept, sites)
            await self._judge(
                compilation, [node for node in compilation.nodes if compilation.is_demanding(node)]
            )
            known = await self._ledger.known(None if sites is None else compilation.nodes.keys())
            cause = Cause(self._clock.wall_ms(), BY_ITSELF, WHY_BY_ITSELF)
            writes = await asyncio.to_thread(settle, compilation, known.heads, known.digests, cause)
            self._turn += 1
            await self._ledger.write(writes)
            self._is_behind = self._is_behind and sites is not None
            self._told(writes)
        for record in writes.records:
            if record.fault:
                logger.warning("%s keeps what it should be: %s", record.node, record.fault)
        return len(writes.changes)

    def _check_open(self, change: Change, writes: Writes, ended: Collection[str]) -> None:
        """Refuse what would smuggle a change that was stopped to the nodes that it has not reached.

        Raises:
            RevisionConflictError: ``rollout``.
        """
        nodes = [each.node for each in writes.changes]
        other, count = self.holding.in_the_way(nodes, change.names, ended)
        if other:
            raise RevisionConflictError("rollout", field=other, got=count)

    def _told(self, writes: Writes, let: Collection[str] = ()) -> None:
        if writes.records or let:
            self.on_changed({record.node for record in writes.records} | {*let})

    async def _begin(
        self,
        connection: AsyncConnection,
        change: Change,
        revisions: dict[str, int],
        writes: Writes,
        approval: Approval,
    ) -> list[FormerNode]:
        """Write what nodes keep until a rollout lets them have it; return that."""
        if not approval.rollout:
            return []
        before = {name: revisions.get(name, 0) for name in change.outcomes}
        for id_ in self.holding.superseded(change.outcomes):
            texts = await rollout_changes.texts_of(connection, id_)
            before |= (texts.revisions or {}) if texts is not None else {}
        texts = await rollout_changes.texts_of(connection, approval.rollout)
        if texts is not None:
            kept = msgspec.structs.replace(texts, revisions=before)
            await rollout_changes.save_texts(connection, approval.rollout, kept)
        nothing = document_of({}, {}, settings_digest({}))
        await desired.save_documents(connection, [nothing])
        had = {each.node: writes.former.get(each.node, (0, nothing.key)) for each in writes.changes}
        documents = await desired.documents(connection, {key for _, key in had.values()})
        former = [
            self._former(FormerNode(node, generation, documents[key].digest))
            for node, (generation, key) in had.items()
        ]
        former += self._resumed(change, writes)
        await rollout_changes.add_nodes(connection, approval.rollout, former)
        return former

    def _former(self, former: FormerNode) -> FormerNode:
        """Return what a node keeps; of one that is held back what it kept until now."""
        held = self.holding.former_of(former.node)
        if held is None or not self.holding.change_of(former.node):
            return former
        return replace(held, former_generation=former.former_generation)

    def _resumed(self, change: Change, writes: Writes) -> list[FormerNode]:
        """Return the nodes of aborted rollouts that have nothing new beside these."""
        fresh = {each.node for each in writes.changes}
        return [
            each
            for id_ in self.holding.superseded(change.outcomes)
            for each in self.holding.held_by(id_)
            if each.node not in fresh
        ]

    def _let_go(self, rollouts: Iterable[str]) -> list[str]:
        return [node for id_ in rollouts for node in self.holding.drop(id_)]

    async def _draft_of(self, wanted: Wanted, may: May, cause: Cause) -> Drafted:
        """Return what a change comes to, as it was just worked out or is now.

        Raises:
            ProfileError: see _change.
            NotFoundError: see _change.
        """
        drafted, self._drafted = self._drafted, None
        if drafted is None or not drafted.holds(wanted, self._turn):
            return await self._draft(wanted, may, cause)
        _check_may(drafted.change, may)
        return drafted

    async def _draft(self, wanted: Wanted, may: May, cause: Cause) -> Drafted:
        turn = self._turn
        change, revisions = await self._change(wanted, may)
        plan, writes = await self._worked_out(change, cause)
        return Drafted(wanted, turn, change, revisions, plan, writes)

    async def _change(self, wanted: Wanted, may: May) -> tuple[Change, dict[str, int]]:
        """Return the change that is asked, and the revisions that it was held against.

        Raises:
            ProfileError: a file is wrong by itself, or who asks may not.
            NotFoundError: one that is to go is not there.
        """
        async with self._database.read() as connection:
            records = await profiles.load(connection)
        change = await asyncio.to_thread(change_of, wanted, records)  # megabytes of TOML
        _check_may(change, may)
        return change, {record.name: record.revision for record in records}

    async def _worked_out(self, change: Change, cause: Cause) -> tuple[Plan, Writes]:
        """Return what a change does, and what is to be written for it."""
        compilation = await self._compiled(change.result)
        known = await self._ledger.known()
        nodes = await asyncio.to_thread(concerned, change, compilation, known)
        unchecked = await self._judge(
            compilation, [node for node in nodes if compilation.is_demanding(node)]
        )
        plan, writes = await asyncio.to_thread(work_out, change, compilation, known, nodes, cause)
        unable = sum(not self._takes_settings(record.node) for record in writes.records)
        resumed = [each.node for each in self._resumed(change, writes)]
        plan = replace(plan, unchecked=unchecked, unable=unable, resumed=resumed)
        nodes = plan.nodes
        sites = {split_node_id(node)[0] for node in nodes}
        return replace(plan, changed=len(nodes), sites=len(sites)), writes

    def _takes_settings(self, node: str) -> bool:
        row = self._view.nodes.get(node)
        return row is not None and row.config.applied_digest is not None

    async def _compiled(
        self,
        kept: list[Profile],
        sites: Collection[str] | None = None,
        view: FleetView | None = None,
    ) -> Compilation:
        subjects = list(_subjects(view or self._view, sites))
        parts = await asyncio.to_thread(parts_asked, kept)
        nodes = [subject.node for subject in subjects]
        answers = await self._ledger.answers(parts, nodes, self._clock.wall_ms())
        return await asyncio.to_thread(compile_profiles, kept, subjects, answers)

    async def _judge(self, compilation: Compilation, nodes: list[str]) -> int:
        """Note what nodes cannot be; return how many could not be judged."""
        machines = await self._ledger.machines(nodes)
        compilation.judge(
            {
                node: replace(machines.get(node, Machine()), names=self._names(node))
                for node in nodes
            }
        )
        return sum(
            node not in machines and needs_inventory(compilation.nodes[node].sections)
            for node in nodes
        )

    def _names(self, node: str) -> Names:
        row = self._view.nodes[node]
        wan = frozenset(name for name, path in row.paths.items() if path.kind == PathKind.WAN)
        return Names(wan or None, None if row.ha is None else ha_names(row.ha))


def _check_may(change: Change, may: May) -> None:
    refused = [fault for each in (*change.fresh, *change.gone) if (fault := may(each))]
    if refused:
        raise ProfileError(refused)


async def _write_texts(
    connection: AsyncConnection, change: Change, revisions: Mapping[str, int], cause: Cause
) -> None:
    """Write the texts that come, and that some are gone."""
    for each in change.fresh:
        revision = await profiles.last_revision(connection, each.name) + 1
        record = ProfileRecord(each.name, revision, each.file, each.source, cause.by, cause.at_ms)
        await profiles.save(connection, record, cause.reason)
    for name, what in change.outcomes.items():
        if what == REMOVED:
            revision = revisions[name] + 1
            gone = ProfileChange(name, revision, None, cause.by, cause.at_ms, cause.reason)
            await profiles.remove(connection, gone)


def _subjects(view: FleetView, sites: Collection[str] | None = None) -> Iterator[Subject]:
    for name in view.sites if sites is None else sites:
        row = view.sites.get(name)
        if row is None:
            continue  # it went a moment ago
        for node in row.nodes:
            own = view.nodes[node]
            labels, is_told = row.labels | own.labels, own.inventory_gen is not None
            yield Subject(node, name, own.name, labels, row.lat, row.lon, is_told)
