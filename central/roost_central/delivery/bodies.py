"""What orders bring along, by its digest, read when one is sent.

The settings of ``configure`` are kept once, with what nodes should be (storage/desired.py); what
``update-offer`` offers with the job that it is of (storage/rollouts.py); what ``set-boards`` seals
with the node that it is sealed to (storage/boards.py).
"""

from collections import OrderedDict
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.orders.core import OrderRecord
from roost_central.storage import boards, desired, rollouts
from roost_protocol.board_verbs import SetBoards
from roost_protocol.order_verbs import Configure
from roost_protocol.profile.document import encode_settings
from roost_protocol.update_verbs import UpdateOffer

KEPT_MAX: Final = 64  # bodies at hand: most nodes share one


class Bodies:
    """Reads bodies; the last ones stay at hand."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    async def of(self, connection: AsyncConnection, record: OrderRecord) -> bytes:
        """Return what an order brings along; empty where its verb brings nothing.

        Empty as well where nobody should be this any more, after a backup; the node says so.
        """
        if record.verb == UpdateOffer.verb:
            return await rollouts.offer_of_job(connection, record.site, record.given["digest"])
        if record.verb == SetBoards.verb:
            return await boards.body(connection, record.given["digest"])
        if record.verb != Configure.verb:
            return b""
        return await self.by_digest(connection, bytes.fromhex(record.given["digest"]))

    async def by_digest(self, connection: AsyncConnection, digest: bytes) -> bytes:
        """Return settings in their canonical form; empty where no document has the digest."""
        body = self._kept.get(digest)
        if body is None:
            sections = await desired.settings(connection, digest)
            if sections is None:
                return b""
            body = encode_settings(sections)
            self._kept[digest] = body
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        return body
