"""What a node reported while a human had to choose about it, as operators see it."""

import msgspec

from roost_central.api.answers import Time
from roost_central.api.call import Call
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.events import PageQuery
from roost_central.api.instants import instant
from roost_central.api.named_node import named_node
from roost_central.storage import held_items


class HeldAnswer(msgspec.Struct, frozen=True):
    """One item that was kept apart, and changed nothing of the fleet.

    ``at`` is by the node's clock. ``boot_id`` and ``incarnation`` tell two boxes apart. ``text`` is
    empty where the item is a document. ``body`` is its beginning (at most 4,096 bytes) in base64,
    ``size_bytes`` what it was.
    """

    seq: int
    node: str
    received: Time | None
    at: Time | None
    boot_id: str
    incarnation: int
    lane: str
    item_seq: int
    kind: str
    text: str
    size_bytes: int
    body: bytes


class HeldPage(msgspec.Struct, frozen=True):
    """Items that were kept apart, the newest first."""

    items: list[HeldAnswer]
    next: str | None


async def list_held(call: Call[PageQuery, None]) -> HeldPage:
    """GET /api/v1/nodes/{node}/held; none of a node that never was in such a quarantine.

    Raises:
        ApiError: ``not-found``: the node is none that the caller may see.
    """
    node, asked = named_node(call).node, call.query
    scope = scope_of("held", node)
    before = place_of(asked.cursor, scope=scope)
    async with call.api.database.read() as connection:
        found = await held_items.page(connection, node, before=before, limit=asked.limit + 1)
    shown, following = page_of(found, asked.limit, scope=scope)
    return HeldPage([_answer(item) for item in shown], following)


def _answer(item: held_items.HeldItem) -> HeldAnswer:
    return HeldAnswer(
        seq=item.seq,
        node=item.node,
        received=instant(item.received_ms),
        at=instant(item.at_ms),
        boot_id=item.boot_id.hex(),
        incarnation=item.incarnation,
        lane=item.lane,
        item_seq=item.item_seq,
        kind=item.kind,
        text=item.text,
        size_bytes=item.size_bytes,
        body=item.body,
    )
