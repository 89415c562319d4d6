"""``ha-switchover``: as ``roost-agent ha switchover``, with the same refusals."""

from typing import Final

from roost_agent.control.message import HaSwitchover as Request
from roost_agent.orders.verbs.ha_answer import done_by_ha
from roost_agent.orders.verbs.handler import Handler, Node, Placed
from roost_protocol.order_verbs import HaSwitchover


async def _act(given: HaSwitchover, _placed: Placed, node: Node) -> str:
    return done_by_ha(node.ask_ha(Request(given.group, given.to or None)))


HANDLER: Final = Handler(HaSwitchover.verb, _act, 10.0)
