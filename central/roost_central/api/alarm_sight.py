"""The alarms that somebody may see: of the sites of a view, or of everything.

Leaves acts to the book; who acts finds here what may be acted on. An incident that hits other sites
too is told with one's own counts and without its cause, which may name what others have.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.facts import Shelf, Suppression
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.tally import Tally
from roost_central.alarms.transition import Transition
from roost_central.fleet.view import FleetView


class AlarmSight:
    """What of the book is shown; ``is_whole``: all of it."""

    def __init__(self, book: AlarmBook, view: FleetView, *, is_whole: bool) -> None:
        self.book = book
        self.view = view
        self.is_whole = is_whole

    def sees(self, site: str | None) -> bool:
        """Say whether what belongs to a site is shown; None: it belongs to none."""
        return self.is_whole or site in self.view.sites

    def rows(self) -> Sequence[AlarmRow]:
        """Return every row, in rising order of severity and age."""
        rows = self.book.active()
        return rows if self.is_whole else [row for row in rows if self.sees(row.site)]

    def open_of(self, site: str) -> list[AlarmRow]:
        """Return the open alarms of a site's list: not what is masked, suppressed or shelved."""
        index = self.book.core.index
        rows = (index.rows[key_id] for key_id in index.by_site.get(site, ()))
        return [row for row in rows if row.is_open and row.is_visible]

    def types_of(self, site: str) -> set[str]:
        """Return the types of a site's open alarms, of those that lists hide too."""
        index = self.book.core.index
        rows = (index.rows[key_id] for key_id in index.by_site.get(site, ()))
        return {row.type for row in rows if row.is_open}

    def find(self, name: str) -> AlarmRow | None:
        """Return an alarm by key_id or id."""
        row = self.book.find(name)
        return row if row is not None and self.sees(row.site) else None

    def tells(self, step: Transition) -> bool:
        """Say whether a step is shown: an alarm's by its site, an incident's by its members."""
        if self.is_whole:
            return True
        if step.alarm is not None:
            return self.sees(step.alarm.site)
        return step.incident is not None and self.incident(step.incident) is not None

    def counts(self) -> tuple[Tally, int]:
        """Return the counts of what is shown, and of how many open incidents it is."""
        if self.is_whole:
            return self.book.core.index.tally, len(self.book.incidents.open_rows)
        tally, incidents = self.book.core.index.tally_of(self.view.sites)
        return tally, len(incidents)

    def members(self, incident: str) -> set[str]:
        """Return the open members that are shown of an open incident."""
        found = self.book.incidents
        members = found.members(incident) if found.find(incident) is not None else set()
        return members if self.is_whole else {key for key in members if self.find(key) is not None}

    def owns(self, incident: str) -> bool:
        """Say whether all of an open incident is shown, so that it may be acted on."""
        return self.is_whole or self.members(incident) == self.book.incidents.members(incident)

    def incident(self, row: IncidentRow) -> IncidentRow | None:
        """Return an incident as far as it is shown; one that is over only to who sees all."""
        if self.is_whole:
            return row
        members = self.members(row.id)
        if not members:
            return None
        if self.owns(row.id):
            return row
        rows = [self.book.core.index.rows[key_id] for key_id in members]
        return replace(
            row,
            causes=[],
            rejected=[],
            region="",
            reason="",
            notes=[],
            sites=len({each.site for each in rows}),
            covered=0,
            dark=0,
            recovered=0,
            alarms=len(members),
            not_back=[site for site in row.not_back if self.sees(site)],
        )

    def shelves(self, by: str) -> list[Shelf]:
        """Return the shelves that somebody may end: one's own, where not all is shown."""
        shelves = self.book.core.shelves.values()
        return [each for each in shelves if self.is_whole or each.by == by]

    def suppressions(self, by: str) -> list[Suppression]:
        """Return the suppressions that somebody may end: one's own, where not all is shown."""
        found = self.book.core.suppressions.values()
        return [each for each in found if self.is_whole or each.by == by]
