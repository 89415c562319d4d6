"""Takes profiles from people, and keeps what each node should be: the shell around the cores.

Invariants: a change of profiles is refused whole, before anything of it is written, where one node
concerned cannot have it; profiles are written with their audit row first and what nodes should be
after them, so that a process that ends in between goes on at its next start: everything is compiled
then. Nothing here waits for a node.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from roost_central.access.chain import Act
from roost_central.errors import RevisionConflictError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy, SystemEntropy
from roost_central.profiles.change import REMOVED, Change, Wanted, change_of, read_all
from roost_central.profiles.core import Compilation, compile_profiles, parts_asked
from roost_central.profiles.draft import Plan, concerned, work_out
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.layer import Profile, ProfileChange, ProfileRecord
from roost_central.profiles.ledger import Ledger
from roost_central.profiles.possible import Machine, needs_inventory
from roost_central.profiles.possible_names import Names, ha_names
from roost_central.profiles.selector import Subject
from roost_central.profiles.settle import Cause, Writes, settle
from roost_central.profiles.source import ProfileError
from roost_central.staged.core import OPEN_MAX
from roost_central.staged.draft import Staging, drawn_up
from roost_central.staged.open import OpenChanges
from roost_central.storage import audit, profiles, staged
from roost_central.storage.engine import Database
from roost_protocol.beat import PathKind

logger = logging.getLogger(__name__)

BY_ITSELF: Final = "central"  # who changes what nodes should be when labels or nodes are others
ID_BYTES: Final = 4  # of a staged change: people type it, and there are some hundreds
WHY_BY_ITSELF: Final = "labels, nodes or what they are made of are others"
UNABLE_NAMED: Final = 5  # nodes: enough to look at one
PREVIEWS_MAX: Final = 2  # at a time: each is a second of a core for 50,000 nodes; others wait

Note = Callable[[Plan], Act]  # the row of the audit log
Changed = Callable[[Collection[str]], None]
May = Callable[[Profile], ProfileFault | None]  # why somebody may not change a profile


@dataclass(frozen=True, slots=True)
class Approval:
    """Who stands behind a change.

    Attributes:
        expect: how many nodes are to change; None: any.
        staging: in which groups it reaches more than one site; None: all at once.
        undoes: the open change that this one rolls back; empty: none.
    """

    by: str
    reason: str
    expect: int | None = None
    staging: Staging | None = None
    undoes: str = ""


class ProfileDesk:
    """Profiles as people see them, and what they make of the fleet.

    Attributes:
        changes: the staged changes that are open.
        on_changed: told which nodes should be something else, once that is written.
    """

    def __init__(
        self,
        database: Database,
        view: FleetView,
        clock: Clock,
        changes: OpenChanges | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        self._entropy = entropy or SystemEntropy()
        self.changes = changes or OpenChanges()
        self._database = database
        self._view = view
        self._clock = clock
        self._ledger = Ledger(database)
        self._changing = asyncio.Lock()
        self._looking = asyncio.Semaphore(PREVIEWS_MAX)
        self._is_behind = False
        self._asks_inventory = True  # until it is known
        self.on_changed: Changed = lambda _nodes: None

    @property
    def asks_inventory(self) -> bool:
        """Whether a profile is for nodes by what they are made of, as of the last compilation."""
        return self._asks_inventory

    @property
    def is_behind(self) -> bool:
        """Whether profiles count that nodes were not compiled for, and nobody is at it."""
        return self._is_behind and not self._changing.locked()

    async def preview(self, wanted: Wanted, may: May) -> Plan:
        """Return what a change would do; what is wrong with it is in the plan.

        Raises:
            NotFoundError: one that is to go is not there.
        """
        async with self._looking:
            try:
                change, _ = await self._change(wanted, may)
            except ProfileError as err:
                return Plan(faults=err.faults)
            plan, _ = await self._worked_out(change, Cause(self._clock.wall_ms(), "", ""))
            return plan

    async def apply(self, wanted: Wanted, may: May, approval: Approval, note: Note) -> Plan:
        """Make a change count, and compile what nodes should be.

        Raises:
            ProfileError: it is refused; nothing is changed.
            NotFoundError: one that is to go is not there.
            RevisionConflictError: ``expect``: another number of nodes would change; ``profiles``:
                another change came in between; ``staged``: it would cross a change that is open;
                ``open``: too many are; ``unable``: it is staged, and no node takes settings.
            ProtocolError: ``groups``.
        """
        async with self._changing:
            cause = Cause(self._clock.wall_ms(), approval.by, approval.reason)
            change, revisions = await self._change(wanted, may)
            plan, writes = await self._worked_out(change, cause)
            if plan.faults:
                raise ProfileError(plan.faults)
            if approval.expect not in {None, plan.changed}:
                raise RevisionConflictError(
                    "expect", field="expect", bound=approval.expect, got=plan.changed
                )
            self._check_open(change, writes, approval)
            draft = drawn_up(
                change,
                revisions,
                writes,
                approval.staging,
                cause,
                id_=self._entropy.token(ID_BYTES).hex(),
            )
            if draft is not None:
                self._check_able(writes)
                plan = replace(plan, change=draft.change.id, stages=list(draft.change.sizes))
            async with self._database.write() as connection:
                if await profiles.revisions(connection) != revisions:
                    raise RevisionConflictError("profiles", field="profiles")
                for each in change.fresh:
                    revision = await profiles.last_revision(connection, each.name) + 1
                    record = ProfileRecord(
                        each.name, revision, each.file, each.source, cause.by, cause.at_ms
                    )
                    await profiles.save(connection, record, cause.reason)
                for name, what in change.outcomes.items():
                    if what == REMOVED:
                        revision = revisions[name] + 1
                        gone = ProfileChange(
                            name, revision, None, cause.by, cause.at_ms, cause.reason
                        )
                        await profiles.remove(connection, gone)
                if draft is not None:
                    await staged.save(connection, draft.change)
                    await staged.add_nodes(connection, draft.change.id, draft.nodes)
                await audit.add(connection, note(plan))
            if draft is not None:
                self.changes.add(draft.change, draft.nodes)
            self._is_behind = True
            self._asks_inventory = bool(parts_asked(change.result))
            await self._ledger.write(writes)
            self._is_behind = False
            self._told(writes)
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
            await self._ledger.write(writes)
            self._is_behind = self._is_behind and sites is not None
            self._told(writes)
        for record in writes.records:
            if record.fault:
                logger.warning("%s keeps what it should be: %s", record.node, record.fault)
        return len(writes.changes)

    def _check_open(self, change: Change, writes: Writes, approval: Approval) -> None:
        """Refuse what would smuggle a change that was stopped to the nodes that it has not reached.

        Raises:
            RevisionConflictError: ``staged`` or ``open``.
        """
        nodes = [each.node for each in writes.changes]
        other, count = self.changes.in_the_way(nodes, change.names, approval.undoes)
        if other:
            raise RevisionConflictError("staged", field=other, got=count)
        if approval.staging is not None and len(self.changes.all()) >= OPEN_MAX:
            raise RevisionConflictError("open", got=OPEN_MAX, bound=OPEN_MAX)

    def _check_able(self, writes: Writes) -> None:
        """Refuse a staged change that no node can take: no group could ever be through.

        Raises:
            RevisionConflictError: ``unable``.
        """
        nodes = [each.node for each in writes.changes]
        if not any(map(self._takes_settings, nodes)):
            more = f" and {len(nodes) - UNABLE_NAMED}" if len(nodes) > UNABLE_NAMED else ""
            named = ", ".join(sorted(nodes)[:UNABLE_NAMED])
            raise RevisionConflictError("unable", field=f"{named}{more}", got=len(nodes))

    def _told(self, writes: Writes) -> None:
        if writes.records:
            self.on_changed([record.node for record in writes.records])

    async def _change(self, wanted: Wanted, may: May) -> tuple[Change, dict[str, int]]:
        """Return the change that is asked, and the revisions that it was held against.

        Raises:
            ProfileError: a file is wrong by itself, or who asks may not.
            NotFoundError: one that is to go is not there.
        """
        async with self._database.read() as connection:
            records = await profiles.load(connection)
        change = await asyncio.to_thread(change_of, wanted, records)  # megabytes of TOML
        refused = [fault for each in (*change.fresh, *change.gone) if (fault := may(each))]
        if refused:
            raise ProfileError(refused)
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
        return replace(plan, unchecked=unchecked, unable=unable), writes

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


def _subjects(view: FleetView, sites: Collection[str] | None = None) -> Iterator[Subject]:
    for name in view.sites if sites is None else sites:
        row = view.sites.get(name)
        if row is None:
            continue  # it went a moment ago
        for node in row.nodes:
            own = view.nodes[node]
            labels, is_told = row.labels | own.labels, own.inventory_gen is not None
            yield Subject(node, name, own.name, labels, row.lat, row.lon, is_told)
