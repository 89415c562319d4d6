"""A site's status from its nodes' presence and its own word; better only after it held for a while.

``down`` needs evidence that silence is not: a heard node says that a service has no active one.
``maintenance`` is an operator's doing, where nothing else is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from roost_central.liveness.facts import SiteChanged
from roost_protocol.topics import NodeId, SiteId

RANK: Final = ("ok", "maintenance", "degraded", "down")  # of a site that is heard, the worst last


@dataclass(slots=True)
class Site:
    """A site's nodes and what was last said of it.

    Attributes:
        said: how it stands by its own words, where it is heard; one of RANK.
        excused: nodes whose silence is an operator's doing.
        better: the status that has to hold for a while before it is the site's.
    """

    site: SiteId
    nodes: dict[NodeId, None] = field(default_factory=dict)
    status: str = "unknown"
    said: str = "ok"
    excused: frozenset[NodeId] = frozenset()
    better: str = ""
    better_since_ms: int = 0
    announced: bool = False  # its last turn to unknown had an event of its own
    was_heard: bool = False  # any of its nodes, ever

    def review(
        self, presences: Mapping[NodeId, str], now_ms: int, hold_ms: int, *, announce: bool
    ) -> tuple[list[SiteChanged], int | None]:
        """Return the change, and when to look again where a better status must first hold."""
        target = status_of(presences, self.said, self.excused)
        if not _is_better(target, self.status):
            self.better = ""
            return self._change(target, announce=announce), None
        if self.better != target:
            self.better, self.better_since_ms = target, now_ms
        due_ms = self.better_since_ms + hold_ms
        if now_ms < due_ms:
            return [], due_ms
        self.better = ""
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


def status_of(
    presences: Mapping[NodeId, str], said: str = "ok", excused: frozenset[NodeId] = frozenset()
) -> str:
    """Return ``unknown`` when nobody is heard, else the worst of what is seen and what is said."""
    if not set(presences.values()) & {"online", "degraded"}:
        return "unknown"
    seen = [_seen(each, is_excused=node in excused) for node, each in presences.items()]
    return max(said, *seen, key=_rank)


def _seen(presence: str, *, is_excused: bool) -> str:
    """Return what a node's presence makes of its site."""
    if presence == "unreachable" and is_excused:
        return "maintenance"
    return "degraded" if presence in {"degraded", "unreachable"} else "ok"


def _is_better(target: str, status: str) -> bool:
    """Say whether a site that is heard, and was, is better off than before."""
    return "unknown" not in {target, status} and _rank(target) < _rank(status)


def _rank(status: str) -> int:
    return RANK.index(status)
