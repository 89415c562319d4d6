"""Which open rollouts are in another's way: one of a component has a site at a time. Pure.

Of profiles it is one at a time that has a profile, or a node. A plan is looked at by this for
people, and once more as it is written: two people may plan for one site in the same moment.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.table import Kind


@dataclass(frozen=True, slots=True)
class Claim:
    """What a rollout would have for itself.

    Attributes:
        but: the id of the rollout itself, or of the one in whose place it comes.
        supersede: it takes sites over from older ones of its component.
    """

    kind: Kind
    component: str
    sites: Collection[str]
    nodes: Collection[str] = ()
    profiles: Collection[str] = ()
    supersede: bool = False
    but: str = ""


@dataclass(frozen=True, slots=True)
class InTheWay:
    """An open rollout that has some of it.

    Attributes:
        has: what both have, as the middle of a sentence.
    """

    head: Head
    has: str

    def __str__(self) -> str:
        return f"rollout {self.head.id} ({self.head.name}) {self.has} and is {self.head.state}"


def claim_of(rollout: Rollout) -> Claim:
    """Return what a rollout has for itself."""
    head, jobs = rollout.head, rollout.jobs
    nodes = [node for job in jobs.values() for node in job.nodes]
    supersede = rollout.plan.supersede
    return Claim(
        head.kind, head.component, jobs.keys(), nodes, head.profiles, supersede, head.id
    )  # fmt: skip


def in_the_way(open_: Mapping[str, OpenRollout], claim: Claim) -> Iterator[InTheWay]:
    """Yield the open rollouts that have something of a claim.

    Args:
        open_: all that are open.
        claim: of a rollout that is about to be made, or to become another.
    """
    both = _of_profiles if claim.kind is Kind.PROFILE else _of_releases
    for id_, known in open_.items():
        if id_ == claim.but or known.rollout.head.kind is not claim.kind:
            continue
        has = both(known.rollout, claim)
        if has:
            yield InTheWay(known.rollout.head, has)


def _of_releases(other: Rollout, claim: Claim) -> str:
    if claim.supersede or other.head.component != claim.component:
        return ""
    both = [site for site in claim.sites if site in other.jobs]
    if not both:
        return ""
    return f"of {claim.component} has {len(both)} of these sites, {both[0]} among them,"


def _of_profiles(other: Rollout, claim: Claim) -> str:
    profiles = {*claim.profiles}.intersection(other.head.profiles)
    if profiles:
        return f"has profile {min(profiles)} as well"
    theirs = {node for job in other.jobs.values() for node in job.nodes}
    nodes = theirs.intersection(claim.nodes)
    return f"has {len(nodes)} of these nodes, {min(nodes)} among them," if nodes else ""
