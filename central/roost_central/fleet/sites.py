"""The registry of sites: what operators change of them, in storage and view together.

Invariant: storage first. The view changes only after COMMIT and before any other task runs, so
that a writer which builds its rows inside a transaction never brings back what was deleted.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.alarms.facts import Event as AlarmEvent
from roost_central.enrol.states import LIVE, Event
from roost_central.errors import NotFoundError, RevisionConflictError
from roost_central.fleet import node_labels
from roost_central.fleet.entity import entity_of
from roost_central.fleet.labels import LabelChange
from roost_central.fleet.view import FleetView, SiteRow
from roost_central.hosts import told
from roost_central.hosts.core import words_of
from roost_central.ports import Clock
from roost_central.storage import audit, enrolments, identities, nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.topics import node_id, shard_of

REMOVED: Final = "its site was removed"


class AlarmWriter(Protocol):
    """Ends the alarms of what is removed, in the same transaction."""

    async def remove(
        self,
        connection: AsyncConnection,
        site: str,
        entity: str,
        *,
        also: Iterable[AlarmEvent] = (),
    ) -> Any:  # noqa: ANN401 - its own
        """Clear all that an entity of a site contains; ``also``: what follows besides."""

    def written(self, done: Any) -> None:  # noqa: ANN401 - what ``remove`` returned
        """Show it, after COMMIT."""


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """What an operator says of a site; ``nodes`` are names to register beside those there."""

    site: str
    labels: dict[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write did to one site: ``created``, ``updated`` or ``unchanged``."""

    site: str
    what: str


async def _nobody_to_tell() -> None:
    """Do nothing: no identity is kept in memory."""


async def _nobody_to_tell_of(_site: str) -> None:
    pass


