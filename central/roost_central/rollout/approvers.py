"""How many must sign a rollout: what its plan, its size and the signer's policy want. Pure."""

from typing import Final

from roost_central.rollout.plan import Plan

TWO_APPROVE_ABOVE: Final = 1_000  # sites


def approvers_of(plan: Plan, sites: int, least: int) -> int:
    """Return how many people must sign: what the plan, its size and the signer's policy want.

    Args:
        plan: says how many; it can ask for more than the others, not for fewer.
        sites: it is for.
        least: of the signer's own policy; 0: nobody has to (a demo).
    """
    return max(plan.approvers, least_approvers(sites, least))


def least_approvers(sites: int, least: int) -> int:
    """Return how many people must sign whatever a plan says.

    Args:
        sites: it is for.
        least: of the signer's own policy; 0: nobody has to (a demo).
    """
    return least and max(least, 2 if sites > TWO_APPROVE_ABOVE else 1)
