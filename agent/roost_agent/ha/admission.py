"""Puts the roster of the site into effect while all goes on: whoever is dropped is mute from then.

At this node's broker by its rules, for live sessions too; at this node by forgetting the key, so
that datagrams and what comes over other brokers count no more; and a broker whose box was dropped
is left. Safety needs none of it: to the lease a dropped node is one that is not heard.
"""

import logging
from collections.abc import Callable, Sequence

from roost_agent.ha.broker_files import Member
from roost_agent.ha.brokers import SiteBroker
from roost_agent.ha.config import HaConfig
from roost_agent.ha.link import HaPath
from roost_agent.ha.peer import Peers
from roost_agent.ha.roster import Boxes, Roster

log = logging.getLogger(__name__)


class Admission:
    """See the module.

    Args:
        roster: who belongs to the site.
        config: of the site, as this agent started with it.
        peers: with their paths.
        broker: of this node, None where it runs none.
        members: who may speak at it, by a roster.
    """

    def __init__(
        self,
        roster: Roster,
        config: HaConfig,
        peers: Peers,
        broker: SiteBroker | None,
        members: Callable[[Boxes], Sequence[Member]],
    ) -> None:
        self.roster = roster
        self._config = config
        self._peers = peers
        self._broker = broker
        self._members = members
        self._boxes = roster.boxes  # that are in effect

    async def run(self) -> None:
        """Follow the roster until cancelled."""
        await self.roster.run(self._changed)

    async def _changed(self) -> None:
        boxes, nodes = self.roster.boxes, self._config.nodes
        self._peers.limit([node.index for node in nodes if node.name in boxes])
        self._leave(self._peers.paths, boxes)
        self._boxes = boxes
        if self._broker is None:
            return
        try:
            await self._broker.admit(self._members(boxes))
        except OSError as err:
            log.warning("ha broker: its rules cannot be written, it is ended: %s", err)

    def _leave(self, paths: Sequence[HaPath], boxes: Boxes) -> None:
        for path in paths:
            broker = self._config.paths[path.number].broker
            if broker is not None and boxes.get(broker) != self._boxes.get(broker):
                path.abort("another box stands for the node of its broker")
