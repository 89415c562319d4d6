"""Takes a node of a site with local HA out of service for its update, and back into it.

Leaves to others: how what runs here is given away, and the host locked (host/acts.py); when
(site_update.py).
"""

import asyncio
from typing import TYPE_CHECKING, Final

from roost_agent.host.act import SWACT, UNLOCK, ActRefusedError, Wanted
from roost_agent.update.site_members import SiteMembers
from roost_protocol.host import Admin

if TYPE_CHECKING:
    from roost_agent.host.on_demand import ActsOnDemand
    from roost_agent.host.shell import HostShell

LOCK: Final = "host-lock"
BY: Final = "an update"
DRAIN_POLL_S: Final = 2.0


class OutOfService:
    """See the module.

    Args:
        host: this host.
        acts: on it.
        members: of its site.
    """

    def __init__(self, host: "HostShell", acts: "ActsOnDemand", members: SiteMembers) -> None:
        self._host = host
        self._acts = acts
        self._members = members

    async def drain(self) -> str:
        """Wait until the site can spare this node; the step's deadline ends it.

        Nothing that runs here is given to a host that is degraded: local HA would refuse that.
        """
        while self._host.site.may_go() or self._members.degraded_heir():  # noqa: ASYNC110 - beats change it, nothing is set
            await asyncio.sleep(DRAIN_POLL_S)
        return ""

    @property
    def is_locked(self) -> bool:
        """Whether this host is locked by somebody already."""
        return self._host.core.state[0] is Admin.LOCKED

    @property
    def holds_lease(self) -> bool:
        """Whether anything runs here that another node has to take first."""
        return bool(self._host.site.held())

    async def hand_over(self) -> str:
        """Give away what runs here."""
        return await self._acted(SWACT)

    async def lock(self) -> str:
        """Take this host out of service."""
        return "" if self.is_locked else await self._acted(LOCK)

    async def unlock(self) -> str:
        """Let it serve again."""
        return await self._acted(UNLOCK) if self.is_locked else ""

    async def _acted(self, verb: str) -> str:
        try:
            await self._acts.do(Wanted(verb, BY, "a software update"))
        except ActRefusedError as err:
            return str(err)
        return ""
