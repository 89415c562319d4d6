"""A site's status from its nodes' presence; better only after it held for a while.

``down`` needs evidence that silence is not (a heard node says a service has no active): it comes
with the services. ``maintenance`` is an operator's word and comes with the hosts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from roost_central.liveness.facts import SiteChanged
from roost_protocol.topics import NodeId, SiteId


@dataclass(slots=True)
class Site:
    """A site's nodes and what was last said of it."""

    site: SiteId
    nodes: dict[NodeId, None] = field(default_factory=dict)
    status: str = "unknown"
    well_since_ms: int | None = None
    announced: bool = False  # its last turn to unknown had an event of its own
    was_heard: bool = False  # any of its nodes, ever

    def review(
        self, presences: Iterable[str], now_ms: int, hold_ms: int, *, announce: bool
    ) -> tuple[list[SiteChanged], int | None]:
        """Return the change, and when to look again where a better status must first hold."""
        target = status_of(presences)
        if target != "ok" or self.status != "degraded":
            self.well_since_ms = None
            return self._change(target, announce=announce), None
        if self.well_since_ms is None:
            self.well_since_ms = now_ms
        due_ms = self.well_since_ms + hold_ms
        if now_ms < due_ms:
            return [], due_ms
        self.well_since_ms = None
        return self._change(target, announce=announce), None

    def told_late(self) -> list[SiteChanged]:
        """Tell that the site is unknown where it was when we started, or while we were in doubt."""
        if self.status != "unknown" or self.announced:
            return []
        self.announced = True
        return [SiteChanged(self.site, self.status, self.status)]

    def _change(self, target: str, *, announce: bool) -> list[SiteChanged]:
        if target == self.status:
            return []
        old, self.status = self.status, target
        if target == "unknown":
            self.announced = announce
        elif old == "unknown":
            announce = self.announced
        return [SiteChanged(self.site, old, target, announce)]


def status_of(presences: Iterable[str]) -> str:
    """Return ``unknown`` when nobody is heard, ``ok`` when nobody is known to be worse off."""
    seen = set(presences)
    if not seen & {"online", "degraded"}:
        return "unknown"
    return "degraded" if seen & {"degraded", "unreachable"} else "ok"
