"""Explains incidents while they grow: the search in a thread, what it found in a transaction."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.correlate import Explanation, Population, explain, text_of
from roost_central.alarms.draft import Draft
from roost_central.alarms.facts import Attached, Event
from roost_central.alarms.incident_row import Cause
from roost_central.errors import StorageError
from roost_central.fleet.view import FleetView, SiteRow

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 2.0
WINDOW_MS: Final = 60_000
OWN: Final = ("broker", "release", "path")  # our parts: the first to suspect
LABELS_MAX: Final = 16  # label keys that are looked at


class Explainer:
    """Looks at growing incidents every INTERVAL_S."""

    def __init__(self, book: AlarmBook, view: FleetView) -> None:
        self._book = book
        self._view = view

    async def run(self) -> None:
        """Explain until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                await self.look()
            except StorageError as err:
                logger.warning("an explanation was not stored: %s", err)

    async def look(self) -> None:
        """Explain every incident that grew."""
        for id_, sites in self._book.incidents.unexplained():
            row = self._book.incidents.find(id_)
            if row is None:
                continue
            if len(sites) == 1:
                await self._show(id_, sites, Explanation([of_one_site(*sites)]), [])
                continue
            names, population = population_of(self._view, sites, row.opened_ms - WINDOW_MS)
            found = await asyncio.to_thread(explain, population)
            rest = [names[place] for place in found.unexplained]
            await self._show(id_, sites, found, rest)

    async def _show(self, id_: str, sites: list[str], found: Explanation, rest: list[str]) -> None:
        change = {
            "causes": found.causes,
            "rejected": found.rejected,
            "covered": len(sites) - len(rest) if found.causes else 0,
            "dark": sum(
                row.status == "unknown" for name in sites if (row := self._view.sites.get(name))
            ),
        }
        unexplained = rest if found.causes else sites

        def act(draft: Draft, now_ms: int) -> Iterable[Event]:
            told = self._book.incidents.explained(draft, id_, change, unexplained, now_ms)
            return [Attached(list(told), id_, told)] if told else []

        await self._book.change(list, act=act)
        logger.info("%s: %s", id_, "; ".join(cause.text for cause in found.causes) or "no cause")


def of_one_site(site: str) -> Cause:
    """Return what the alarms of a storm at one site share: that site."""
    terms = {"site": [site]}
    return Cause(text=text_of(terms), terms=terms, precision=1.0, covers=1, of=1)


def population_of(
    view: FleetView, sites: Iterable[str], since_ms: int
) -> tuple[list[str], Population]:
    """Return the names and attributes of the sites that could have been hit.

    Sites in maintenance, and those that were dark before ``since_ms``, could not.
    """
    hit = frozenset(sites)
    rows = [row for row in view.sites.values() if row.site in hit or _could_be(row, since_ms)]
    keys = sorted({key for row in rows for key in row.labels})[:LABELS_MAX]
    columns: dict[str, list[str | None]] = {
        key: [row.labels.get(key) for row in rows] for key in keys
    }
    for name, attribute in (("broker", "broker"), ("release", "agent"), ("path", "via")):
        if name not in columns:
            columns[name] = [_of_first_node(view, row, attribute) for row in rows]
    places = frozenset(place for place, row in enumerate(rows) if row.site in hit)
    return [row.site for row in rows], Population(columns, places, frozenset(OWN))


def _could_be(row: SiteRow, since_ms: int) -> bool:
    if row.status == "maintenance":
        return False
    return row.status != "unknown" or (row.status_since_ms or 0) >= since_ms


def _of_first_node(view: FleetView, row: SiteRow, attribute: str) -> str | None:
    value: str | None = getattr(view.nodes[row.nodes[0]], attribute) if row.nodes else None
    return value
