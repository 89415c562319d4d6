"""Which nodes are heard and yet are not what they should be, for too long: 250.001. Pure.

A node that waits for its window is told as such, and is no more than a warning.

Invariants: it begins with time alone, and ends with equality alone: an order that was sent, taken
or done says nothing. A dark node only waits; what was raised of it before stands.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.delivery.core import Standing
from roost_central.fleet.entity import entity_of
from roost_protocol.severity import Severity

OUT_OF_DATE: Final = "250.001"
LATE_MS: Final = 300_000  # a document is applied and confirmed within two minutes


class LateWatch:
    """Since when each node differs while it is heard; bounded by the fleet.

    Args:
        raised: severity of the alarms that are open already, by node.
    """

    def __init__(self, raised: Mapping[str, Severity] = MappingProxyType({})) -> None:
        self._since_ms: dict[str, int] = {}
        self._raised = dict(raised)

    def note(
        self, node: str, standing: Standing, applied: int, now_ms: int
    ) -> OwnRaised | OwnCleared | None:
        """Take in how a node stands; return the alarm that begins or ends with it.

        Args:
            node: whose.
            standing: what is known of it.
            applied: the generation that it says; 0: none.
            now_ms: the monotonic clock.
        """
        target = standing.target
        if target is None or standing.is_same:
            self._since_ms.pop(node, None)
            why = "no profile is for it" if target is None else "it is what it should be"
            return self._cleared(node, why)
        if standing.said is None or not standing.is_heard:
            self._since_ms.pop(node, None)
            return None
        since_ms = self._since_ms.setdefault(node, now_ms)
        waits = standing.is_told and standing.attempt.waits_for_window
        severity = Severity.WARNING if waits else Severity.MAJOR
        if now_ms - since_ms < LATE_MS or self._raised.get(node) is severity:
            return None
        self._raised[node] = severity
        site = node.partition(".")[0]
        why = standing.attempt.text if waits else ""
        params: dict[str, int | str] = {"applied": applied, "desired": target.generation}
        params |= {"why": why} if waits else {}
        entity = entity_of(site, node)
        return OwnRaised(OUT_OF_DATE, entity, severity, params, site=site, node=node)

    def forget(self, node: str) -> None:
        """Drop a node that went; its alarms ended with it."""
        self._since_ms.pop(node, None)
        self._raised.pop(node, None)

    def _cleared(self, node: str, why: str) -> OwnCleared | None:
        if node not in self._raised:
            return None
        del self._raised[node]
        return OwnCleared(OUT_OF_DATE, entity_of(node.partition(".")[0], node), why)
