"""Compiles profiles to one document for each node: who is matched, what wins, what cannot be. Pure.

Invariants: the same profiles and nodes give the same documents, in whatever order they come; a node
with a fault has no new document. Nodes of the same profiles share one ``Compiled``, so that the
cost goes by combinations and not by nodes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roost_central.fleet.query import parse
from roost_central.fleet.query_items import leaves
from roost_central.profiles.layer import Layer, Profile
from roost_central.profiles.merge import Merged, in_order, merge
from roost_central.profiles.possible import Machine, impossible, needs_machine
from roost_central.profiles.selector import (
    NOTHING_ASKED,
    Answers,
    Part,
    Subject,
    Test,
    compile_selector,
)
from roost_protocol.profile.check import Fault
from roost_protocol.profile.document import settings_digest
from roost_protocol.profile.field import Path
from roost_protocol.profile.rules import together

Recipe = tuple[int, ...]  # indices of profiles in their order


@dataclass(frozen=True, slots=True)
class Compiled:
    """The settings of some nodes.

    Attributes:
        profiles: whose they are, in the order of precedence.
        digest: of the settings.
        merged: settings, reasons and conflicts.
        faults: what is wrong with them wherever they are.
    """

    profiles: tuple[Profile, ...]
    digest: bytes
    merged: Merged
    faults: tuple[Fault, ...]

    @property
    def sections(self) -> Mapping[str, Any]:
        """The settings."""
        return self.merged.sections

    @property
    def reasons(self) -> Mapping[Path, str]:
        """Whose each value is."""
        return self.merged.reasons

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong with it, wherever it is."""
        return not self.faults and not self.merged.conflicts


@dataclass(frozen=True, slots=True)
class Compilation:
    """What profiles make of nodes.

    Attributes:
        nodes: each with its settings.
        matched: how many nodes each profile is for, by name.
        impossible: by node, what it cannot be.
    """

    nodes: dict[str, Compiled] = field(default_factory=dict)
    matched: dict[str, int] = field(default_factory=dict)
    impossible: dict[str, list[Fault]] = field(default_factory=dict)

    def is_demanding(self, node: str) -> bool:
        """Say whether a node has settings that not every machine can have."""
        return needs_machine(self.nodes[node].sections)

    def judge(self, machines: Mapping[str, Machine]) -> None:
        """Note what nodes cannot be; those that are not among the machines are not judged."""
        for node, machine in machines.items():
            if found := impossible(self.nodes[node].sections, machine):
                self.impossible[node] = found

    def is_well(self, node: str) -> bool:
        """Say whether a node may have its settings."""
        return self.nodes[node].is_well and node not in self.impossible


def parts_asked(profiles: Iterable[Profile]) -> list[Part]:
    """Return the parts of selectors that ask the inventory, each once."""
    selectors = (parse(each.target) for each in profiles if each.layer is Layer.SELECT)
    return list(dict.fromkeys(part for query in selectors for part in leaves(query.root)))


def compile_profiles(
    profiles: Iterable[Profile], subjects: Iterable[Subject], answers: Answers = NOTHING_ASKED
) -> Compilation:
    """Return what profiles make of nodes; those that the answers are unsure of are left out."""
    ordered = in_order(list(profiles))
    match = _matcher(ordered, answers)
    made: dict[Recipe, Compiled] = {}
    result = Compilation(matched={profile.name: 0 for profile in ordered})
    counts = [0] * len(ordered)
    for subject in subjects:
        if subject.node in answers.unsure:
            continue
        recipe = match(subject)
        compiled = made.get(recipe)
        if compiled is None:
            compiled = made[recipe] = _compiled([ordered[index] for index in recipe])
        result.nodes[subject.node] = compiled
        for index in recipe:
            counts[index] += 1
    result.matched.update(
        {profile.name: count for profile, count in zip(ordered, counts, strict=True)}
    )
    return result


def _compiled(profiles: Sequence[Profile]) -> Compiled:
    merged = merge(profiles)
    return Compiled(
        profiles=tuple(profiles),
        digest=settings_digest(merged.sections),
        merged=merged,
        faults=tuple(together(merged.sections)),
    )


def _matcher(ordered: Sequence[Profile], answers: Answers) -> Callable[[Subject], Recipe]:
    """Return what tells the profiles of a node.

    Most selectors look at a few labels that many sites share, and are asked once for each
    combination of them; others are asked once for nodes of a site with the same labels, and the few
    over nodes once a node.
    """
    everywhere = [index for index, each in enumerate(ordered) if each.layer is Layer.FLEET]
    by_name: dict[str, list[int]] = {}  # of a site or a node: no node is called as a site is
    of_labels: list[tuple[int, Test]] = []
    of_sites: list[tuple[int, Test]] = []
    of_nodes: list[tuple[int, Test]] = []
    keys: set[str] = set()
    for index, each in enumerate(ordered):
        if each.layer is Layer.SELECT:
            selector = compile_selector(parse(each.target), answers)
            if selector.labels is not None:
                of_labels.append((index, selector.test))
                keys |= selector.labels
            else:
                (of_sites if selector.is_of_sites else of_nodes).append((index, selector.test))
        elif each.layer is not Layer.FLEET:
            by_name.setdefault(each.target, []).append(index)
    looked_at = sorted(keys)
    by_labels: dict[tuple[str | None, ...], list[int]] = {}
    by_site: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}

    def of_site(subject: Subject) -> list[int]:
        labels = tuple(subject.labels.get(key) for key in looked_at)
        shared = by_labels.get(labels)
        if shared is None:
            shared = by_labels[labels] = [*everywhere, *_holding(of_labels, subject)]
        return [*shared, *_holding(of_sites, subject), *by_name.get(subject.site, ())]

    def match(subject: Subject) -> Recipe:
        alike = subject.site, tuple(subject.labels.items())  # a node may have labels of its own
        site = by_site.get(alike)
        if site is None:
            site = by_site[alike] = of_site(subject)
        own = [*_holding(of_nodes, subject), *by_name.get(subject.node, ())]
        return tuple(sorted([*site, *own]))

    return match


def _holding(tests: Sequence[tuple[int, Test]], subject: Subject) -> list[int]:
    return [index for index, test in tests if test(subject)]
