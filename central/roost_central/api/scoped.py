"""The part of the fleet that somebody may see: a view, an order and a live stream of its own.

The one choke point of scopes: a handler gets the fleet through its call, and that is cut to where
the route's permission holds before the handler runs. Those of the same scope share one.

Invariants: a site is in the view if, and only if, the scope admits it, as of the last ``refresh``,
which comes before each request and each frame; at most SCOPES_MAX are kept, and none that somebody
streams from is dropped.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

from roost_central.access.core import Scope
from roost_central.alarms.book import AlarmBook
from roost_central.api.live import LiveFleet
from roost_central.api.order import NameOrder
from roost_central.api.problem import ApiError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
from roost_central.stream.core import FRAME_INTERVAL_MS

SCOPES_MAX: Final = 64  # different ones at a time; each costs its sites' columns, 1 MB for 10,000
EPOCH_BYTES: Final = 8


class ScopedFleet:
    """The sites that one scope admits, kept along with the whole fleet."""

    def __init__(
        self, scope: Scope, whole: FleetView, clock: Clock, epoch: str, book: AlarmBook
    ) -> None:
        self._scope = scope
        self._whole = whole
        self._context = ExitStack()
        self._changes = self._context.enter_context(whole.listen())
        self.view = FleetView(within=whole)
        self._review(whole.sites)
        self.order = NameOrder(self.view)
        self.live = LiveFleet(self.view, clock, epoch, book)
        self._news = self._context.enter_context(self.view.listen())

    def refresh(self) -> None:
        """Take up what changed in the whole fleet."""
        changes = self._changes.drain()
        nodes = self._whole.nodes
        moved = {nodes[node].site for node in changes.nodes if node in nodes}
        if changes.structure:
            moved |= {site for site in self.view.sites if site not in self._whole.sites}
            self.view.forget_nodes(self._whole)
        self._review({**changes.sites, **dict.fromkeys(moved)})
        for node in changes.nodes:
            if node in self.view.nodes:
                self.view.touch_node(node)
        for node in changes.heard:
            if node in self.view.nodes:
                self.view.heard(node)

    def advance(self) -> None:
        """Send the frame that is due."""
        self.refresh()
        self.live.advance(self._news.drain())

    def close(self) -> None:
        """Hear no more of the fleet."""
        self._context.close()

    def _review(self, sites: Iterable[str]) -> None:
        """Take in and out what the scope admits now; a site's labels may be others."""
        for site in sites:
            row = self._whole.sites.get(site)
            if row is not None and self._scope.admits(row):
                self.view.adopt(row, [self._whole.nodes[node] for node in row.nodes])
            elif site in self.view.sites:
                self.view.remove_site(site)


class Scopes:
    """The scopes that are in use; the one used longest ago goes first."""

    def __init__(self, whole: FleetView, clock: Clock, entropy: Entropy, book: AlarmBook) -> None:
        self._whole = whole
        self._clock = clock
        self._entropy = entropy
        self._book = book
        self._kept: OrderedDict[Scope, ScopedFleet] = OrderedDict()

    async def run(self) -> None:
        """Send frames until cancelled."""
        while True:
            for fleet in list(self._kept.values()):
                fleet.advance()
            await asyncio.sleep(FRAME_INTERVAL_MS / 1000)

    def of(self, scope: Scope) -> ScopedFleet:
        """Return the fleet of a scope as it is now.

        Raises:
            ApiError: ``busy``: SCOPES_MAX others are streamed from.
        """
        fleet = self._kept.get(scope)
        if fleet is None:
            self._make_room()
            epoch = self._entropy.token(EPOCH_BYTES).hex()
            fleet = ScopedFleet(scope, self._whole, self._clock, epoch, self._book)
            self._kept[scope] = fleet
        self._kept.move_to_end(scope)
        fleet.refresh()
        return fleet

    def _make_room(self) -> None:
        if len(self._kept) < SCOPES_MAX:
            return
        idle = next((scope for scope, each in self._kept.items() if not each.live.clients), None)
        if idle is None:
            detail = f"people of {SCOPES_MAX} different scopes watch, the most central serves"
            raise ApiError("busy", detail, headers={"Retry-After": "10"})
        self._kept.pop(idle).close()
