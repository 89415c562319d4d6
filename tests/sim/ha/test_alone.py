"""Pairs whose last holder starts without the other: it alone, and nobody by any proof."""

import itertools
from dataclasses import replace

import msgspec
import pytest
from sim.ha.plan import Fault, Plan, lonely_plan
from sim.ha.search import check_seeds
from sim.ha.world import World, run

from roost_agent.ha.lease_events import Eligible
from roost_agent.ha.timing import DEFAULT

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

SEEDS = 400
SECONDS = 5.0  # of a processor; a slow one runs fewer seeds, never forever
CHUNK = 60
SOMETIMES = ("another node took over", "a switchover", "it started alone", "crash", "cut-pair")
PAIR = Plan(1, nodes=2, sticky=True, starts_alone=True, safety_ms=80_000)
LONG_MS = 50_000
SOON_MS = DEFAULT.promise_ms() + 4_000  # the boot wait, a candidate's delay, two rounds


def test_the_seeds_of_this_run_keep_every_invariant_and_come_to_the_rare_places():
    check_seeds(SEEDS, SECONDS, lonely_plan, SOMETIMES)


def test_some_seeds_keep_every_invariant():
    """The same in small: what a planted fault is looked for with."""
    for seed in range(100_000, 100_000 + CHUNK):
        outcome = run(lonely_plan(seed))
        assert outcome.violations == (), outcome.plan


def struck(seed, *faults):
    world = World(replace(PAIR, seed=seed, faults=tuple(faults)))
    outcome = world.run()
    assert outcome.violations == ()
    return outcome.activations


def first_holder(seed):
    return struck(seed)[0][1]


def test_the_last_holder_starts_without_the_other():
    for seed in range(10):
        holder = first_holder(seed)
        rows = struck(
            seed,
            Fault("crash", 12_000, 4_000, holder),
            Fault("crash", 12_000, LONG_MS, 1 - holder),
        )
        (_, _, before), (at, node, epoch), *_ = rows
        assert node == holder
        assert epoch > before, "no epoch has two turns"
        assert at < 16_000 + SOON_MS


def test_it_does_so_again_and_again_while_the_other_is_gone():
    for seed in range(5):
        holder = first_holder(seed)
        crashes = [Fault("crash", at, 1_000, holder) for at in (12_000, 30_000, 46_000)]
        rows = struck(seed, Fault("crash", 12_000, LONG_MS, 1 - holder), *crashes)
        alone = [node for at, node, _ in rows if 12_000 < at < 60_000]
        assert alone == [holder] * 3


def test_the_other_one_alone_waits_for_it():
    for seed in range(10):
        holder = first_holder(seed)
        rows = struck(
            seed,
            Fault("crash", 12_000, LONG_MS, holder),
            Fault("crash", 12_000, 4_000, 1 - holder),
        )
        assert all(at > 62_000 for at, _, _ in rows[1:])


def test_after_a_switchover_the_one_that_got_it_is_the_last_holder():
    for seed in range(10):
        holder = first_holder(seed)
        rows = struck(
            seed,
            Fault("order", 12_000, 1, holder),
            Fault("crash", 20_000, LONG_MS, holder),
            Fault("crash", 20_000, 4_000, 1 - holder),
        )
        assert [node for _, node, _ in rows[:3]] == [holder, 1 - holder, 1 - holder]


def test_a_holder_that_reboots_while_it_is_cut_off_goes_on_and_the_other_does_not_start():
    for seed in range(10):
        holder = first_holder(seed)
        rows = struck(
            seed,
            Fault("cut-pair", 12_000, LONG_MS, holder, 1 - holder),
            Fault("crash", 14_000, 2_000, holder),
        )
        assert [node for at, node, _ in rows if at < 60_000] == [holder, holder]


class Together(World):
    """Lets both nodes stand at the same moment."""

    def __init__(self, plan, at):
        super().__init__(plan)
        for ms in range(300, at, 50):
            self.at(ms, self._all, Eligible(False))
        self.at(at, self._all, Eligible(True))

    def _all(self, event):
        for node in self.nodes:
            group = node.groups["main"]
            node.take(node.life, group.handle, event)


def test_two_that_asked_at_once_and_lost_their_power_are_no_last_holders():
    """Each has its own vote on its disk and the other's not: neither may start without the other.

    The power goes at every moment of such an election, and they come back apart.
    """
    eager = msgspec.structs.replace(DEFAULT, spread_ms=1, rank_ms=0)
    for seed, after in itertools.product(range(3), range(200, 320, 4)):
        at = 4_000 + after
        faults = (
            Fault("crash", at, 1_000, 0), Fault("crash", at, 1_000, 1),
            Fault("cut-pair", at, 30_000, 0, 1),
        )  # fmt: skip
        plan = replace(PAIR, seed=seed, timing=eager, faults=faults, safety_ms=40_000)
        assert Together(plan, 4_000).run().violations == (), (seed, after)
