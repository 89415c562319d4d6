"""For whom a rollout is meant: what operators sign, and what shows a site of it. Pure."""

from collections.abc import Iterable

from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.plan import Plan
from roost_protocol.release.meant import LATE_MAX, Shown, Tree, former_leaf, site_leaf


def tree_of(jobs: Iterable[Job]) -> Tree:
    """Return the tree of the sites that a rollout was made for.

    Raises:
        ProtocolError: ``sites``: they are none, or too many.
    """
    return Tree({job.site: job.former[1] for job in jobs if not job.is_late})


def late_max(head: Head, plan: Plan) -> int:
    """Return how many sites may join a rollout later; 0 where it is not of the whole fleet."""
    if not head.is_whole:
        return 0
    return min(head.sites * plan.late_max_pct // 100, LATE_MAX)


def shown(head: Head, tree: Tree, job: Job) -> Shown:
    """Return what shows the signer that a job's site is meant, or may join later."""
    former = job.former[1]
    leaf = former_leaf(former) if job.is_late else site_leaf(job.site, former)
    return Shown(rollout=head.id, former=former, proof=tree.proof(leaf))
