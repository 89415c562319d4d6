"""``configure``: the settings of the profiles, by root's one-shot, which checks the order again.

Done means that they are applied and were read back; what waits for a reboot is said.
"""

from typing import Final

from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.handler import ActError, Handler, LaterError, Node, Placed
from roost_protocol.order_verbs import Configure

APPLY_S: Final = 600.0  # boot loaders, and two minutes in which the node has to be reached


async def _act(given: Configure, placed: Placed, node: Node) -> str:
    return await node.configure(placed, given.digest)


def _resumed(taken: Taken, node: Node) -> str:
    if node.settings_tried == taken.given["digest"]:
        raise LaterError("trial", "the agent was restarted with it, and tries it")
    if node.settings_digest != taken.given["digest"]:
        raise ActError("interrupted", "the agent was restarted, and other settings are applied")
    return "applied"


HANDLER: Final = Handler(Configure.verb, _act, APPLY_S, _resumed)
