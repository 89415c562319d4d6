"""Slots of a site: which are empty, who is in one, and those that a decision makes."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.states import LIVE
from roost_central.errors import NotFoundError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.storage import enrolments, identities, nodes
from roost_protocol.topics import node_id


async def empty_slots(connection: AsyncConnection, view: FleetView, site: str) -> tuple[str, ...]:
    """Return the names of slots that no identity fills and none is about to; none of no site."""
    row = view.sites.get(site)
    if row is None:
        return ()
    filled = await identities.filled(connection, row.nodes)
    promised = await enrolments.promised(connection, [site])
    return tuple(sorted(view.nodes[node].name for node in {*row.nodes} - filled - promised))


async def present_boxes(connection: AsyncConnection, slots: Collection[str]) -> dict[str, int]:
    """Return the number of the box in each slot that is filled, by node id."""
    rows = await identities.of_nodes(connection, slots)
    present = {
        node: max((row.box for row in found if row.state in LIVE), default=0)
        for node, found in rows.items()
    }
    return {node: number for node, number in present.items() if number}


@dataclass(slots=True)
class NewSlots:
    """The slots that one transaction makes; ``show`` them after its COMMIT."""

    view: FleetView
    clock: Clock
    made: list[tuple[str, str, str]] = field(default_factory=list)

    async def have(self, connection: AsyncConnection, site: str, name: str) -> str:
        """Return a slot's node id, made where there is none yet."""
        id_ = node_id(site, name)
        if id_ not in self.view.nodes:
            record = nodes.NodeRecord(id_, site, name, created_ms=self.clock.wall_ms())
            await nodes.save(connection, [record])
            self.made.append((id_, site, name))
        return id_

    def show(self) -> None:
        """Let everybody see them."""
        for id_, site, name in self.made:
            if site in self.view.sites:  # it may have been removed just now
                self.view.add_node(id_, site, name)


def check_site(view: FleetView, site: str) -> None:
    """Refuse a site that is not there.

    Raises:
        NotFoundError: so.
    """
    if site not in view.sites:
        raise NotFoundError("site", field="site", got=site)
