"""Labels of nodes: written and shown together with what is made of them.

Invariant: a site's revision counts its nodes' labels too, so that what is compiled of a site is
known to be old.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.fleet.view import FleetView
from roost_central.storage import nodes, sites

Labels = Mapping[str, dict[str, str]]  # by node


async def write(connection: AsyncConnection, labels: Labels) -> None:
    """Write the labels of nodes that are there, in the caller's transaction."""
    await nodes.set_labels(connection, labels)
    await sites.revise(connection, {node.partition(".")[0] for node in labels})


def show(view: FleetView, labels: Labels) -> None:
    """Show them, after COMMIT."""
    for node, given in labels.items():
        if (row := view.nodes.get(node)) is not None:
            row.labels = given
            view.touch_node(node)
    for name in dict.fromkeys(node.partition(".")[0] for node in labels):
        if (site := view.sites.get(name)) is not None:
            site.revision += 1
            view.touch_site(name)
