"""Whether what the node knows of releases is of these days: looked at daily, and after each job.

Who holds back what was signed, or lets it end, could otherwise keep a node from a release in
silence. The node runs on with what it has, and installs nothing meanwhile: root judges that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from roost_agent.alarms.service import Alarms
from roost_agent.ports import Entropy
from roost_agent.update.words import cut

log = logging.getLogger(__name__)

STALE: Final = "900.803"
FIRST_S: Final = 3_600.0  # at random within: a site begins all its nodes at once
EVERY_S: Final = (72_000.0, 86_400.0)
UNREACHABLE: Final = "unreachable: "  # the ways to the centre have alarms of their own


class Freshness:
    """One node's.

    Args:
        refresh: asks, and returns why what is known is stale, as ``CODE: sentence``; empty: it is
            not.
        alarms: to be told.
        entropy: for when.
    """

    def __init__(
        self, refresh: Callable[[], Awaitable[str]], alarms: Alarms, entropy: Entropy
    ) -> None:
        self._refresh = refresh
        self._alarms = alarms
        self._entropy = entropy
        self._due = asyncio.Event()

    def doubt(self) -> None:
        """Look soon: a job has ended."""
        self._due.set()

    async def run(self) -> None:
        """Look until cancelled."""
        wait_s = self._entropy.uniform(0, FIRST_S)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._due.wait()
            self._due.clear()
            await self.look()
            wait_s = self._entropy.uniform(*EVERY_S)

    async def look(self) -> None:
        """Ask once; raise the alarm or clear it. Who is not reached leaves it as it is."""
        try:
            why = await self._refresh()
        except (OSError, ValueError, TimeoutError) as err:
            log.warning("update: releases cannot be asked for: %s", str(err) or "no end of it")
            return
        if why.startswith(UNREACHABLE):
            log.info("update: not asked for releases: %s", why)
        elif why:
            log.warning("update: what is known of releases is stale: %s", why)
            self._alarms.raise_condition(STALE, {"reason": cut(why)})
        else:
            self._alarms.clear_condition(STALE)
