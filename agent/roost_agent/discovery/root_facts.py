"""Has the helper lend what only root can read, before a probe that would be denied it.

Where no helper is, a probe says ``denied`` of those fields and everything else goes on. It is the
child's work, so that the resident agent carries none of it.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from roost_agent.helper.frame import SOCKET
from roost_agent.helper_client import HelperError, HelperGoneError, ask

WAIT_S: Final = 5.0  # for files that take milliseconds to read; then the probe goes without
CLASSES: Final = frozenset({"system", "dimm", "dmi"})  # that read them

_log = logging.getLogger(__name__)


def borrow(classes: Collection[str], socket: str = SOCKET) -> None:
    """Ask for the facts that a probe of these classes reads; of all of them where empty.

    A helper that is absent or refuses is no error.
    """
    if classes and CLASSES.isdisjoint(classes):
        return
    try:
        asyncio.run(ask("facts", socket=socket, seconds=WAIT_S, name="dmi"))
    except HelperGoneError as err:
        _log.debug("without root's facts: %s", err)
    except HelperError as err:
        _log.warning("without root's facts: %s", err)
