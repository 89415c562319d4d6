"""Which release may follow which: the update graph, from what the signers say of each. Pure.

An edge is missing where a release does not come from as far back as the present one
(``least_counter``), and across a barrier; a retracted release is no longer named by the image
repository, and so has no edges that lead to it (updates.md 5; the shape of Cincinnati).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from roost_protocol.release.target import TargetCustom


@dataclass(frozen=True, slots=True)
class Hop:
    """Whether a release may be installed over another; ``why`` it may not, in a sentence."""

    is_allowed: bool
    why: str = ""


def hop(named: Iterable[TargetCustom], running: int, wanted: TargetCustom) -> Hop:
    """Return whether a node may go to a release in one step.

    Args:
        named: releases of the component that the image repository names now.
        running: the counter of what it runs; 0: nothing, so that every release may come.
        wanted: where to.
    """
    releases = [each for each in named if each.component == wanted.component]
    if all(each.counter != wanted.counter for each in releases):
        return Hop(is_allowed=False, why=f"{wanted.version} was retracted")
    if not running:
        return Hop(is_allowed=True)
    if running < wanted.least_counter:
        return Hop(
            is_allowed=False,
            why=f"{wanted.version} comes from release {wanted.least_counter} on, not {running}",
        )
    between = [each for each in releases if running < each.counter < wanted.counter]
    for each in sorted(between, key=lambda one: one.counter):
        if each.is_barrier:
            return Hop(is_allowed=False, why=f"{each.version} comes first: it is a barrier")
    return Hop(is_allowed=True)


def way(named: Iterable[TargetCustom], running: int, wanted: TargetCustom) -> list[TargetCustom]:
    """Return the fewest hops to a release, it last; empty: there is no way, or it is there."""
    releases = sorted(
        (each for each in named if each.component == wanted.component),
        key=lambda one: one.counter,
    )
    hops: list[TargetCustom] = []
    at = running
    while at != wanted.counter:
        steps = [each for each in releases if at < each.counter <= wanted.counter]
        # Straight there, or as far as one hop leads: what comes from less far back is later.
        step = next((each for each in reversed(steps) if hop(releases, at, each).is_allowed), None)
        if step is None:
            return []
        hops.append(step)
        at = step.counter
    return hops
