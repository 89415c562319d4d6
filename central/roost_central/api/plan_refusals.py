"""Why a plan that can be read is not taken, each reason with what to do."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from roost_central.api.call import Call
from roost_central.profiles.own_windows import own_windows
from roost_central.releases.shelf import (
    AVAILABLE,
    NAMED,
    RETRACTED,
    UNAVAILABLE,
    UPLOADING,
    Release,
)
from roost_central.rollout import hops, windows
from roost_central.rollout.apart import Claim, in_the_way
from roost_central.rollout.plan import Plan
from roost_central.rollout.waves import Candidate, Cut

_NOT_AVAILABLE: Final = {  # what to do about a release that is not available
    UPLOADING: "have it signed and published first (`roost release sign`, `roost release publish`)",
    UNAVAILABLE: "publish its bundle again: a file of it was lost (`roost release show`)",
    RETRACTED: "make a plan of another release (`roost release list`): no node installs this one",
}
OPEN_MAX = 64  # rollouts that are not at their end


def refusals_of(  # noqa: PLR0913 - what a plan is looked at by
    call: Call[Any, Any],
    plan: Plan,
    release: Release | None,
    sites: Sequence[str],
    divided: Cut,
    *,
    but: str,
) -> list[str]:
    """Return why a plan of a release is not taken, each with what to do.

    ``but``: a rollout that it takes the place of.
    """
    found = []
    if release is not None and release.state != AVAILABLE:
        name = f"{plan.component} {plan.version}"
        found.append(f"release {name} is {release.state}: {_NOT_AVAILABLE[release.state]}")
    claim = Claim(plan.kind, plan.component, sites, supersede=plan.supersede, but=but)
    found += [
        f"{other}: let it end, or abort it first (deny it, where it awaits approval); "
        "supersede = true takes over those that do not have it yet"
        for other in in_the_way(call.api.rollouts.open, claim)
    ]
    return found + common_refusals(call, plan, divided)


def common_refusals(call: Call[Any, Any], plan: Plan, divided: Cut) -> list[str]:
    """Return why a plan of any kind is not taken."""
    found = windows.refusals(plan)
    if len(call.api.rollouts.open) >= OPEN_MAX:
        found.append(f"{OPEN_MAX} rollouts are open, the most there may be: end one first")
    if divided.uncovered and not plan.uncovered_ok:
        kind, count = divided.uncovered[0]
        words = ", ".join(word for word in kind if word) or "no kind"
        found.append(
            f"{len(divided.uncovered)} kinds of site have no usable canary, such as {words} "
            f"({count} sites): widen the first wave, or say uncovered_ok = true"
        )
    return found


async def window_refusals(
    call: Call[Any, Any], plan: Plan, found: Sequence[Candidate], divided: Cut
) -> list[str]:
    """Return which waves of a release end before windows of their nodes' profiles open."""
    site_of = {node: each.site for each in found for node in each.nodes}
    own = defaultdict(set)
    for node, window in (await own_windows(call.api.database, site_of)).items():
        own[site_of[node]].add(window)
    zones = {site: call.api.rollouts.sites.timezone(site) for site in own}
    return await asyncio.to_thread(  # some 20 ms for each two windows that do not meet
        windows.own_refusals,
        plan,
        divided.waves,
        own,
        zones.__getitem__,
        call.api.clock.wall_ms(),
    )


def hop_refusals(call: Call[Any, Any], release: Release, found: Sequence[Candidate]) -> list[str]:
    """Return which sites cannot come to a release in one step, and what comes first."""
    if call.api.releases is None:
        return []
    known = [each for each in call.api.releases.releases() if each.component == release.component]
    known.sort(key=lambda each: each.state in NAMED)  # one that is named counts for its version
    named = [each.custom for each in known if each.state in NAMED]
    counters = {each.version: each.custom.counter for each in known}
    return hops.refusals(named, counters, release.custom, found)
