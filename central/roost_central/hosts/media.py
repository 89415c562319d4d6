"""What stands in the way of an image for a host's board controller: who would do it, and how. Pure.

Whether the controller has a virtual drive for a CD is seen by who reads it, when it is done; here
it is known by what it is spoken to, and by who else is in the site.
"""

from collections.abc import Iterator
from typing import Final

from roost_central.fleet.view import FleetView, NodeRow
from roost_central.hosts.blocker import Blocker

REDFISH: Final = "redfish"
_BY_HAND: Final = "by hand, from another machine: `roost-agent bmc media` (docs/bmc.md)"


def media_lacks(row: NodeRow, view: FleetView, kind: str) -> Blocker | None:
    """Return why nobody can put an image into the virtual drive of a host; None: somebody can.

    Args:
        row: the host.
        view: the fleet.
        kind: what its board controller is spoken to by.
    """
    if len(view.sites[row.site].nodes) == 1:
        text = f"{row.name} is the only node of {row.site}: nobody else there could install it"
        return Blocker("one-node", text, _BY_HAND)
    if kind != REDFISH:
        text = f"the board controller of {row.name} has no virtual media: it speaks {kind}"
        if not kind:
            text = f"the board controller of {row.name} was not reached yet"
        todo = "`roost bmc test` says how it is spoken to; an image needs Redfish"
        return Blocker("not-supported", text, todo)
    return None


def own_board(row: NodeRow, by: str) -> Iterator[Blocker]:
    """Give that a host reads its own board controller: who is installed cannot see the end."""
    if by == row.node:
        text = f"{row.name} itself reads its board controller, and would not see the end"
        order = f"roost host reboot {row.node} --reason TEXT"
        todo = f"`{order}` of a locked host has another one do that; without local HA {_BY_HAND}"
        yield Blocker("own-board", text, todo)
