"""The settings of a box that is just being let in: they go with its identity.

So a new node is what it should be without another message, and nobody has to look at it. Where that
cannot be done within FIRST_S the box is let in all the same, and told once it is heard.
"""

import asyncio
import logging
from typing import Final

from roost_central.delivery.runner import DeliveryRunner
from roost_central.errors import CentralError
from roost_central.orders.runner import OrderRunner
from roost_central.profiles.desk import ProfileDesk
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

FIRST_S: Final = 5.0  # a box waits for its identity; a change of profiles takes longer


class FirstSettings:
    """Makes the orders that go with identities."""

    def __init__(
        self, profiles: ProfileDesk, deliveries: DeliveryRunner, orders: OrderRunner
    ) -> None:
        self._profiles = profiles
        self._deliveries = deliveries
        self._orders = orders

    async def of(self, node: str, generation: int) -> bytes:
        """Return the signed order that tells a box its settings; empty: it is told later, or none.

        Args:
            node: whose.
            generation: of its identity.
        """
        try:
            async with asyncio.timeout(FIRST_S):
                # Whatever it was by, it may have labels of a rule that let it in a moment ago.
                await self._profiles.refresh([split_node_id(node)[0]])
                order = await self._deliveries.place_now(node, generation)
                return await self._orders.handed(order, generation) if order else b""
        except (CentralError, TimeoutError) as err:
            logger.warning("%s is told its settings when it is heard: %r", node, err)
            return b""