class SiteRegistry:
    """Registers, changes and removes sites.

    Attributes:
        on_revoked: lets those who keep identities in memory read them again.
        on_removed: lets those who keep something of a site by its name forget it.
    """

    def __init__(
        self, database: Database, view: FleetView, clock: Clock, alarms: AlarmWriter
    ) -> None:
        self.on_revoked: Callable[[], Awaitable[None]] = _nobody_to_tell
        self.on_removed: Callable[[str], Awaitable[None]] = _nobody_to_tell_of
        self._database = database
        self._view = view
        self._clock = clock
        self._alarms = alarms

    def knows(self, site: str) -> bool:
        """Say whether there is a site of this name."""
        return site in self._view.sites

    async def put(self, spec: SiteSpec, act: Act, *, revision: int | None = None) -> SiteRow:
        """Register a site, or give one that is there these labels and this place.

        Args:
            spec: the site; its names must have been checked.
            act: what the audit log says of it.
            revision: what the caller read; None where the site must be new.

        Raises:
            RevisionConflictError: the site is there and its revision is another.
        """
        async with self._database.write() as connection:
            known = self._view.sites.get(spec.site)
            if (known.revision if known else None) != revision:
                raise RevisionConflictError(
                    "revision", field=spec.site, bound=revision, got=known and known.revision
                )
            await self._save(connection, [spec])
            await audit.add(connection, act)
        self._show(spec)
        return self._view.sites[spec.site]

    async def put_all(
        self, specs: Iterable[SiteSpec], act: Callable[[list[Outcome]], Act]
    ) -> list[Outcome]:
        """Register or change many sites in one transaction, whatever their revisions are."""
        wanted = list({spec.site: spec for spec in specs}.values())
        async with self._database.write() as connection:
            outcomes = [Outcome(spec.site, self._difference(spec)) for spec in wanted]
            changed = [
                spec
                for spec, outcome in zip(wanted, outcomes, strict=True)
                if outcome.what != "unchanged"
            ]
            await self._save(connection, changed)
            await audit.add(connection, act(outcomes))
        for spec in changed:
            self._show(spec)
        return outcomes

    async def label(self, names: Collection[str], change: LabelChange, act: Act) -> list[str]:
        """Change the labels of sites that are there, in one transaction; return which are others.

        Labels that somebody else changed meanwhile stay changed.
        """
        async with self._database.write() as connection:
            rows = [self._view.sites[name] for name in names if name in self._view.sites]
            specs = [
                SiteSpec(row.site, change.applied(row.labels), row.lat, row.lon) for row in rows
            ]
            specs = [spec for spec in specs if self._difference(spec) == "updated"]
            await self._save(connection, specs)
            await audit.add(connection, act)
        for spec in specs:
            self._show(spec)
        return [spec.site for spec in specs]

    async def label_nodes(self, names: Collection[str], change: LabelChange, act: Act) -> list[str]:
        """Change the labels of nodes that are there, in one transaction; return which."""
        async with self._database.write() as connection:
            rows = [self._view.nodes[name] for name in names if name in self._view.nodes]
            labels = {row.node: change.applied(row.labels) for row in rows}
            await node_labels.write(connection, labels)
            await audit.add(connection, act)
        node_labels.show(self._view, labels)
        return list(labels)

    async def manage(
        self, names: Collection[str], act: Act, *, managed: bool, why: str
    ) -> list[str]:
        """Begin to manage sites, or leave them alone; return which are others now."""
        now_ms = self._clock.wall_ms()
        async with self._database.write() as connection:
            moved = [name for name in names if self._is_managed(name) is (not managed)]
            await sites.manage(connection, moved, managed=managed, why=why, since_ms=now_ms)
            await audit.add(connection, act)
        for name in moved:
            row = self._view.sites[name]
            row.managed, row.managed_why, row.managed_since_ms = managed, why, now_ms
            self._view.touch_site(name)
            for node in row.nodes:
                self._view.touch_node(node)
        return moved

    def _is_managed(self, site: str) -> bool | None:
        row = self._view.sites.get(site)
        return None if row is None else row.managed

    async def delete(self, site: str, act: Act) -> None:
        """Remove a site, its nodes and all that is kept of them but events; clear their alarms.

        What its nodes are known by ends, and who waits to become one is turned away.

        Raises:
            NotFoundError: there is no such site.
        """
        async with self._database.write() as connection:
            if site not in self._view.sites:
                raise NotFoundError("site", field="site", got=site)
            await sites.delete(connection, site)
            ended = await self._shut_out(connection, site, act)
            done = await self._alarms.remove(connection, site, entity_of(site, None))
            await audit.add(connection, *ended, act)
        self._view.remove_site(site)
        self._alarms.written(done)
        await self.on_removed(site)

    async def delete_node(self, node: str, act: Act) -> int:
        """Revoke what a node is known by, then remove it and what is kept of it but events.

        Its alarms are cleared. It is mute before it is removed, so that its next beat does not
        bring it back; where that ends in the middle, the same act goes on. Returns how many
        generations of its identity were ended.

        Raises:
            NotFoundError: there is no such node.
        """
        now_ms = self._clock.wall_ms()
        if node not in self._view.nodes:
            raise NotFoundError("node", field="node", got=node)
        async with self._database.write() as connection:
            rows = await identities.of_node(connection, node)
            live = [row.generation for row in rows if row.state in LIVE]
            for row in rows:
                if row.state in LIVE:
                    await identities.happen(
                        connection, row, Event.REVOKE, now_ms=now_ms, reason=act.reason
                    )
            await audit.add(connection, replace(act, detail={**act.detail, "generations": live}))
        await self.on_revoked()
        async with self._database.write() as connection:
            site = node.partition(".")[0]
            await nodes.delete(connection, node)
            left = await told.forget(connection, node)
            entity = entity_of(site, node)
            done = await self._alarms.remove(connection, site, entity, also=left.alarms)
        if node in self._view.nodes:  # somebody else may have been quicker
            self._view.remove_node(node)
        self._view.put_hosts(site, words_of(left.words))
        self._alarms.written(done)
        return len(live)

    async def _shut_out(self, connection: AsyncConnection, site: str, act: Act) -> list[Act]:
        """End the identities of a site; return what the audit log says of each node and box."""
        now_ms = self._clock.wall_ms()
        rows = await identities.decommission(connection, site, now_ms=now_ms, reason=REMOVED)
        boxes = await enrolments.turn_away(
            connection, site, now_ms=now_ms, by=act.actor, reason=REMOVED
        )
        by_node: dict[str, list[int]] = {}
        for row in rows:
            by_node.setdefault(row.node, []).append(row.generation)
        acts = [
            ("node.decommission", node, {"generations": numbers})
            for node, numbers in by_node.items()
        ]
        said = replace(act, before="", after="", reason=act.reason or REMOVED)
        return [
            replace(said, action=action, object=about, detail=detail)
            for action, about, detail in [*acts, *(("enrol.deny", box, {}) for box in boxes)]
        ]

    def _difference(self, spec: SiteSpec) -> str:
        known = self._view.sites.get(spec.site)
        if known is None:
            return "created"
        same = (known.labels, known.lat, known.lon) == (spec.labels, spec.lat, spec.lon)
        ids = {node_id(spec.site, name) for name in spec.nodes}
        return "unchanged" if same and ids <= set(known.nodes) else "updated"

    async def _save(self, connection: AsyncConnection, specs: list[SiteSpec]) -> None:
        now_ms = self._clock.wall_ms()
        await sites.save(connection, [self._record(spec, now_ms) for spec in specs])
        await nodes.save(
            connection,
            [
                nodes.NodeRecord(node=node, site=spec.site, name=name, created_ms=now_ms)
                for spec in specs
                for name in spec.nodes
                if (node := node_id(spec.site, name)) not in self._view.nodes
            ],
        )

    def _record(self, spec: SiteSpec, now_ms: int) -> sites.SiteRecord:
        known = self._view.sites.get(spec.site)
        return sites.SiteRecord(
            site=spec.site,
            shard=shard_of(spec.site),
            labels=spec.labels,
            lat=spec.lat,
            lon=spec.lon,
            revision=known.revision + 1 if known else 1,
            created_ms=now_ms,
        )

    def _show(self, spec: SiteSpec) -> None:
        known = spec.site in self._view.sites
        row = self._view.add_site(spec.site, shard_of(spec.site))
        row.labels = dict(spec.labels)
        row.lat, row.lon = spec.lat, spec.lon
        if known:
            row.revision += 1
        for name in spec.nodes:
            self._view.add_node(node_id(spec.site, name), spec.site, name)
        self._view.touch_site(spec.site)
