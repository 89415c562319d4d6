"""A pair with a witness at the centre: what it is for, and that a WAN that goes stops nothing."""

import itertools
from dataclasses import replace

import pytest
from sim.ha.plan import WAN, Fault, Plan, witness_plan
from sim.ha.search import check_seeds
from sim.ha.world import World, run

from roost_agent.ha.timing import DEFAULT
from roost_protocol.configuration import WITNESS

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

SEEDS = 300
SECONDS = 6.0  # of a processor; a slow one runs fewer seeds, never forever
CHUNK = 40
SOMETIMES = (
    "the witness granted", "another node took over", "into sticky", "out of sticky", "wan",
    "wan-node", "centre", "centre-blank", "centre-old", "centre-disk", "a write failed",
)  # fmt: skip
WHOLE = (0, 1, WITNESS)
JOINED = 20_000  # by then it votes
PAIR = Plan(
    0, nodes=2, voters=(0, 1), sticky=True, wan=WAN, has_bmc=False, safety_ms=90_000,
    rates=(-99, 99, 0, 0, 50),
)  # fmt: skip


class Watched(World):
    """Notes who votes at some times, as node 0 and node 1 know it."""

    def __init__(self, plan, *when):
        super().__init__(plan)
        self.voters = {}
        self.ran = {}
        for at in when:
            self.at(at, self._note)

    def _note(self):
        self.voters[self.now] = [node.voter and node.voter.electorate.voters for node in self.nodes]
        self.ran[self.now] = dict(self.checkers.running)


def active(plan):
    """Return who runs once the witness votes, without any fault."""
    return run(plan).activations[-1][1]


def struck(plan, *faults, when=()):
    world = Watched(replace(plan, faults=tuple(faults)), JOINED, *when)
    outcome = world.run()
    assert outcome.violations == ()
    assert set(world.voters[JOINED]) == {WHOLE}, "the witness votes"
    return world, outcome


def test_the_seeds_of_this_run_keep_every_invariant_and_come_to_the_rare_places():
    check_seeds(SEEDS, SECONDS, witness_plan, SOMETIMES)


def test_some_seeds_keep_every_invariant():
    """The same in small: what a planted fault is looked for with."""
    for seed in range(100_000, 100_000 + CHUNK):
        outcome = run(witness_plan(seed))
        assert outcome.violations == (), outcome.plan


def test_the_same_seed_gives_the_same_trace():
    for seed in range(5):
        assert run(witness_plan(seed)).digest == run(witness_plan(seed)).digest


def test_with_it_a_pair_fails_over_without_any_proof_of_death():
    for seed in range(3):
        plan = replace(PAIR, seed=seed)
        holder = active(plan)
        crash = Fault("crash", 30_000 + seed * 37, 40_000, holder)
        _, outcome = struck(plan, crash)
        (at,) = [at for at, node, _ in outcome.activations if node != holder]
        assert at - crash.at_ms < DEFAULT.promise_ms() + 2_000


def test_a_wan_that_goes_makes_them_a_pair_again_and_stops_nothing():
    for seed in range(3):
        plan = replace(PAIR, seed=seed)
        world, outcome = struck(plan, Fault("wan", 30_000, 50_000, 0), when=(60_000,))
        assert set(world.voters[60_000]) == {(0, 1)}
        assert len(outcome.activations) == 1


def test_a_centre_that_restarts_every_while_moves_nothing():
    for seed in range(3):
        plan = replace(PAIR, seed=seed)
        restarts = [Fault("centre", at, 3_000, 0) for at in range(30_000, 80_000, 9_000)]
        _, outcome = struck(plan, *restarts)
        assert len(outcome.activations) == 1


def test_a_node_whose_peer_is_long_gone_goes_on_alone_when_the_wan_goes_too():
    for seed in range(3):
        plan = replace(PAIR, seed=seed, safety_ms=150_000)
        other = 1 - active(plan)
        world, outcome = struck(
            plan,
            Fault("crash", 30_000, 120_000, other),
            Fault("wan", 75_000, 120_000, 0),
            when=(70_000, 149_000),
        )
        assert world.voters[70_000][1 - other] == (1 - other,), "it votes alone"
        assert list(world.ran[149_000]) == [1 - other]
        assert len(outcome.activations) == 1
        assert {node.voter.electorate.voters for node in world.nodes} <= {WHOLE, (0, 1)}


def test_a_cut_between_the_two_that_the_witness_bridges_moves_nothing():
    for seed in range(3):
        plan = replace(PAIR, seed=seed)
        world, outcome = struck(plan, Fault("cut-pair", 30_000, 50_000, 0, 1), when=(70_000,))
        assert len(outcome.activations) == 1
        assert WITNESS in world.voters[70_000][0], "it hears both, so nobody is removed"


def test_a_holder_that_is_cut_off_from_all_stops_before_the_other_starts():
    for seed in range(3):
        plan = replace(PAIR, seed=seed)
        holder = active(plan)
        cuts = (
            Fault("isolate", 30_000, 40_000, holder), Fault("wan-node", 30_000, 40_000, holder)
        )  # fmt: skip
        _, outcome = struck(plan, *cuts)
        assert [node for _, node, _ in outcome.activations[:2]] == [holder, 1 - holder]


def test_the_witness_seen_by_the_standby_alone_proves_nothing_in_a_pair():
    """It came back for one of them only: they are a pair, and the incumbent keeps what it has."""
    for seed in range(3):
        plan = replace(PAIR, seed=seed, safety_ms=120_000)
        holder = active(plan)
        world, outcome = struck(
            plan,
            Fault("wan", 30_000, 25_000, 0),
            Fault("wan-node", 30_000, 85_000, holder),
            Fault("cut-pair", 60_000, 50_000, 0, 1),
            when=(50_000,),
        )
        assert set(world.voters[50_000]) == {(0, 1)}
        assert len(outcome.activations) == 1


def test_a_witness_that_lost_its_disk_is_let_vote_no_more_and_then_again():
    for seed, kind in itertools.product(range(2), ("centre-blank", "centre-old")):
        plan = replace(PAIR, seed=seed, safety_ms=120_000)
        first = Fault("centre", 24_000, 500, 0)  # so that there is an older disk
        world, outcome = struck(plan, first, Fault(kind, 40_000, 500, 0), when=(119_000,))
        assert set(world.voters[119_000]) == {WHOLE}
        assert len(outcome.activations) == 1


def test_one_that_forgot_who_was_removed_gives_them_no_majority():
    """Node 1 was removed while it was off; cut off from 0, it meets a witness of before that.

    Nothing that the WAN lost comes late: a frame of node 0 would say that the disk is older.
    """
    for seed, kind in itertools.product(range(2), ("centre-blank", "centre-old")):
        plan = replace(PAIR, seed=seed, safety_ms=200_000, replay=0.0)
        other = 1 - active(plan)
        world, outcome = struck(
            plan,
            Fault("centre", 24_000, 500, 0),
            Fault("crash", 30_000, 80_000, other),
            Fault("wan-node", 90_000, 100_000, 1 - other),
            Fault(kind, 100_000, 500, 0),
            Fault("cut-pair", 100_000, 90_000, 0, 1),
            when=(85_000, 180_000),
        )
        assert world.voters[85_000][1 - other] == (1 - other,)
        assert list(world.ran[180_000]) == [1 - other]
        assert len(outcome.activations) == 1
