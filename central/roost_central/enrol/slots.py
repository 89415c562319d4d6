"""Which slots of a site are empty: the one rule for boxes that a claim lets in and for people."""

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.states import LIVE
from roost_central.fleet.view import FleetView
from roost_central.storage import enrolments, identities


async def empty_slots(connection: AsyncConnection, view: FleetView, site: str) -> tuple[str, ...]:
    """Return the names of slots that no identity fills and none is about to; none of no site."""
    row = view.sites.get(site)
    if row is None:
        return ()
    filled = await identities.filled(connection, row.nodes)
    promised = await enrolments.promised(connection, site)
    names = {view.nodes[node].name for node in row.nodes if node not in filled}
    return tuple(sorted(names - promised))


async def box_of(connection: AsyncConnection, site: str, name: str) -> int:
    """Return the number of the box in a slot; 0: none, or another one is about to fill it."""
    if not name or name in await enrolments.promised(connection, site):
        return 0
    rows = await identities.of_node(connection, f"{site}.{name}")
    return max((row.box for row in rows if row.state in LIVE), default=0)
