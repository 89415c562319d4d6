"""What the runner asks of those who bring what rollouts send: one of them for each kind.

The cores know a target as a digest. What that is, who says that it runs it, how it comes to a site
and what is left to do at the end is a carrier's: of releases (release_carrier.py), of profiles
(settings_carrier.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head, Sight
from roost_central.rollout.job import Job
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.outgoing import Sending


class Carrier(Protocol):
    """Brings what rollouts of one kind send; nothing of it waits for a node.

    Whoever calls it holds the runner's lock: no rollout moves meanwhile.
    """

    async def load(self, created: Mapping[str, int]) -> None:
        """Read what is left of rollouts that ended, before anything is told to nodes.

        Args:
            created: when each site that is there was registered, UTC ms.

        Raises:
            StorageError: it cannot be read.
        """

    async def settle(self) -> None:
        """Do what is left of rollouts that ended; what cannot be done now is tried again.

        Raises:
            StorageError: it is done with the next turn.
        """

    async def look(self, open_: Sequence[OpenRollout]) -> None:
        """Take in, before a turn, what became of what was sent, and who came later.

        Args:
            open_: the rollouts of this kind.

        Raises:
            StorageError: it is done with the next turn.
        """

    def sight(self, head: Head) -> Sight:
        """Return what tells what is known of a site, as a rollout sees it."""

    async def begin(self, rollout: Rollout) -> None:
        """Do what is to be done before the first site is offered anything.

        Raises:
            MoveError: it cannot be begun now; it says why.
            StorageError: it is not written.
        """

    async def prepared(self, known: OpenRollout, offered: Sequence[Job], now_ms: int) -> Sending:
        """Return what goes out once it is written."""

    def send(self, known: OpenRollout, sending: Sending, changed: Sequence[Job]) -> None:
        """Let out what is written: what was prepared, and where jobs stand."""

    def take_end(self, head: Head, jobs: Iterable[Job]) -> None:
        """Take in that a rollout is at its end."""

    def tell(self, *, is_now: bool) -> None:
        """Tell the fleet what its sites are to be; not at once: now and then, if it changed."""

    async def forget(self, site: str) -> None:
        """Let a site go that was removed: who comes by its name later gets nothing of it.

        Raises:
            StorageError: it is not written.
            OSError: the disk refuses.
        """
