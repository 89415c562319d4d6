"""Who belongs to a site, for the director's documents: the nodes that have an identity.

A box belongs to its site from the moment its certificate is handed out until somebody ends it: a
certificate that ran out, or a quarantine, makes a node mute and drops nobody.
"""

from collections.abc import Collection, Mapping
from typing import Final

from roost_central.fleet.view import FleetView
from roost_central.storage import identities
from roost_central.storage.engine import Database
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.topics import split_node_id

NAMED_MAX: Final = 500  # nodes of one query: SQLite takes 32,766 parameters
WAN_LABEL, NO_WAN = "wan", "none"


class SiteMembers:
    """Reads them.

    Args:
        database: with identities.
        view: of the fleet.
    """

    def __init__(self, database: Database, view: FleetView) -> None:
        self._database = database
        self._view = view

    async def of(self, sites: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        """Return of each site who belongs to it, node id to the number of its box.

        Raises:
            StorageError: it cannot be read.
        """
        found: dict[str, dict[str, int]] = {site: {} for site in sites}
        nodes = [
            node
            for site in sites
            if site in self._view.sites
            for node in list(self._view.sites[site].nodes)[:HA_NODES_MAX]
        ]
        async with self._database.read() as connection:
            for start in range(0, len(nodes), NAMED_MAX):
                some = nodes[start : start + NAMED_MAX]
                for node, box in (await identities.boxes_of(connection, some)).items():
                    found[split_node_id(node)[0]][node] = box
        return found

    def is_offline(self, site: str) -> bool:
        """Say whether a site has no WAN, by its label."""
        row = self._view.sites.get(site)
        return row is not None and row.labels.get(WAN_LABEL) == NO_WAN
