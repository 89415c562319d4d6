"""Asks for the figures that gates go by (kpi.py): a query over the fleet, every few seconds.

What could not be asked for is unknown after a minute, and an unknown figure stops a soak and offers
nothing: no gate is passed by what was true once.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Final

from roost_central.errors import StorageError
from roost_central.ports import Clock
from roost_central.rollout.kpi import Holds
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.table import RolloutState
from roost_protocol.errors import ProtocolError

logger = logging.getLogger(__name__)

FIGURES_LOOK_S: Final = 10.0
FIGURES_STALE_S: Final = 60.0  # older than that nobody knows


class Figures:
    """What the queries of the gates hold for.

    Attributes:
        select: returns the sites that a query holds for.
    """

    def __init__(self, clock: Clock) -> None:
        self.select: Callable[[str], Awaitable[Collection[str]]] = _nobody
        self._clock = clock
        self._found: dict[str, tuple[int, frozenset[str]]] = {}
        self._looked_ms: dict[str, int] = {}

    async def look(self, open_: Iterable[OpenRollout]) -> None:
        """Ask for those of the waves whose turn it is that were not asked for lately."""
        now_ms = self._clock.mono_ms()
        wanted = {
            kpi.query
            for known in open_
            if known.rollout.head.state is RolloutState.RUNNING
            for kpi in known.rollout.rules(known.rollout.head.wave).kpis
        }
        self._found = {query: self._found[query] for query in wanted & self._found.keys()}
        self._looked_ms = {query: self._looked_ms.get(query, 0) for query in wanted}
        for query, looked_ms in self._looked_ms.items():
            if looked_ms and now_ms - looked_ms < FIGURES_LOOK_S * 1_000:
                continue
            self._looked_ms[query] = now_ms
            try:
                self._found[query] = (now_ms, frozenset(await self.select(query)))
            except (ProtocolError, StorageError) as err:
                logger.warning("a gate's figure is not known: %s: %s", query, err)

    def known(self) -> Holds:
        """Return what is known now."""
        oldest_ms = self._clock.mono_ms() - FIGURES_STALE_S * 1_000
        found: Mapping[str, frozenset[str]] = {
            query: sites for query, (at_ms, sites) in self._found.items() if at_ms >= oldest_ms
        }
        return found


async def _nobody(_query: str) -> Collection[str]:
    raise ProtocolError("query", detail="there is nobody to ask yet")
