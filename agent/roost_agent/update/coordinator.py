"""Who lets this node go on: its site's coordinator, or itself where it is alone."""

from typing import Protocol

from roost_agent.update.baseline import Baseline, Key
from roost_agent.update.kept import Hold, Kept
from roost_agent.update.site_job import Verdict
from roost_agent.update.site_standing import Head, Role
from roost_protocol.update import Offer


class Coordinator(Protocol):
    """See the module."""

    def ask(self, offer: Offer, kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """Return the coordinator's epoch, and where the site's job is."""

    @property
    def role(self) -> Role:
        """What this node is for in its site."""

    async def look(self, offer: Offer, *, is_at_it: bool) -> None:
        """Look at what ``ask`` goes by and cannot wait for, such as who keeps the clock.

        Args:
            offer: of the job.
            is_at_it: it has not ended on this node.
        """

    def standing(self, offer: Offer) -> tuple[Key, ...]:
        """Return the alarms on this node that an offer's word does not let pass."""

    def is_reached(self) -> bool:
        """Say whether this node beats on any path."""

    def baseline(self) -> Baseline:
        """Return what runs and is raised on this node now."""
