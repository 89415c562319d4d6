"""The alarm set of this process: core and storage joined, one change at a time.

Whoever writes holds the storage's write transaction, gives the events to ``write`` inside it and
calls ``written`` after its COMMIT, before anything else runs. A transaction that did not come to
that makes the next one read everything anew, so memory never stays ahead of the disk.

Invariants: readers see what is committed; ``last_seq`` rises only after COMMIT.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms import shelving
from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.core import AlarmCore
from roost_central.alarms.criteria import labels_of
from roost_central.alarms.draft import Draft
from roost_central.alarms.facts import (
    Attached,
    Event,
    OwnCleared,
    OwnRaised,
    Removed,
    Tick,
    ToldApart,
)
from roost_central.alarms.flat import (
    FlatAlarm,
    FlatIncident,
    FlatSummary,
    flat_alarm,
    flat_incident,
    flat_summary,
)
from roost_central.alarms.flood import FloodWatch
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.incidents import Incidents
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.shelving import Shelving
from roost_central.alarms.transition import Transition
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.storage import alarms, incidents
from roost_central.storage.engine import Database
from roost_protocol.alarm import Scalar
from roost_protocol.severity import Severity

RECENT_MAX: Final = 1_000  # transitions that live clients are told of one by one

logger = logging.getLogger(__name__)

SIGNALS_MAX: Final = (
    200_000  # two of each of 50,000 nodes and their paths: a whole fleet falls dark
)


class AlarmBook:
    """All alarms, for those who change them and those who read them.

    Args:
        catalogue: the types.
        view: the fleet, for labels and queries.
        database: open.
        clock: of this machine.
        labels: of a site that are told outside with its alarms, at most LABELS_MAX of flat.py.
        url: of the console, for links in what goes north; empty: no links.
        operators: who share the list of alarms.
    """

    def __init__(  # noqa: PLR0913 - what the book is about, and how it is told outside
        self,
        catalogue: Catalogue,
        view: FleetView,
        database: Database,
        clock: Clock,
        *,
        labels: Sequence[str] = (),
        url: str = "",
        operators: int = 1,
    ) -> None:
        self.catalogue = catalogue
        self.core = AlarmCore(catalogue)
        self.incidents = Incidents(catalogue, self._region_of)
        self.shelving = Shelving(catalogue, view, clock)
        self.core.join_incidents(self.incidents.of_alarm)
        self.version = 0
        self._flood = FloodWatch(operators)
        self.url = url
        self.dropped = 0
        self._recent: deque[tuple[int, str, str]] = deque(maxlen=RECENT_MAX)
        self._labels = labels
        self._view = view
        self._database = database
        self.clock = clock
        self._signals: deque[Event] = deque()
        self._is_open = True  # nothing is read yet
        self._news = asyncio.Event()

    # -- for those who change it -----------------------------------------------------------

    async def load(self, connection: AsyncConnection) -> None:
        """Read everything from storage."""
        self.core.load(
            await alarms.load_all(connection),
            await alarms.last_seq(connection),
            *await self.shelving.load(connection),
        )
        self.incidents.load(await incidents.load_open(connection), self.core.index.ranked)
        self._is_open = False
        self.version += 1

    def signal(self, event: Event) -> None:
        """Keep something that the centre saw for the next transaction."""
        if len(self._signals) >= SIGNALS_MAX:
            self.dropped += 1
            return
        self._signals.append(event)

    def raise_own(
        self,
        type_: str,
        entity: str,
        severity: Severity,
        params: Mapping[str, Scalar],
        *,
        ttl_s: float | None = None,
    ) -> None:
        """Raise an alarm of the centre's own with the next transaction.

        Args:
            type_: of the catalogue.
            entity: the whole of it, such as ``central=roost,target=noc1``.
            severity: one that the type has a text for.
            params: the values of the text.
            ttl_s: it ends unless it is raised again within that time.
        """
        ttl_ms = None if ttl_s is None else int(ttl_s * 1000)
        self.signal(OwnRaised(type_, entity, severity, params, ttl_ms=ttl_ms))

    def clear_own(self, type_: str, entity: str, reason: str = "gone") -> None:
        """Clear an alarm of the centre's own with the next transaction."""
        self.signal(OwnCleared(type_, entity, reason))

    @property
    def is_due(self) -> bool:
        """Whether something waits for a transaction."""
        now_ms = self.clock.wall_ms()
        return bool(self._signals) or self.core.is_due(now_ms) or self.incidents.is_due(now_ms)

    async def write(
        self,
        connection: AsyncConnection,
        events: Iterable[Event] = (),
        act: Callable[[Draft, int], Iterable[Event]] | None = None,
    ) -> "Written":
        """Do what waits and these events within the caller's write transaction.

        Args:
            connection: of the transaction.
            events: for the core.
            act: what is done to incidents; returns what follows for the core.
        """
        if self._is_open:
            logger.info("the last change of alarms is not known to be stored: reading them again")
            await self.load(connection)
        self._is_open = True
        now_ms = self.clock.wall_ms()
        draft = self.core.draft()
        taken = len(self._signals)
        for event in (*self._signals, *events, Tick()):
            self.core.handle(draft, event, now_ms)
        for event in act(draft, now_ms) if act else ():
            self.core.handle(draft, event, now_ms)
        self._attach(draft, self.incidents.observe(draft, now_ms), now_ms)
        self.core.handle(draft, ToldApart(self.incidents.take_apart()), now_ms)
        self.core.settle(draft, now_ms)
        await self._store(connection, draft)
        return Written(draft, taken)

    def written(self, done: "Written") -> None:
        """Show what a committed transaction holds."""
        self._is_open = False
        for _ in range(done.taken):
            self._signals.popleft()
        if done.draft.rows or done.draft.transitions or done.draft.incidents:
            self.core.adopt(done.draft)
            self._flood.observe(done.draft.transitions)
            self.version += 1
            for step in done.draft.transitions:
                if step.alarm is not None:
                    self._recent.append((step.seq, step.alarm.key_id, step.alarm.id))
            self._news.set()
            self._news = asyncio.Event()
        else:
            self.core.adopt(done.draft)

    async def remove(
        self, connection: AsyncConnection, site: str, entity: str, *, also: Iterable[Event] = ()
    ) -> "Written":
        """Clear all that an entity of a site contains, within the caller's write transaction.

        Args:
            connection: of the transaction.
            site: of the entity.
            entity: what is removed.
            also: what follows besides.
        """
        return await self.write(connection, [Removed(site, entity), *also])

    async def change(
        self,
        events: Callable[[], Iterable[Event]],
        also: Callable[[AsyncConnection, Draft], object] | None = None,
        act: Callable[[Draft, int], Iterable[Event]] | None = None,
    ) -> Draft:
        """Do events in a transaction of their own; ``also`` writes beside them.

        Args:
            events: called inside the transaction, so that what it looks at cannot change.
            also: awaited inside the transaction.
            act: as in ``write``.
        """
        async with self._database.write() as connection:
            done = await self.write(connection, events(), act)
            if also is not None:
                result = also(connection, done.draft)
                if asyncio.iscoroutine(result):
                    await result
        self.written(done)
        return done.draft

    def _attach(self, draft: Draft, joined: Mapping[str, str], now_ms: int) -> None:
        by_incident: dict[str, list[str]] = {}
        for key_id, incident in joined.items():
            by_incident.setdefault(incident, []).append(key_id)
        for incident, keys in by_incident.items():
            self.core.handle(draft, Attached(keys, incident), now_ms)

    def _region_of(self, site: str) -> str:
        row = self._view.sites.get(site)
        return row.labels.get("region", "") if row else ""

    async def _store(self, connection: AsyncConnection, draft: Draft) -> None:
        kept = [row for row in draft.rows.values() if row is not None]
        await alarms.save(connection, kept)
        gone = [key_id for key_id, row in draft.rows.items() if row is None]
        await alarms.remove(connection, gone)
        await alarms.append(connection, draft.transitions)
        await incidents.save(connection, list(draft.incidents.values()))
        await shelving.store(connection, self.core, draft)

    # -- for those who read it -------------------------------------------------------------

    @property
    def is_flood(self) -> bool:
        """Whether more alarms come, now, than one operator can follow."""
        return self._flood.is_flood(self.clock.wall_ms())

    @property
    def last_seq(self) -> int:
        """The number of the last committed transition."""
        return self.core.seq

    def active(self) -> Sequence[AlarmRow]:
        """Return every row, in rising order of severity and age."""
        return self.core.index.ranked

    def open_alarms(self) -> Sequence[AlarmRow]:
        """Return the rows of open alarms, masked and unknown ones too."""
        return [row for row in self.core.index.ranked if row.is_open]

    def find(self, name: str) -> AlarmRow | None:
        """Return an alarm by key_id or id."""
        return self.core.index.find(name)

    def digest(self, node: str) -> bytes:
        """Return the digest of what a node holds, as we know it."""
        return self.core.index.digest(node)

    async def transitions(self, after: int, limit: int = 500) -> list[Transition]:
        """Return committed transitions past a number, oldest first."""
        async with self._database.read() as connection:
            return await alarms.after(connection, after, limit)

    def open_incidents(self) -> Sequence[IncidentRow]:
        """Return the open incidents."""
        return self.incidents.open_rows

    def stands_out(self, row: AlarmRow) -> bool:
        """Return whether its incident has a cause that does not explain it; not if hidden too."""
        found = self.incidents.find(row.incident) if row.explained is False else None
        return found is not None and bool(found.cause) and row.is_visible

    def is_candidate(self, row: AlarmRow) -> bool:
        """Return whether an incident may yet take an alarm that was raised just now."""
        return self.incidents.is_candidate(row, self.clock.wall_ms())

    def flat(self, row: AlarmRow, event: str, seq: int) -> FlatAlarm:
        """Return an alarm as one flat object, with the chosen labels of its site."""
        return flat_alarm(
            row,
            event,
            seq,
            catalogue=self.catalogue,
            labels=labels_of(self._view, row),
            chosen=self._labels,
            url=self.url,
        )

    def flat_incident(self, row: IncidentRow, event: str, seq: int) -> FlatIncident:
        """Return an incident as one flat object."""
        return flat_incident(row, event, seq, url=self.url)

    def flat_summary(self, sites: Collection[str] | None = None) -> FlatSummary:
        """Return the counts as one flat object, of these sites alone where some are given."""
        tally, incidents = self.core.index.tally, len(self.incidents.open_rows)
        named: Collection[str] = self._view.sites if sites is None else sites
        if sites is not None:
            tally, hit = self.core.index.tally_of(sites)
            incidents = len(hit)
        return flat_summary(
            tally,
            Counter(self._view.sites[site].status for site in named if site in self._view.sites),
            incidents=incidents,
            now_ms=self.clock.wall_ms(),
        )

    def recent(self, after: int) -> dict[str, str] | None:
        """Return key_id and episode of what changed past a number; None: too long ago to tell."""
        if self.core.seq - after > len(self._recent):
            return None
        return {key_id: id_ for seq, key_id, id_ in self._recent if seq > after}

    async def wait(self, after: int) -> int:
        """Return the last number as soon as it is past one."""
        while self.core.seq <= after:
            await self._news.wait()
        return self.core.seq


class Written:
    """What one transaction did to the alarms; shown once it is committed."""

    def __init__(self, draft: Draft, taken: int) -> None:
        self.draft = draft
        self.taken = taken
