"""Makes a failing plan small: takes out what it fails without.

Bisects the list of faults (delta debugging, Zeller): halves first, then smaller pieces, until no
single fault can go. Each try is a whole run, so the number of tries is bounded.
"""

from collections.abc import Callable

from sim.plan import Plan

TRIES_MAX = 200


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Return a plan with as few of the faults as it still fails with."""
    tries = 0
    pieces = 2
    while plan.faults:
        count = len(plan.faults)
        size = -(-count // pieces)
        for start in range(0, count, size):
            tries += 1
            smaller = plan.without(set(range(start, min(start + size, count))))
            if fails(smaller):
                plan, pieces = smaller, max(pieces - 1, 2)
                break
            if tries >= TRIES_MAX:
                return plan
        else:
            if size == 1:
                return plan
            pieces = min(pieces * 2, count)
    return plan
