"""Sites that came since a rollout was made: as many as its plan allows join it."""

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.rollout.meant import late_max
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.sight import Sites, job_for
from roost_central.rollout.table import RolloutState
from roost_protocol.errors import ProtocolError

logger = logging.getLogger(__name__)

LATE_LOOK_S: Final = 60.0  # between looks for sites that a rollout's selector holds for by now

SelectSites = Callable[[str], Awaitable[Collection[str]]]  # a selector's sites, of the whole fleet


class LateSites:
    """Looks for them.

    Attributes:
        select: returns the sites that a selector holds for.
    """

    def __init__(self, view: FleetView, sites: Sites, clock: Clock) -> None:
        self.select: SelectSites = _no_sites
        self._view = view
        self._sites = sites
        self._clock = clock
        self._looked_ms = clock.mono_ms()

    async def take(self, open_: Collection[OpenRollout]) -> None:
        """Take in sites that came since a rollout was made, as many as its plan allows.

        Args:
            open_: rollouts of releases; a site that one of its component has joins no other.
        """
        now_ms = self._clock.mono_ms()
        if now_ms - self._looked_ms < LATE_LOOK_S * 1_000:
            return
        self._looked_ms = now_ms
        for known in open_:
            rollout, head = known.rollout, known.rollout.head
            room = late_max(head, rollout.plan) - (len(rollout.jobs) - head.sites)
            if room <= 0 or head.state is not RolloutState.RUNNING:
                continue
            try:
                found = await self.select(rollout.plan.selector)
            except ProtocolError as err:  # an earlier release read it otherwise
                logger.warning("rollout %s: nobody joins it later: %s", head.id, err)
                continue
            taken = {
                site
                for other in open_
                if other.rollout.head.component == head.component
                for site in other.rollout.jobs
            }
            late = [site for site in found if site not in taken and self._view.sites[site].nodes]
            some = [
                job_for(
                    self._sites.candidate(site, head.component, head.digest, ()), 0, is_late=True
                )
                for site in late[:room]
            ]
            rollout.join(some, self._clock.wall_ms())
            if joined := [each.site for each in some if each.site in rollout.jobs]:
                rollout.news.append(f"{len(joined)} sites joined later, {joined[0]} among them")


async def _no_sites(_selector: str) -> Collection[str]:
    return ()
