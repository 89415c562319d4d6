"""``resync``: alarms and inventory once more, in full, through the outbox."""

from typing import Final

from roost_agent.orders.verbs.handler import Handler, Node, Placed
from roost_protocol.order_verbs import Resync

WHOLE: Final = ("alarms", "inventory")


async def _act(given: Resync, _placed: Placed, node: Node) -> str:
    chosen = WHOLE if given.what == "all" else (given.what,)
    for what in chosen:
        node.say_again(what)
    return f"{' and '.join(chosen)} will be told again in full"


HANDLER: Final = Handler(Resync.verb, _act, 10.0)
