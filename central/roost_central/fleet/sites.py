"""The registry of sites: what operators change of them, in storage and view together.

Invariant: storage first. The view changes only after COMMIT and before any other task runs, so
that a writer which builds its rows inside a transaction never brings back what was deleted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.errors import NotFoundError, RevisionConflictError
from roost_central.fleet.entity import entity_of
from roost_central.fleet.view import FleetView, SiteRow
from roost_central.ports import Clock
from roost_central.storage import audit, nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.topics import node_id, shard_of


class AlarmWriter(Protocol):
    """Ends the alarms of what is removed, in the same transaction."""

    async def remove(self, connection: AsyncConnection, site: str, entity: str) -> Any:  # noqa: ANN401 - its own
        """Clear all that an entity of a site contains."""

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


class SiteRegistry:
    """Registers, changes and removes sites."""

    def __init__(
        self, database: Database, view: FleetView, clock: Clock, alarms: AlarmWriter
    ) -> None:
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

    async def delete(self, site: str, act: Act) -> None:
        """Remove a site, its nodes and all that is kept of them but events; clear their alarms.

        Raises:
            NotFoundError: there is no such site.
        """
        async with self._database.write() as connection:
            if site not in self._view.sites:
                raise NotFoundError("site", field="site", got=site)
            await sites.delete(connection, site)
            done = await self._alarms.remove(connection, site, entity_of(site, None))
            await audit.add(connection, act)
        self._view.remove_site(site)
        self._alarms.written(done)

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
