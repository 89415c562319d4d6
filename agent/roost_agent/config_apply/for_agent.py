"""The settings that the agent itself goes by, out of a document that root has applied. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Tables: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ForAgent:
    """What is the agent's own; empty where no profile says anything.

    Attributes:
        thresholds: limits and delays of alarm types, by the types' names.
        level: of the log; empty: the one that the agent was started with.
        processes: keys of watched processes, by the processes' names.
    """

    thresholds: Tables = field(default_factory=dict)
    level: str = ""
    processes: Tables = field(default_factory=dict)


def for_agent(applied: Tables) -> ForAgent:
    """Return the agent's part of a checked document."""
    return ForAgent(
        thresholds=_tables(applied.get("thresholds", {})),
        level=str(applied.get("log", {}).get("level", "")),
        processes=_tables(applied.get("processes", {}).get("watch", {})),
    )


def _tables(said: Mapping[str, Any]) -> Tables:
    """Return the tables of a section, without what it says of itself."""
    return {name: each for name, each in said.items() if isinstance(each, dict)}
