"""``update-cancel``: give a software update up, unless it is past its commit."""

from typing import Final

from roost_agent.orders.verbs.handler import Handler, Node, Placed
from roost_protocol.update_verbs import UpdateCancel

CANCEL_S: Final = 30.0


async def _act(given: UpdateCancel, _placed: Placed, node: Node) -> str:
    return await node.cancel_update(given.job)


HANDLER: Final = Handler(UpdateCancel.verb, _act, CANCEL_S)
