"""A node's word on an order, taken in with the report that brought it, in its transaction."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.orders import core
from roost_central.orders.box import expect_box
from roost_central.orders.words import event_of, forged_event, is_news
from roost_central.storage import orders
from roost_central.storage.events import NewEvent
from roost_protocol.codec import Decoder
from roost_protocol.order import OrderState, OrderTold

_told: Final = Decoder[OrderTold](OrderTold)


async def take_in(
    connection: AsyncConnection, node: str, body: bytes, *, now_ms: int
) -> NewEvent | None:
    """Move the order that a node speaks of; return the event of it, None where nothing changed.

    A node speaks of its own orders alone. What it refused and nobody sent to it is told as that: it
    carried the node's seal, so whoever made it holds a key.

    Raises:
        ProtocolError: it cannot be read.
    """
    said = _told.decode(body)
    record = await orders.find(connection, said.id.hex())
    if record is None or record.node != node:
        is_forged = said.state is OrderState.REFUSED
        return forged_event(node, said.id.hex(), said.text, now_ms) if is_forged else None
    moved = core.told(record, said, now_ms)
    if moved is None:
        return None
    await orders.save(connection, moved)
    if core.awaits_box(moved):
        await expect_box(connection, moved, now_ms)
    is_moved = moved.state is not record.state
    return event_of(moved, now_ms) if is_moved and is_news(moved) else None
