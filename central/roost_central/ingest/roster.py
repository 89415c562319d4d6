"""Who may speak: nodes that are registered, and on loopback (the demo) whoever comes.

Keeps what is new until a transaction writes it; rows of nodes must be there before their marks.
"""

import logging
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.fleet.view import FleetView
from roost_central.ingest.config import IngestConfig
from roost_central.storage import nodes, sites
from roost_protocol.topics import NodeId, SiteId, shard_of

logger = logging.getLogger(__name__)

STRANGERS_MAX: Final = 1_000  # remembered: past it a flood of names is told a second time


class Roster:
    """Admission of nodes."""

    def __init__(self, view: FleetView, config: IngestConfig) -> None:
        self._view = view
        self._open = {
            broker.name: config.admit == "loopback" and broker.is_bare for broker in config.brokers
        }
        self._unsaved: dict[NodeId, SiteId] = {}
        self._strangers: set[NodeId] = set()  # told in the log

    def admits(self, node: NodeId, broker: str) -> bool:
        """Return whether a message of this node by this broker is taken."""
        if node in self._view.nodes or self._open.get(broker, False):
            return True
        if node not in self._strangers:
            self._note_stranger(node, broker)
        return False

    def enter(self, node: NodeId, site: SiteId) -> None:
        """Put an admitted node into the view, if it is not there yet."""
        if node in self._view.nodes:
            return
        self._view.add_site(site, shard_of(site))
        self._view.add_node(node, site, node.partition(".")[2])
        self._unsaved[node] = site

    def _note_stranger(self, node: NodeId, broker: str) -> None:
        """Say once who is refused: an operator must be able to see whom to register."""
        if len(self._strangers) >= STRANGERS_MAX:
            self._strangers.clear()
        self._strangers.add(node)
        logger.warning(
            "node %s on broker %s is not registered, what it says is refused: "
            "`roost site import` registers a site with its nodes",
            node,
            broker,
        )

    def __bool__(self) -> bool:
        """Whether nodes wait to be written."""
        return bool(self._unsaved)

    async def write(self, connection: AsyncConnection, *, now_ms: int) -> list[NodeId]:
        """Write new sites and nodes; call ``written`` with what this returns after the commit."""
        waiting = list(self._unsaved)  # more may come while this awaits
        new = [node for node in waiting if node in self._view.nodes]
        rows = {self._unsaved[node]: self._view.sites[self._unsaved[node]] for node in new}
        await sites.save(
            connection,
            [
                sites.SiteRecord(
                    row.site, row.shard, row.labels, row.lat, row.lon, row.revision, now_ms
                )
                for row in rows.values()
            ],
        )
        await nodes.save(
            connection,
            [
                nodes.NodeRecord(node, self._unsaved[node], node.partition(".")[2], now_ms)
                for node in new
            ],
        )
        return waiting

    def written(self, saved: list[NodeId]) -> None:
        """Forget what a committed transaction holds."""
        for node in saved:
            self._unsaved.pop(node, None)
