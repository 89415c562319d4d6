"""Shelves and suppressions between the core, which tests rows, and storage, which keeps queries."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.core import AlarmCore
from roost_central.alarms.criteria import matcher
from roost_central.alarms.draft import Draft
from roost_central.alarms.facts import Shelf, Suppression
from roost_central.alarms.row import AlarmRow
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.storage import shelves


class Shelving:
    """Makes the tests of kept queries, and keeps what a draft changed."""

    def __init__(self, catalogue: Catalogue, view: FleetView, clock: Clock) -> None:
        self._catalogue = catalogue
        self._view = view
        self._clock = clock

    def shelf(self, record: shelves.ShelfRecord) -> Shelf:
        """Return a kept shelf with the test of its query."""
        matches = self.matches(record.query)
        return Shelf(
            id=record.id,
            by=record.made_by,
            reason=record.reason,
            made_ms=record.made_ms,
            until_ms=record.until_ms,
            query=record.query,
            key_ids=frozenset(record.key_ids),
            matches=matches,
        )

    def suppression(self, record: shelves.SuppressionRecord) -> Suppression:
        """Return a kept suppression with the test of its query."""
        return Suppression(
            id=record.id,
            type=record.type,
            by=record.made_by,
            reason=record.reason,
            made_ms=record.made_ms,
            until_ms=record.until_ms,
            query=record.query,
            matches=self.matches(record.query),
        )

    def matches(self, query: str) -> Callable[[AlarmRow], bool] | None:
        """Return the test of a query that was accepted before; None of the empty one."""
        if not query:
            return None
        test = matcher(query, self._view, self._catalogue)
        return lambda row: test(row, self._clock.wall_ms())

    async def load(self, connection: AsyncConnection) -> tuple[list[Shelf], list[Suppression]]:
        """Return what storage has."""
        return (
            [self.shelf(record) for record in await shelves.load_shelves(connection)],
            [self.suppression(record) for record in await shelves.load_suppressions(connection)],
        )


async def store(connection: AsyncConnection, core: AlarmCore, draft: Draft) -> None:
    """Write what is different in a draft."""
    before, after = core.shelves, draft.shelves
    for id_, shelf in after.items():
        if before.get(id_) is not shelf:
            await shelves.save_shelf(connection, shelf_record(shelf))
    await shelves.remove_shelves(connection, sorted(before.keys() - after.keys()))
    old, new = core.suppressions, draft.suppressions
    for id_, one in new.items():
        if old.get(id_) is not one:
            await shelves.save_suppression(connection, suppression_record(one))
    await shelves.remove_suppressions(connection, sorted(old.keys() - new.keys()))


def shelf_record(shelf: Shelf) -> shelves.ShelfRecord:
    """Return a shelf as storage keeps it."""
    return shelves.ShelfRecord(
        id=shelf.id,
        made_by=shelf.by,
        reason=shelf.reason,
        made_ms=shelf.made_ms,
        until_ms=shelf.until_ms,
        query=shelf.query,
        key_ids=sorted(shelf.key_ids),
    )


def suppression_record(one: Suppression) -> shelves.SuppressionRecord:
    """Return a suppression as storage keeps it."""
    return shelves.SuppressionRecord(
        id=one.id,
        type=one.type,
        made_by=one.by,
        reason=one.reason,
        made_ms=one.made_ms,
        until_ms=one.until_ms,
        query=one.query,
    )
