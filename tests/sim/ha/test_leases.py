"""Sites with more leases than one: groups, slots, and the built-in one with another holder."""

from dataclasses import replace

import pytest
from sim.ha.plan import Fault, Plan, crowded_plan
from sim.ha.search import check_seeds
from sim.ha.world import World, run

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

SEEDS = 300
SECONDS = 6.0  # of a processor; a slow one runs fewer seeds, never forever
CHUNK = 40
SOMETIMES = (
    "another node took over", "a switchover", "the guard killed", "the guard refused",
    "a watchdog bit", "an agent restarted", "a proof of death", "a sticky right moved by proof",
    "a change was taken", "into sticky", "out of sticky", "site was held apart from main",
)  # fmt: skip
SLOTS = ("slot-0", "slot-1", "slot-2")
FIVE = Plan(1, nodes=5, groups=("main", "web", *SLOTS), safety_ms=40_000)


def test_the_seeds_of_this_run_keep_every_invariant_and_come_to_the_rare_places():
    check_seeds(SEEDS, SECONDS, crowded_plan, SOMETIMES)


def test_some_seeds_keep_every_invariant():
    """The same in small: what a planted fault is looked for with."""
    for seed in range(100_000, 100_000 + CHUNK):
        outcome = run(crowded_plan(seed))
        assert outcome.violations == (), outcome.plan


def holders(world):
    """Return who runs each group."""
    return {name: dict(checks.running) for name, checks in world.checkers.of.items()}


def test_a_node_that_dies_takes_no_other_nodes_groups_along():
    for seed in range(10):
        plan = replace(FIVE, seed=seed)
        calm = World(plan)
        calm.run()
        (victim,) = calm.checkers.running
        world = World(replace(plan, faults=(Fault("crash", 12_000, 20_000, victim),)))
        world.run()
        assert world.checkers.violations == []
        for name, checks in world.checkers.of.items():
            hit = victim in holders(calm)[name]
            assert (len(checks.activations) > 1) == hit, name


def test_the_leases_of_a_voter_that_restarts_are_all_attested():
    """Every lease has its own boot wait; who holds one is bound for by that lease alone."""
    for seed in range(10):
        crashes = tuple(Fault("crash", 12_000 + node * 1_500, 500, node) for node in range(5))
        outcome = run(replace(FIVE, seed=seed, faults=crashes, safety_ms=60_000))
        assert outcome.violations == ()
