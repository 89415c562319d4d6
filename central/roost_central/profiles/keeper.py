"""Compiles anew what nodes should be when labels, places, nodes or what they are made of change.

What a node is made of counts while a profile asks for it. A site is looked at by what its nodes
told last, and the few nodes of such sites are asked for by their names, so the index is not walked.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from roost_central.errors import StorageError
from roost_central.fleet.view import Changes, FleetView, SiteRow
from roost_central.profiles.desk import ProfileDesk

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0  # an import of a thousand sites is a few rounds, not a thousand

# A site's revision, which labels and place move, how many nodes it has, and their inventories.
Sign = tuple[int, int, tuple[int | None, ...]]


class ProfileKeeper:
    """Looks at the fleet while the process lives; a state of a node is no reason.

    It also makes up for a change whose writing broke off after the profiles themselves.
    """

    def __init__(self, desk: ProfileDesk, view: FleetView, *, look_s: float = LOOK_S) -> None:
        self._desk = desk
        self._view = view
        self._look_s = look_s
        self._seen: dict[str, Sign] = {}
        self._has_missed = False

    async def run(self) -> None:
        """Compile all once, then what is other, until cancelled."""
        with self._view.listen() as changes:
            await self._refreshed(None)
            while True:
                await asyncio.sleep(self._look_s)
                news = changes.drain()
                is_all = news.structure or self._has_missed
                if news.structure:  # one that comes again is new
                    self._seen = {k: v for k, v in self._seen.items() if k in self._view.sites}
                touched = self._view.sites if is_all else self._touched(news)
                others = [site for site in touched if self._is_other(site)]
                if self._desk.is_behind:
                    await self._refreshed(None)
                elif others:
                    await self._refreshed(others)

    async def _refreshed(self, sites: list[str] | None) -> None:
        named = list(self._view.sites) if sites is None else sites
        signs = {site: self._sign(row) for site in named if (row := self._view.sites.get(site))}
        try:
            changed = await self._desk.refresh(sites)
        except StorageError as err:
            logger.warning("what nodes should be is not compiled yet: %s", err)
            self._has_missed = True  # what is not noted as seen is looked at again
            return
        self._has_missed = False
        self._seen |= signs
        if changed:
            logger.info(
                "%d nodes should be something else, for labels or nodes are others", changed
            )

    def _touched(self, news: Changes) -> Collection[str]:
        """Return the sites that may be others; what nodes are made of counts where it is asked."""
        if not self._desk.asks_inventory:
            return news.sites
        rows = (self._view.nodes.get(node) for node in news.nodes)
        return news.sites | dict.fromkeys(row.site for row in rows if row is not None)

    def _is_other(self, site: str) -> bool:
        row = self._view.sites.get(site)
        return row is not None and self._seen.get(site) != self._sign(row)

    def _sign(self, row: SiteRow) -> Sign:
        nodes = self._view.nodes
        gens = sorted(row.nodes) if self._desk.asks_inventory else ()
        return row.revision, len(row.nodes), tuple(nodes[node].inventory_gen for node in gens)
