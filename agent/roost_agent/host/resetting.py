"""Has silent hosts reset in this node's turn as coordinator, and says what comes of it.

Right before an order leaves for a controller it is looked at once more: the lease held by the same
epoch, the host silent, the network not to blame. Leaves to others: the decision (resets).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from roost_agent.host.around import Around, Site
from roost_agent.host.ladder import EXHAUSTED
from roost_agent.host.moment import Moment
from roost_agent.host.resets import Answered, Reset, Resets, Tick
from roost_agent.host.site import SiteHosts
from roost_protocol.catalogue import cut
from roost_protocol.host import HostSaid

log = logging.getLogger(__name__)

# Words of the controllers' children (bmc/fault.py) after which nobody knows whether it was ordered.
UNSURE: Final = frozenset({"unconfirmed", "timeout", "child", "garbage"})
NOT_SENT: Final = "not sent"
SPENT: Final = "budget"  # before the reason of who counts (bmc/service)


class Resetting:
    """See the module.

    Args:
        hosts: the others of the site.
        site: whose turn it is.
        around: the way to board controllers.
        now: both clocks.
    """

    def __init__(
        self, hosts: SiteHosts, site: Site, around: Around, now: Callable[[], Moment]
    ) -> None:
        self._hosts = hosts
        self._site = site
        self._around = around
        self._now = now
        self._core = Resets()

    def look(self, group: asyncio.TaskGroup) -> None:
        """Take in how it is now, and do what is due."""
        now = self._now()
        lost = tuple(self._hosts.lost(now))
        boards = frozenset(each.node for each in lost if self._around.has_board(each.node))
        is_spent = bool(lost) and bool(self._around.spent())
        tick = Tick(self._site.turn(), lost, self._hosts.held_back, boards, is_spent)
        for asked in self._core.handle(tick, now):
            group.create_task(self._reset(asked), name=f"agent.host.reset[{asked.node}]")

    def told(self, said: HostSaid) -> HostSaid:
        """Return what is told of a host, with what is done about its silence."""
        if why := self._core.gave_up(said.node):
            return replace(said, task=EXHAUSTED, cause=cut(f"{said.cause}; given up: {why}"))
        task = self._core.task(said.node)
        return replace(said, task=task) if task else said

    async def _reset(self, asked: Reset) -> None:
        log.warning("host: %s is silent, and reset by its board controller", asked.node)
        self._answered(asked, await self._around.reset(asked.node, lambda: self._why_not(asked)))

    def _answered(self, asked: Reset, why: str) -> None:
        word = why.partition(":")[0]
        if why:
            log.warning("host: reset of %s: %s", asked.node, why)
        told = Answered(asked.node, why, may_have_been=word in UNSURE, is_early=word == SPENT)
        self._core.handle(told, self._now())

    def _why_not(self, asked: Reset) -> str:
        """Return why a reset is not to leave after all, as it is in this moment."""
        if self._site.turn() != asked.epoch:
            return f"{NOT_SENT}: this node does not coordinate any more"
        if self._hosts.held_back:
            return f"{NOT_SENT}: {self._hosts.held_back}"
        if all(each.node != asked.node for each in self._hosts.lost(self._now())):
            return f"{NOT_SENT}: it is heard again"
        return ""
