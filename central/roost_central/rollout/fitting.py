"""Which nodes a release is not for, by their inventory: they would refuse it. Pure.

A node is the judge (agent trust/verdict.py): it compares the model that its firmware names and the
architecture of its kernel with what the release's signers say. The same is asked here before
anything is offered; a node that has told no inventory yet stands in nobody's way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from roost_central.rollout.waves import Candidate
from roost_protocol.release.target import TargetCustom
from roost_protocol.remedy import REMEDIES, Refusal

NAMED_MAX: Final = 5
NAMELESS: Final = "of a model that its firmware does not name"
FIELDS: Final[Mapping[Refusal, tuple[str, str]]] = {  # of the inventory: class and field
    Refusal.HARDWARE: ("system", "product_name"),
    Refusal.ARCH: ("os", "arch"),
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a node would refuse a release: ``says`` is its model or architecture; empty: nothing."""

    code: Refusal
    says: str


def wanted(custom: TargetCustom) -> dict[Refusal, Sequence[str]]:
    """Return what a release asks of a node, of which any will do."""
    asked = {Refusal.HARDWARE: custom.hw, Refusal.ARCH: [custom.arch] if custom.arch else []}
    return {code: values for code, values in asked.items() if values}


def held_back(
    custom: TargetCustom, misfits: Mapping[str, Misfit], found: Iterable[Candidate]
) -> list[Candidate]:
    """Return sites, those held back that have a node which would refuse a release."""
    told = []
    for site in found:
        misfit = next((misfits[node] for node in site.nodes if node in misfits), None)
        if misfit is not None and not site.is_current:
            why = f"{misfit.code}: {_wants(custom, misfit)}, not {misfit.says or NAMELESS}"
            told.append(replace(site, held=why, why_not=why))
        else:
            told.append(site)
    return told


def refusals(
    custom: TargetCustom, misfits: Mapping[str, Misfit], found: Iterable[Candidate]
) -> list[str]:
    """Return which nodes would refuse a release, a sentence for each model, and what to do."""
    groups: dict[Misfit, list[str]] = {}
    for site in found:
        for node in () if site.is_current else site.nodes:
            if node in misfits:
                groups.setdefault(misfits[node], []).append(node)
    return [
        _sentence(custom, misfit, sorted(nodes))
        for misfit, nodes in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0].says))
    ]


def _sentence(custom: TargetCustom, misfit: Misfit, nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - NAMED_MAX:,} more" if len(nodes) > NAMED_MAX else ""
    is_are = "is" if len(nodes) == 1 else "are"
    who = f"{', '.join(nodes[:NAMED_MAX])}{more} {is_are} {misfit.says or NAMELESS}"
    item_class, field = FIELDS[misfit.code]
    selector = f"inv.{item_class}.{field}!=null"
    if misfit.says:
        selector = f'!inv.{item_class}.{field}="{misfit.says}"'
    return (
        f"{_wants(custom, misfit)}, and {who}: {REMEDIES[misfit.code]}; such a selector is "
        f"{selector}"
    )


def _wants(custom: TargetCustom, misfit: Misfit) -> str:
    values = wanted(custom)[misfit.code]
    more = f" and {len(values) - NAMED_MAX} more" if len(values) > NAMED_MAX else ""
    return f"{custom.component} {custom.version} is for {', '.join(values[:NAMED_MAX])}{more}"
