"""Sites of which a majority decides, whose nodes read the power of one that they lost.

There a proof stands in for no vote: it ends the promises to the boot that ended, before their time.
"""

import itertools
from dataclasses import replace

import pytest
from sim.ha.plan import random_plan
from sim.ha.world import run

pytestmark = pytest.mark.timeout(600)

CHUNK = 60
MAJORITY = 3


def plans(first):
    """Random sites of three and five, with more crashes than others have."""
    for seed in itertools.count(first):
        plan = random_plan(seed)
        if plan.nodes < MAJORITY or plan.voters:
            continue
        crashes = tuple(
            replace(fault, kind="crash") if place % 2 else fault
            for place, fault in enumerate(plan.faults)
        )
        yield replace(plan, has_bmc=True, faults=crashes)


def test_sites_of_three_and_five_that_read_power_keep_every_invariant():
    moved = 0
    for plan in itertools.islice(plans(300_000), CHUNK):
        outcome = run(plan)
        assert outcome.violations == (), plan
        moved += outcome.met.get("a right moved by proof before its end", 0)
    assert moved
