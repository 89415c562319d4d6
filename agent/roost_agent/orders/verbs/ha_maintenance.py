"""``ha-maintenance``: as ``roost-agent ha maintenance``, with the same refusals."""

from typing import Final

from roost_agent.control.message import HaMaintenance as Request
from roost_agent.orders.verbs.ha_answer import done_by_ha
from roost_agent.orders.verbs.handler import Handler, Node, Placed
from roost_protocol.order_verbs import HaMaintenance


async def _act(given: HaMaintenance, _placed: Placed, node: Node) -> str:
    return done_by_ha(node.ask_ha(Request(given.group, given.seconds)))


HANDLER: Final = Handler(HaMaintenance.verb, _act, 10.0)
