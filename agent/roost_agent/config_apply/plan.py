"""A whole document against a machine: what is refused, what is to be done, what differs. Pure.

Sections go in the order of the schema; those that are gone from the document are part of it, for
what they had set goes back to what it was.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from roost_agent.config_apply.core import SectionPlan, Whole
from roost_agent.config_apply.section import Originals
from roost_agent.config_apply.sections import SECTIONS
from roost_protocol.config_report import Drift
from roost_protocol.limits import CONFIG_SHOWN_CHARS_MAX
from roost_protocol.profile.check import Tree, field_at, leaves
from roost_protocol.profile.field import Mark, Path, dotted
from roost_protocol.profile.kinds import Value

DRIFT: Final = "drift"  # the field of each section that says what is done about drift
REAPPLY: Final = "reapply"
FoundAll: TypeAlias = Mapping[str, Any]
AllOriginals: TypeAlias = Mapping[str, Originals]


def concerned(wanted: Tree, before: Tree) -> list[str]:
    """Return the sections that a document or the one before it has, in their order."""
    return [name for name in SECTIONS if name in wanted or name in before]


def refusals(wanted: Tree, found: FoundAll) -> list[tuple[str, str]]:
    """Return section and reason of all that this machine cannot be."""
    return [
        (name, f"{name}.{why}")
        for name in concerned(wanted, {})
        for why in SECTIONS[name].refusals(wanted[name], found[name])
    ]


def whole(
    wanted: Tree, before: Tree, found: FoundAll, originals: AllOriginals
) -> tuple[Whole, AllOriginals]:
    """Return what brings a machine from what was found to what is wanted, and the originals then.

    Args:
        wanted: the document.
        before: the one that was applied.
        found: what was read of every section of both.
        originals: by section, of the state.
    """
    plans, kept, is_tried = [], {}, False
    for name in concerned(wanted, before):
        trees = (wanted.get(name, {}), before.get(name, {}))
        plan = SECTIONS[name].plan(*trees, found[name], originals.get(name, {}))
        plans.append(SectionPlan(name, plan.steps))
        if plan.originals:
            kept[name] = plan.originals
        is_tried = is_tried or plan.is_tried
    cuts_off = any(each.steps and SECTIONS[each.section].needs_confirm for each in plans)
    return Whole(tuple(plans), needs_confirm=cuts_off or is_tried), kept


def differences(name: str, wanted: Tree, found: object) -> list[tuple[Path, Value, Value | None]]:
    """Return the settings of a section that are not what they should be: path, wanted, found."""
    now = SECTIONS[name].values(wanted, found)
    return [
        (path, value, now.get(path))
        for path, value in leaves(wanted)
        if path != (DRIFT,) and not _equal(now.get(path), value)
    ]


def unlike(name: str, trees: Iterable[Tree], was: object, found: object) -> list[str]:
    """Return how the settings of these trees are not as they were, each in words."""
    told = []
    for tree in trees:
        before, now = (SECTIONS[name].values(tree, each) for each in (was, found))
        told += [
            f"{dotted((name, *path))} is {shown(now.get(path)) or 'absent'}, "
            f"was {shown(before.get(path)) or 'absent'}"
            for path, _ in leaves(tree)
            if now.get(path) != before.get(path)
        ]
    return told


def pending(wanted: Tree, found: FoundAll) -> list[str]:
    """Return the settings that wait for a reboot, by their paths as TOML writes them."""
    return [
        dotted((name, *path))
        for name in concerned(wanted, {})
        for path in sorted(SECTIONS[name].pending(wanted[name], found[name]))
    ]


def leaving(wanted: Tree, before: Tree, found: FoundAll) -> list[str]:
    """Return the settings that are gone, and in effect until the next boot.

    Args:
        wanted: the document.
        before: the one that was applied.
        found: of every section of both.
    """
    new = dict(leaves(wanted))
    return [
        dotted(path)
        for path, _ in leaves(before)
        if path not in new
        and (field := field_at(path)) is not None
        and field.mark is Mark.REBOOT
        and path[1:] not in SECTIONS[path[0]].pending(before[path[0]], found[path[0]])
    ]


def drift(wanted: Tree, found: FoundAll) -> dict[str, list[Drift]]:
    """Return what other hands have changed, by section; sections without are left out."""
    told = {}
    for name in concerned(wanted, {}):
        different = differences(name, wanted[name], found[name])
        if different:
            told[name] = [
                Drift(dotted((name, *path)), shown(value), shown(now))
                for path, value, now in different
            ]
    return told


def to_reapply(wanted: Tree) -> Tree:
    """Return the sections that are applied again where other hands changed them."""
    return {name: tree for name, tree in wanted.items() if tree.get(DRIFT) == REAPPLY}


def shown(value: Value | None) -> str:
    """Return a value as JSON, cut; empty: there is none."""
    if value is None:
        return ""
    text = msgspec.json.encode(value).decode()
    return (
        text if len(text) <= CONFIG_SHOWN_CHARS_MAX else f"{text[: CONFIG_SHOWN_CHARS_MAX - 3]}..."
    )


def _equal(one: Value | None, other: Value) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
