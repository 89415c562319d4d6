"""Straight to the places that random faults seldom reach, and to the edges of what is assumed."""

import itertools
from dataclasses import replace

import msgspec
import pytest
from sim.ha.plan import Fault, Plan, random_plan
from sim.ha.world import World, run

from roost_agent.ha.timing import DEFAULT, FAST

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

L = DEFAULT.lease_ms
CALM = Plan(seed=1, safety_ms=30_000)


def takeovers(outcome):
    """Return when another node than the one before became active."""
    return [
        at
        for (_, before, _), (at, node, _) in itertools.pairwise(outcome.activations)
        if node != before
    ]


@pytest.mark.parametrize("nodes", [1, 2, 3, 5])
def test_a_cold_start_has_one_active_in_three_seconds_and_keeps_it(nodes):
    outcome = run(replace(CALM, nodes=nodes, sticky=nodes <= 2))
    assert outcome.violations == ()
    ((at, _, _),) = outcome.activations
    assert at < 3_000


@pytest.mark.parametrize(
    ("timing", "rates"),
    [(DEFAULT, (0,) * 5), (FAST, (99, -99, 99, -99, 0)), (FAST, (-99, 99, 99, 0, 0))],
)
def test_after_a_crash_another_is_active_within_the_promise_and_two_seconds(timing, rates):
    for seed in range(20):
        plan = Plan(seed, timing=timing, rates=rates, safety_ms=20_000)
        first = run(plan).activations[0][1]
        crash = Fault("crash", 8_000 + seed * 37, 60_000, first)
        outcome = run(replace(plan, faults=(crash,)))
        assert outcome.violations == ()
        (at,) = takeovers(outcome)
        assert at - crash.at_ms < timing.promise_ms() + 2_000


def test_replayed_renewals_of_a_dead_holder_extend_nothing():
    """A renewal that was lost and comes back seconds later must not count as one sent now."""
    for seed in range(10):
        plan = Plan(seed, safety_ms=40_000, has_bmc=False)  # a proof would end it sooner
        holder = run(plan).activations[0][1]
        world = Replayed(plan)
        world.at(10_000, world.strike, Fault("crash", 10_000, 60_000, holder))
        for after in range(1_000, 14_000, 500):
            world.at(10_000 + after, world.replay)
        outcome = world.run()
        assert outcome.violations == ()
        (at, *_) = takeovers(outcome)
        assert at - 10_000 < DEFAULT.promise_ms() + 2_000


class Replayed(World):
    """Loses the renewals of a second, and can bring the last of them back."""

    def __init__(self, plan):
        super().__init__(plan)
        self._kept = []

    def transmit(self, sender, to, what, message):
        if what == "frame" and message[3].kind == "renew" and 8_900 < self.now <= 10_000:
            self._kept.append((sender, to, message))
        else:
            super().transmit(sender, to, what, message)

    def replay(self):
        for sender, to, message in self._kept[-2:]:
            self._arrive(sender, to, "frame", message)


FLOOD = {"again": 0.9, "replay": 4.0}  # nearly each frame twice, all that was lost once more


def test_frames_again_late_and_out_of_order_move_nothing_that_stood():
    """The same sites without it and with it: nobody takes over in either."""
    for seed in range(20):
        calm = Plan(seed, safety_ms=40_000, delays=(1, 2, 5, 200))
        for plan in (calm, replace(calm, **FLOOD), replace(calm, **FLOOD, loss=0.2)):
            outcome = run(plan)
            assert (outcome.violations, len(outcome.activations)) == ((), 1), plan


def test_frames_again_late_and_out_of_order_make_no_takeover_legal():
    for seed in range(60):
        outcome = run(replace(random_plan(300_000 + seed), **FLOOD))
        assert outcome.violations == (), outcome.plan


def test_slow_answers_do_not_lengthen_a_right():
    for seed in range(30):
        assert run(Plan(seed, delays=(1, 1, 1_600), safety_ms=15_000)).violations == ()


