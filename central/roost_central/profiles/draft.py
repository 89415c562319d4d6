"""What a change of profiles comes to: a plan for people, and what is written for it. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field

from roost_central.profiles.change import Change
from roost_central.profiles.core import Compilation
from roost_central.profiles.desired import Known
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.plan import (
    NOTHING,
    ChangeGroup,
    Held,
    faults_of,
    group_changes,
    matches,
)
from roost_central.profiles.settle import Cause, Writes, settle
from roost_protocol.topics import split_node_id


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change of profiles does.

    Attributes:
        outcomes: by profile, a word of change.py.
        matched: how many nodes each of them is for.
        changed: how many nodes change.
        groups: all of them, the largest group first.
        unchecked: nodes that may not be able to, as their inventory is not known.
        unable: of those that change, nodes whose agents take no settings now.
        faults: why it is refused.
        sites: how many sites these nodes are of.
        resumed: nodes among those that an aborted rollout of these profiles holds back still, and
            that have nothing new beside that.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    matched: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    groups: list[ChangeGroup] = field(default_factory=list)
    unchecked: int = 0
    unable: int = 0
    faults: list[ProfileFault] = field(default_factory=list)
    sites: int = 0
    resumed: list[str] = field(default_factory=list)

    @property
    def nodes(self) -> list[str]:
        """The nodes that change."""
        return [*(node for group in self.groups for node in group.nodes), *self.resumed]


def concerned(change: Change, compilation: Compilation, known: Known) -> list[str]:
    """Return the nodes that a profile is for which is not as it was, or was for."""
    names = change.names
    after = {
        id(each): any(profile.name in names for profile in each.profiles)
        for each in compilation.nodes.values()
    }
    before = {
        key: not names.isdisjoint(document.reasons.values())
        for key, document in known.documents.items()
    }
    heads = known.heads
    return [
        node
        for node, compiled in compilation.nodes.items()
        if after[id(compiled)] or (node in heads and before.get(heads[node].document, False))
    ]


def work_out(
    change: Change, compilation: Compilation, known: Known, nodes: Collection[str], cause: Cause
) -> tuple[Plan, Writes]:
    """Return what a change does, and what is to be written for it.

    Args:
        change: what is asked.
        compilation: of all profiles that count then, judged.
        known: what nodes should be by now.
        nodes: that are concerned; what else is to be done for others is not this change's.
        cause: of all that changes.
    """
    writes = settle(compilation, known.heads, known.digests, cause, nodes)
    changing = [each.node for each in writes.changes]
    found = [
        fault
        for profile in change.fresh
        for fault in matches(profile, compilation, len(compilation.nodes))
    ]
    found += faults_of(compilation, nodes)
    held = {node: _held(known, node) for node in changing}
    plan = Plan(
        outcomes=change.outcomes,
        matched={
            name: compilation.matched[name]
            for name in change.outcomes
            if name in compilation.matched
        },
        changed=len(changing),
        groups=group_changes(changing, held, compilation),
        faults=found,
        sites=len({split_node_id(node)[0] for node in changing}),
    )
    return plan, writes


def _held(known: Known, node: str) -> Held:
    head = known.heads.get(node)
    document = None if head is None else known.documents.get(head.document)
    if document is None:
        return NOTHING
    return Held(document.key, document.sections, document.reasons)
