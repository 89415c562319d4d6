"""``reboot``: by roost-helper and its budget; done means that the kernel's boot id is another.

Not while local HA says that the site cannot spare the node. There is no way around that from afar:
who knows better reboots it on the node.
"""

import asyncio
from typing import Final

from roost_agent.control.message import GoDown, HaMayGoDown
from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.ha_answer import done_by_ha
from roost_agent.orders.verbs.handler import ActError, Handler, Node, Placed
from roost_protocol.order_verbs import Reboot

STILL_HERE_S: Final = 600.0  # units have their time to stop; after it nothing will come
ASK_S: Final = 90.0


async def _act(_given: Reboot, placed: Placed, node: Node) -> str:
    if node.has_ha:
        _ask_site(node)
    order = placed.order
    who = f"{order.by} and {order.approved_by}" if order.approved_by else order.by
    await node.reboot(f"{order.reason} ({who})"[:200], order.id.hex())
    await asyncio.sleep(STILL_HERE_S)
    raise ActError("still-here", f"no reboot within {STILL_HERE_S:.0f} s of the helper's word")


def _ask_site(node: Node) -> None:
    """Refuse to take a node away that its site cannot spare.

    What runs here and could run elsewhere is given away as the agent is told to end (ha.md).

    Raises:
        ActError: local HA says no, or does not know.
    """
    answer = node.ask_ha(HaMayGoDown())
    sentence = done_by_ha(answer)
    if answer.result["verdict"] == GoDown.NO:
        raise ActError("ha", f"this node is not to go down now: {sentence}")


def _resumed(taken: Taken, node: Node) -> str:
    if node.boot_id == taken.boot_id:
        raise ActError("interrupted", "the agent was restarted, the machine was not")
    return "the machine was restarted"


HANDLER: Final = Handler(Reboot.verb, _act, STILL_HERE_S + ASK_S, _resumed)
