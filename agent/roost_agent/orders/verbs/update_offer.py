"""``update-offer``: take a software update up, or say why not; how it goes is told by reports.

Done means that the job is in this node's journal: from then on it goes on by itself, and ends.
"""

from typing import Final

from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.handler import ActError, Handler, Node, Placed
from roost_protocol.order import read_signed
from roost_protocol.update_verbs import UpdateOffer

TAKE_S: Final = 30.0  # two rows of the journal, on a slow disk


async def _act(given: UpdateOffer, placed: Placed, node: Node) -> str:
    body = read_signed(placed.message).body
    return await node.take_update(given.job, given.attempt, body)


def _resumed(taken: Taken, node: Node) -> str:
    if not node.has_update(str(taken.given["job"]), int(taken.given["attempt"])):
        raise ActError("interrupted", "the agent was restarted before the job was in its journal")
    return "accepted"


HANDLER: Final = Handler(UpdateOffer.verb, _act, TAKE_S, _resumed)
