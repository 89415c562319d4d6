"""``refresh-inventory``: the probe, now. What it finds goes out as any change does."""

from typing import Final

from roost_agent.orders.verbs.handler import Handler, Node, Placed
from roost_protocol.order_verbs import RefreshInventory

PROBE_S: Final = 300.0  # slow disks and BMCs; the probe has bounds of its own


async def _act(given: RefreshInventory, _placed: Placed, node: Node) -> str:
    return await node.look(given.classes.split(",") if given.classes else [])


HANDLER: Final = Handler(RefreshInventory.verb, _act, PROBE_S)
