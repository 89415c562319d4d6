"""The last rung: a node that no smaller step helped is rebooted, once nothing runs on it any more.

Groups are given away or stopped first by whoever asks; what has not stopped in time ends with the
node, as it would at its deadline.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from roost_agent.ha.reboot import Reboot

LOOK_S: Final = 0.1

log = logging.getLogger(__name__)


class LastRung:
    """See the module.

    Args:
        reboot: does it, within its budget.
        is_at_rest: whether no group with a lease runs here.
        wait_s: for that.

    Attributes:
        refused: why the last one was not done, empty when it was or none was asked for.
    """

    def __init__(self, reboot: Reboot, is_at_rest: Callable[[], bool], wait_s: float) -> None:
        self.refused = ""
        self._reboot = reboot
        self._is_at_rest = is_at_rest
        self._wait_s = wait_s
        self._why = ""
        self._asked = asyncio.Event()

    def ask(self, why: str) -> None:
        """Have the node rebooted; a second reason adds nothing."""
        if not self._asked.is_set():
            self._why = why
            self._asked.set()

    async def run(self) -> None:
        """Do what is asked, until cancelled."""
        while True:
            await self._asked.wait()
            try:
                async with asyncio.timeout(self._wait_s):
                    while not self._is_at_rest():  # noqa: ASYNC110 - services tell nobody here
                        await asyncio.sleep(LOOK_S)
            except TimeoutError:
                log.critical("ha: not all has stopped within %g s", self._wait_s)
            self.refused = await self._reboot.now(self._why)
            if self.refused:
                log.critical("ha: %s", self.refused)
            self._asked.clear()
