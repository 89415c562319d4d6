"""Whether sites can come to a release in one step, and which release comes first. Pure.

A rollout brings one release, and a job is one hop of the update graph (protocol release/graph.py):
operators approve one release, each has a canary and a soak of its own, and no site goes down twice
for one approval. So a plan over sites that need a release in between is refused by the name of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from roost_central.rollout.waves import Candidate
from roost_protocol.release.graph import hop, way
from roost_protocol.release.target import TargetCustom


def refusals(
    named: Sequence[TargetCustom],
    counters: Mapping[str, int],
    wanted: TargetCustom,
    found: Iterable[Candidate],
) -> list[str]:
    """Return what sites have to be brought first, a sentence for each release that they run.

    Args:
        named: releases that the image repository names now.
        counters: of the component's releases that are known, by version.
        wanted: the release of the plan.
        found: its sites; what nobody knows a counter of the node judges itself.
    """
    running: dict[str, list[str]] = defaultdict(list)
    for each in found:
        versions = {kind[3] for kind in each.kinds} - {"", wanted.version}
        for version in sorted(versions):
            running[version].append(each.site)
    told = []
    for version, sites in sorted(running.items()):
        counter = counters.get(version)
        if counter is not None and not (step := hop(named, counter, wanted)).is_allowed:
            told.append(_sentence(version, sites, step.why, way(named, counter, wanted), wanted))
    return told


def _sentence(
    version: str,
    sites: Sequence[str],
    why: str,
    hops: Sequence[TargetCustom],
    wanted: TargetCustom,
) -> str:
    head = f"{len(sites)} sites run {wanted.component} {version}, {sites[0]} among them: {why}"
    if not hops:
        return f"{head}, and no release that is named leads there: leave them out, or build one"
    steps = ", then ".join(each.version for each in hops)
    return (
        f"{head}: bring {hops[0].version} there first, by a plan with "
        f'version = "{hops[0].version}" (the way is {steps})'
    )
