"""What a change of profiles does to the fleet: who changes what, and why it may not. Pure.

Nodes with the same change are one group. A fault is told with the file and the line of the profile
whose value it is, and with the nodes concerned.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from roost_central.profiles.core import Compilation, Compiled
from roost_central.profiles.fault import NODES_SHOWN_MAX, ProfileFault
from roost_central.profiles.layer import Layer, Profile
from roost_central.profiles.toml_lines import line_of
from roost_protocol.profile.check import Fault, field_at, leaves
from roost_protocol.profile.field import Mark, Path, dotted
from roost_protocol.profile.kinds import Value

if TYPE_CHECKING:
    from roost_central.profiles.merge import Conflict

GROUPS_MAX: Final = 50  # shown; the counts are of all
FAULTS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that becomes another; None: it is not set."""

    path: Path
    old: Value | None
    new: Value | None
    profile: str  # whose value it becomes; of one that goes, whose it was
    mark: Mark


@dataclass(slots=True)
class ChangeGroup:
    """Nodes that change in the same way."""

    changes: list[Change]
    nodes: list[str] = field(default_factory=list)

    @property
    def mark(self) -> Mark:
        """The most that one of its changes takes."""
        return max((each.mark for each in self.changes), key=list(Mark).index)


@dataclass(frozen=True, slots=True)
class Held:
    """The settings that a node has by the centre's word now; ``key`` is the same for the same."""

    key: bytes
    sections: Mapping[str, Any]
    reasons: Mapping[Path, str]


NOTHING: Final = Held(b"", {}, {})


def changes(before: Held, after: Compiled) -> list[Change]:
    """Return what is different, in the order of paths."""
    old, new = dict(leaves(before.sections)), dict(leaves(after.sections))
    return [
        Change(
            path,
            old.get(path),
            new.get(path),
            after.reasons[path] if path in new else before.reasons.get(path, ""),
            _mark(path),
        )
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _mark(path: Path) -> Mark:
    found = field_at(path)
    return Mark.LIVE if found is None else found.mark  # none: of another release, and it goes


def group_changes(
    changing: Iterable[str], held: Mapping[str, Held], compilation: Compilation
) -> list[ChangeGroup]:
    """Return the nodes that change, grouped by what changes, the largest group first."""
    groups: dict[tuple[bytes, bytes], ChangeGroup] = {}
    for node in changing:
        before, after = held.get(node, NOTHING), compilation.nodes[node]
        key = before.key, after.digest
        if key not in groups:
            groups[key] = ChangeGroup(changes(before, after))
        groups[key].nodes.append(node)
    same: dict[tuple[tuple[Path, str, str], ...], ChangeGroup] = {}
    for group in groups.values():  # another past may be the same change
        told = tuple((each.path, repr(each.old), repr(each.new)) for each in group.changes)
        if told in same:
            same[told].nodes += group.nodes
        else:
            same[told] = group
    return sorted(same.values(), key=lambda group: (-len(group.nodes), group.nodes[0]))


def matches(profile: Profile, compilation: Compilation, fleet: int) -> list[ProfileFault]:
    """Return what is wrong with whom a new profile is for, of a fleet of so many nodes."""
    matched = compilation.matched[profile.name]
    if profile.layer is Layer.FLEET:
        return []
    if not matched and not profile.nothing:
        detail = "is for no node; if that is meant: nothing = true"
        return [_at(profile, profile.layer.word, "matches-none", detail)]
    if profile.layer is Layer.SELECT and matched == fleet > 1 and not profile.everything:
        detail = f"matches all {fleet} nodes; if that is meant: everything = true"
        return [_at(profile, "select", "matches-all", detail, nodes=matched)]
    return []


def faults_of(compilation: Compilation, nodes: Collection[str]) -> list[ProfileFault]:
    """Return why nodes cannot have what profiles say, at most FAULTS_MAX."""
    return [*_conflicts(compilation, nodes), *_rules(compilation, nodes)][:FAULTS_MAX]


def _at(profile: Profile, key: str, code: str, detail: str, *, nodes: int = 0) -> ProfileFault:
    line = line_of(profile.source, ("profile", key))
    return ProfileFault(profile.file, line, f"profile.{key}", code, detail, nodes=nodes)


def _conflicts(compilation: Compilation, nodes: Collection[str]) -> list[ProfileFault]:
    concerned: dict[tuple[Path, str, str], tuple[Conflict, list[str]]] = {}
    for node in nodes:
        for each in compilation.nodes[node].merged.conflicts:
            key = each.path, each.first.name, each.second.name
            concerned.setdefault(key, (each, []))[1].append(node)
    found = []
    for conflict, some in concerned.values():
        first, second = conflict.first, conflict.second
        there = f"{first.file}, line {line_of(first.source, conflict.path)}"
        detail = (
            f"{second.name} and {first.name} ({there}) say different things and have the same "
            f"rank: {_way_out(second)}"
        )
        found.append(_of_value(second, conflict.path, "conflict", detail, some))
    return found


def _way_out(profile: Profile) -> str:
    """Return the rank of two profiles that cannot both be, and what helps."""
    if profile.layer is Layer.SELECT:
        return f"select, priority {profile.priority}; give one another priority"
    return f"{profile.layer.word}; leave it to one of them"


def _rules(compilation: Compilation, nodes: Collection[str]) -> list[ProfileFault]:
    concerned: dict[tuple[str, Fault], tuple[Profile, list[str]]] = {}
    for node in nodes:
        compiled = compilation.nodes[node]
        for fault in (*compiled.faults, *compilation.impossible.get(node, ())):
            profile = _whose(compiled, fault.path)
            concerned.setdefault((profile.name, fault), (profile, []))[1].append(node)
    return [
        _of_value(profile, fault.path, fault.code, fault.bound, some)
        for (_, fault), (profile, some) in concerned.items()
    ]


def _whose(compiled: Compiled, path: Path) -> Profile:
    """Return the profile of a setting, or of the last one below a path that is a table."""
    names = {name for place, name in compiled.reasons.items() if place[: len(path)] == path}
    return next(each for each in reversed(compiled.profiles) if each.name in names)


def _of_value(
    profile: Profile, path: Path, code: str, detail: str, nodes: Sequence[str]
) -> ProfileFault:
    return ProfileFault(
        profile.file, line_of(profile.source, path), dotted(path), code, detail,
        nodes=len(nodes), examples=tuple(nodes[:NODES_SHOWN_MAX]),
    )  # fmt: skip
