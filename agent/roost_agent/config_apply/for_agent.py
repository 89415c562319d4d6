"""The settings that the agent itself goes by, out of a document that root has applied. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Tables: TypeAlias = Mapping[str, Mapping[str, Any]]
PRIORITY: Final = 50  # of a path that no profile orders


@dataclass(frozen=True, slots=True)
class PathSettings:
    """What a profile says of the ways to the centre.

    Attributes:
        beat_ms, metered_ms: between two beats on a WAN path, and on a metered one; None: the node's
            own, and the same as on others.
        order: paths that cost last, then by priority: of each path that is named whether it is
            metered, and its priority.
        sources: interfaces that connections come from.
    """

    beat_ms: int | None = None
    metered_ms: int | None = None
    order: Mapping[str, tuple[bool, int]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def interval_ms(self, path: str, own_ms: int) -> int:
        """Return the time between two beats of a WAN path.

        Args:
            path: its name.
            own_ms: what the node's configuration says.
        """
        is_metered = self.order.get(path, _PLAIN)[0]
        said_ms = self.beat_ms if self.beat_ms is not None else own_ms
        return self.metered_ms if is_metered and self.metered_ms is not None else said_ms

    def rank(self, path: str) -> tuple[bool, int]:
        """Return where a path stands among those that are as well; the least carries reports."""
        return self.order.get(path, _PLAIN)


_PLAIN: Final = (False, PRIORITY)


@dataclass(frozen=True, slots=True)
class ForAgent:
    """What is the agent's own; empty where no profile says anything.

    Attributes:
        thresholds: limits and delays of alarm types, by the types' names.
        level: of the log; empty: the one that the agent was started with.
        processes: keys of watched processes, by the processes' names.
        paths: of its ways to the centre.
        ha: the section of local HA, which is read at the agent's start.
    """

    thresholds: Tables = field(default_factory=dict)
    level: str = ""
    processes: Tables = field(default_factory=dict)
    paths: PathSettings = field(default_factory=PathSettings)
    ha: Mapping[str, Any] = field(default_factory=dict)


def for_agent(applied: Tables) -> ForAgent:
    """Return the agent's part of a checked document."""
    return ForAgent(
        thresholds=_tables(applied.get("thresholds", {})),
        level=str(applied.get("log", {}).get("level", "")),
        processes=_tables(applied.get("processes", {}).get("watch", {})),
        paths=_paths(applied.get("paths", {})),
        ha=dict(applied.get("ha", {})),
    )


def _paths(said: Mapping[str, Any]) -> PathSettings:
    by_name: Tables = said.get("wan", {})
    return PathSettings(
        beat_ms=_ms(said.get("beat_interval_s")),
        metered_ms=_ms(said.get("metered_interval_s")),
        order={
            name: (bool(own.get("metered", False)), int(own.get("priority", PRIORITY)))
            for name, own in by_name.items()
        },
        sources={name: own["interface"] for name, own in by_name.items() if "interface" in own},
    )


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1_000


def _tables(said: Mapping[str, Any]) -> Tables:
    """Return the tables of a section, without what it says of itself."""
    return {name: each for name, each in said.items() if isinstance(each, dict)}
