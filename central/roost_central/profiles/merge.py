"""Lays profiles over each other: tables merge, lists and single values replace. Pure.

Each value keeps the name of the profile that it comes from. Two of the same rank that say different
things of one setting are a conflict: no order decides that, a person must.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roost_central.profiles.layer import Profile
from roost_protocol.profile.check import leaves
from roost_protocol.profile.field import Path
from roost_protocol.profile.kinds import Value


@dataclass(frozen=True, slots=True)
class Conflict:
    """One setting that two profiles of the same rank say differently."""

    path: Path
    first: Profile
    second: Profile


@dataclass(frozen=True, slots=True)
class Merged:
    """What profiles are together.

    Attributes:
        sections: the settings.
        reasons: by path, the name of the profile whose value it is.
        conflicts: where none of two counts; the first one's value stands in ``sections``.
    """

    sections: dict[str, Any] = field(default_factory=dict)
    reasons: dict[Path, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def in_order(profiles: Sequence[Profile]) -> list[Profile]:
    """Return profiles in the order of precedence; what comes later wins."""
    return sorted(profiles, key=lambda each: (each.rank, each.name))


def merge(ordered: Sequence[Profile]) -> Merged:
    """Return what profiles are together that come ``in_order``."""
    values: dict[Path, tuple[Value, Profile]] = {}
    merged = Merged()
    for profile in ordered:
        for path, value in leaves(profile.sections):
            before = values.get(path)
            if before is not None and before[1].rank == profile.rank and before[0] != value:
                merged.conflicts.append(Conflict(path, before[1], profile))
                continue
            values[path] = value, profile
    for path, (value, profile) in values.items():
        _put(merged.sections, path, value)
        merged.reasons[path] = profile.name
    return merged


def _put(tree: dict[str, Any], path: Path, value: Value) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value


def value_at(sections: Mapping[str, Any], path: Path) -> Value | None:
    """Return the value of a setting, None where it is not set."""
    tree: Any = sections
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    found: Value = tree
    return found
