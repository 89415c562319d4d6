"""Has the helper lend what only root can read, before a probe that would be denied it.

Where no helper is, a probe says ``denied`` of those fields and everything else goes on. It is the
child's work, so that the resident agent carries none of it. What was lent is there until the next
boot, which is as long as the firmware's tables stay what they are: it is asked for once. The
neighbours are listened for anew at each look at the links; what is heard comes later, by the stamp
of its file.
"""

import logging
from collections.abc import Collection
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.helper.facts import FILES

WAIT_S: Final = 5.0  # for files that take milliseconds to read; then the probe goes without
CLASSES: Final = frozenset({"system", "dimm", "dmi"})  # that read them
NAME: Final = "dmi"
LINK_CLASSES: Final = frozenset({"nic", "link"})  # a probe of them: a cable may be another one
LISTENER: Final = "lldp"

_log = logging.getLogger(__name__)


def borrow(classes: Collection[str], reader: Reader, **where: str) -> None:
    """Ask for the facts that a probe of these classes reads; of all of them where empty.

    A helper that is absent or refuses is no error.

    Args:
        classes: to be probed.
        reader: of the probe; what it finds lent is not asked for again.
        where: ``socket``, if the helper's is not the usual one.
    """
    if not classes or LINK_CLASSES & set(classes):
        _ask(LISTENER, **where)
    if classes and CLASSES.isdisjoint(classes):
        return
    if any(reader.exists(path) and not reader.is_lent(path) for path in FILES[NAME]):
        _ask(NAME, **where)


def _ask(name: str, **where: str) -> None:
    import asyncio  # noqa: PLC0415 - a seventh of a probe's start, and most have nothing to ask

    from roost_agent.helper_client import HelperError, HelperGoneError, ask  # noqa: PLC0415

    try:
        asyncio.run(ask("facts", seconds=WAIT_S, name=name, **where))
    except HelperGoneError as err:
        _log.debug("without root's facts (%s): %s", name, err)
    except HelperError as err:
        _log.warning("without root's facts (%s): %s", name, err)
