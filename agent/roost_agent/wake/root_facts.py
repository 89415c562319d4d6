"""Has the helper lend what only root can read, before a probe that would be denied it.

Where no helper is, a probe says ``denied`` of those fields and everything else goes on.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from roost_agent.errors import AgentError
from roost_agent.helper.frame import SOCKET
from roost_agent.helper_client import HelperGoneError, ask
from roost_agent.wake.child import Document, probe

log = logging.getLogger(__name__)

WAIT_S: Final = 20.0  # for files that take milliseconds to read; then the probe goes without
CLASSES: Final = {"system", "dimm", "dmi"}  # of a probe that reads them


class RootFacts:
    """A prober that asks for root's facts first.

    Args:
        probe: what it does then.
        socket: the helper's.
    """

    def __init__(
        self,
        probe: Callable[[tuple[str, ...]], Awaitable[Document]] = probe,
        socket: str = SOCKET,
    ) -> None:
        self._probe = probe
        self._socket = socket
        self._said = ""

    async def __call__(self, classes: tuple[str, ...]) -> Document:
        """Return what a probe of the classes finds; of all of them where empty.

        Raises:
            ProbeError: the probe failed. A helper that refuses is no error.
        """
        if not classes or CLASSES & set(classes):
            await self._borrow()
        return await self._probe(classes)

    async def _borrow(self) -> None:
        try:
            await ask("facts", socket=self._socket, seconds=WAIT_S, name="dmi")
        except AgentError as err:
            is_news = str(err) != self._said
            self._said = str(err)
            level = logging.DEBUG if isinstance(err, HelperGoneError) else logging.WARNING
            log.log(level if is_news else logging.DEBUG, "survey: without root's facts: %s", err)
        else:
            self._said = ""
