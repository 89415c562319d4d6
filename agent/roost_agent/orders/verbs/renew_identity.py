"""``renew-identity``: the next generation of keys. The agent ends with it, and is back under it."""

from typing import Final

from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.handler import ActError, Handler, Node, Placed
from roost_protocol.order_verbs import RenewIdentity

RENEW_S: Final = 150.0  # the child has 120 s


async def _act(_given: RenewIdentity, _placed: Placed, node: Node) -> str:
    await node.renew()
    return "renewed; the agent starts anew"


def _resumed(taken: Taken, node: Node) -> str:
    if node.generation == taken.own_generation:
        raise ActError("interrupted", "the agent ended before there was a new identity")
    return f"generation {node.generation} is in use"


HANDLER: Final = Handler(RenewIdentity.verb, _act, RENEW_S, _resumed)
