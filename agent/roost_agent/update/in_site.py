"""The coordinator of a node in a site with local HA: the site's word, and what it sees itself."""

from collections.abc import Collection

import msgspec

from roost_agent.update.alone import Alone
from roost_agent.update.kept import Hold, Kept
from roost_agent.update.out_of_service import OutOfService
from roost_agent.update.site_job import Verdict
from roost_agent.update.site_standing import Head, Role
from roost_agent.update.site_update import Here, SiteUpdate
from roost_agent.update.times import held
from roost_protocol.update import Offer


class InSite:
    """A node of a site with local HA, which goes by its coordinator's word.

    Args:
        alone: the same node by itself.
        site: its word.
        service: what runs on this node.
    """

    def __init__(self, alone: Alone, site: SiteUpdate, service: OutOfService) -> None:
        self._alone = alone
        self._site = site
        self._service = service
        self.near = site.near
        self.lending = site.lending
        self.drain = service.drain
        self.hand_over = service.hand_over
        self.lock = service.lock
        self.unlock = service.unlock
        self.look = alone.look
        self.is_reached = alone.is_reached
        self.baseline = alone.baseline
        self.standing = alone.standing

    def ask(self, offer: Offer, kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """See Coordinator."""
        why, is_own = self._alone.closed(offer)
        here = Here(
            takes_down=kept.reboot or kept.drain, closed=why, is_own=is_own, hold=held(hold),
            alarm=self._alone.alarm(offer, kept), is_reached=self.is_reached(),
        )  # fmt: skip
        return self._site.ask(offer, head, here)

    async def unwell(self, kept: Kept, expected: Collection[str]) -> str:
        """See Site: as a node alone, and it has its place in the site.

        That the whole site is cut off is no fault of a release. The way back is measured without
        the site: what is back is stuck by no fault of its neighbours.
        """
        if kept.before is not None and (why := self._site.view()):
            return why
        if self._site.is_cut_off:
            kept = msgspec.structs.replace(kept, was_reached=False)
        return await self._alone.unwell(kept, expected)

    @property
    def role(self) -> Role:
        """See Coordinator."""
        return self._site.role

    @property
    def is_locked(self) -> bool:
        """See Site."""
        return self._service.is_locked

    @property
    def holds_lease(self) -> bool:
        """See Site."""
        return self._service.holds_lease
