"""``reboot``: by roost-helper and its budget; done means that the kernel's boot id is another."""

import asyncio
from typing import Final

from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.handler import ActError, Handler, Node
from roost_protocol.order import Order
from roost_protocol.order_verbs import Reboot

STILL_HERE_S: Final = 600.0  # units have their time to stop; after it nothing will come
ASK_S: Final = 90.0


async def _act(_given: Reboot, order: Order, node: Node) -> str:
    who = f"{order.by} and {order.approved_by}" if order.approved_by else order.by
    await node.reboot(f"{order.reason} ({who})"[:200], order.id.hex())
    await asyncio.sleep(STILL_HERE_S)
    raise ActError("still-here", f"no reboot within {STILL_HERE_S:.0f} s of the helper's word")


def _resumed(taken: Taken, node: Node) -> str:
    if node.boot_id == taken.boot_id:
        raise ActError("interrupted", "the agent was restarted, the machine was not")
    return "the machine was restarted"


HANDLER: Final = Handler(Reboot.verb, _act, STILL_HERE_S + ASK_S, _resumed)