def test_an_isolated_holder_stops_before_another_starts():
    for seed in range(20):
        plan = Plan(seed, safety_ms=40_000, rates=(-99, 99, 99, 0, 0))
        first = run(plan).activations[0][1]
        outcome = run(replace(plan, faults=(Fault("isolate", 8_000, 20_000, first),)))
        assert outcome.violations == ()
        assert len(takeovers(outcome)) == 1


def test_a_cut_between_two_that_the_third_bridges_moves_nothing():
    for seed in range(10):
        plan = Plan(seed, safety_ms=40_000)
        holder = run(plan).activations[0][1]
        for other in {0, 1, 2} - {holder}:
            outcome = run(replace(plan, faults=(Fault("cut-pair", 8_000, 20_000, holder, other),)))
            assert (outcome.violations, len(outcome.activations)) == ((), 1)


def test_a_restart_of_the_agent_shorter_than_half_a_lease_stops_nothing():
    for seed in range(20):
        plan = Plan(seed, safety_ms=40_000)
        holder = run(plan).activations[0][1]
        faults = tuple(Fault("agent-kill", at, L // 2 - 300, holder) for at in (8_000, 16_000))
        outcome = run(replace(plan, faults=faults))
        assert outcome.violations == ()
        assert len(outcome.activations) == 1


def test_a_holder_that_reaches_a_majority_within_every_half_lease_keeps_its_epoch():
    for seed in range(10):
        plan = Plan(seed, safety_ms=60_000)
        holder = run(plan).activations[0][1]
        cuts = tuple(
            Fault("isolate", at, L // 2 - 1_200, holder) for at in range(8_000, 50_000, L // 2)
        )
        outcome = run(replace(plan, faults=cuts))
        assert outcome.violations == ()
        assert len(outcome.activations) == 1


def test_at_a_fifth_lost_there_is_no_takeover_in_an_hour():
    outcome = run(Plan(seed=5, loss=0.2, safety_ms=3_600_000))
    assert outcome.violations == ()
    assert len(outcome.activations) == 1


def test_a_pair_moves_by_proof_and_without_it_stays():
    for seed in range(10):
        plan = Plan(seed, nodes=2, sticky=True, safety_ms=40_000)
        holder = run(plan).activations[0][1]
        faults = (Fault("crash", 8_000, 25_000, holder),)
        proven = run(replace(plan, faults=faults))
        assert proven.violations == ()
        assert len(takeovers(proven)) == 1
        unproven = run(replace(plan, faults=faults, has_bmc=False))
        assert unproven.violations == ()
        assert all(at > 33_000 for at in takeovers(unproven))


def drifting(rate, seeds, **more):
    """Return how many of some runs break an invariant: a slow holder is cut off fast voters."""
    broken = 0
    for seed in range(seeds):
        plan = Plan(seed, safety_ms=40_000, stop_ms=1_000, **more)
        holder = run(plan).activations[0][1]
        rates = tuple(-rate if node == holder else rate for node in range(5))
        fast = run(replace(plan, rates=rates))
        holder = fast.activations[0][1]
        rates = tuple(-rate if node == holder else rate for node in range(5))
        faults = (Fault("agent-pause", 15_000, 60_000, holder),)
        broken += bool(run(replace(plan, rates=rates, faults=faults)).violations)
    return broken


def test_clocks_far_beyond_the_bound_break_it_so_the_bound_is_real():
    assert drifting(2_500, 20) > 0


def test_clocks_within_the_bound_do_not():
    assert drifting(99, 20) == 0


def test_clocks_a_tenth_off_do_not_where_the_bound_says_so():
    assert drifting(990, 20, timing=msgspec.structs.replace(DEFAULT, rate_bp=1_000)) == 0


def test_what_a_seed_means_is_told_whole():
    assert "faults=(Fault(" in str(random_plan(3))
