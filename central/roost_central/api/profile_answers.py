"""What the API says of profiles: those that count, their texts, and what a change does."""

from typing import Any

import msgspec

from roost_central.api.answers import Time
from roost_central.profiles.draft import Plan
from roost_central.profiles.fault import NODES_SHOWN_MAX, ProfileFault
from roost_central.profiles.plan import GROUPS_MAX, Change, ChangeGroup
from roost_protocol.profile.field import dotted


class ProfileAnswer(msgspec.Struct, frozen=True):
    """A profile that counts.

    ``layer``: fleet, select, site, node; ``target``: the selector or the name. ``nodes``: how many
    that you see it is for, None where nobody counted. ``fault``: why this release cannot read it.
    """

    name: str
    layer: str
    target: str
    priority: int
    text: str
    file: str
    revision: int
    by: str
    at: Time | None
    settings: int
    nodes: int | None
    fault: str


class ProfileDetail(ProfileAnswer, frozen=True):
    """A profile with its text and its settings."""

    source: str
    sections: dict[str, Any]


class ProfilePage(msgspec.Struct, frozen=True):
    """All profiles, in the order of precedence."""

    items: list[ProfileAnswer]
    next: str | None = None


class RevisionAnswer(msgspec.Struct, frozen=True):
    """One text of a profile; ``source`` None: it was removed."""

    revision: int
    at: Time | None
    by: str
    reason: str
    source: str | None


class RevisionPage(msgspec.Struct, frozen=True):
    """The newest REVISIONS_MAX texts of a profile, the newest first."""

    items: list[RevisionAnswer]
    next: str | None = None


class SettingAnswer(msgspec.Struct, frozen=True):
    """One setting that becomes another; None: it is not set. ``mark``: what that takes."""

    path: str
    old: Any
    new: Any
    profile: str
    mark: str


class GroupAnswer(msgspec.Struct, frozen=True):
    """Nodes that change in the same way: how many, some of them, and how."""

    nodes: int
    examples: list[str]
    mark: str
    changes: list[SettingAnswer]


class FaultAnswer(msgspec.Struct, frozen=True):
    """Why a change is refused: file, line, setting, nodes concerned and the bound in a sentence."""

    file: str
    line: int
    where: str
    code: str
    detail: str
    nodes: int
    examples: list[str]


class PlanAnswer(msgspec.Struct, frozen=True):
    """What a change does.

    ``outcomes``: created, updated, unchanged or removed by profile; ``matched``: nodes that each
    is for; ``changed``: nodes whose settings change, in ``groups``, the largest first, of which
    ``groups_left`` are not shown, and of them ``resumed``, which an aborted rollout of these
    profiles holds back; ``unchecked``: nodes that may not be able to, for their inventory is not
    known; ``unable``: nodes of ``changed`` whose agents take no settings now; ``sites``: how many
    these nodes are of; ``rollout``: by which it reaches them, with the sites of each wave in
    ``waves``; empty: all at once.
    """

    outcomes: dict[str, str]
    matched: dict[str, int]
    changed: int
    groups: list[GroupAnswer]
    groups_left: int
    unchecked: int
    unable: int
    faults: list[FaultAnswer]
    sites: int
    resumed: int
    rollout: str = ""
    waves: list[int] = []


def group_answers(plan: Plan) -> list[GroupAnswer]:
    """Return the nodes that change, by what changes, as far as they are shown."""
    return [_group(each) for each in plan.groups[:GROUPS_MAX]]


def plan_answer(plan: Plan) -> PlanAnswer:
    """Return a plan as it is answered."""
    return PlanAnswer(
        outcomes=plan.outcomes,
        matched=plan.matched,
        changed=plan.changed,
        groups=group_answers(plan),
        groups_left=max(len(plan.groups) - GROUPS_MAX, 0),
        unchecked=plan.unchecked,
        unable=plan.unable,
        faults=[
            FaultAnswer(
                file=each.file,
                line=each.line,
                where=each.where,
                code=each.code,
                detail=each.detail,
                nodes=each.nodes,
                examples=list(each.examples),
            )
            for each in plan.faults
        ],
        sites=plan.sites,
        resumed=len(plan.resumed),
    )


def _group(group: ChangeGroup) -> GroupAnswer:
    return GroupAnswer(
        nodes=len(group.nodes),
        examples=group.nodes[:NODES_SHOWN_MAX],
        mark=group.mark,
        changes=[_setting(each) for each in group.changes],
    )


def _setting(change: Change) -> SettingAnswer:
    return SettingAnswer(dotted(change.path), change.old, change.new, change.profile, change.mark)


def sentence(fault: ProfileFault) -> str:
    """Return a fault as one sentence without the setting: file, line, what is wrong, nodes."""
    place = f"{fault.file}, line {fault.line}" if fault.line else fault.file
    text = f"{place}: {fault.detail}" if place else fault.detail
    if not fault.examples:
        return text
    count = "1 node" if fault.nodes == 1 else f"{fault.nodes} nodes"
    more = ", ..." if fault.nodes > len(fault.examples) else ""
    return f"{text} ({count}: {', '.join(fault.examples)}{more})"
