"""The simulator itself: its time, its pauses, and how it makes plans small."""

import asyncio

import pytest
from sim.loop import DeadlockError, LivelockError, SimLoop
from sim.plan import Fault, Plan, random_plan
from sim.search import kind_of
from sim.shrink import TRIES_MAX, shrink
from sim.world import run

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

SMALL = Plan(seed=3, say_every_s=2.0, safety_s=60.0)


def test_waiting_takes_no_time_and_moves_the_clock():
    loop = SimLoop(1)
    loop.run_until_complete(asyncio.sleep(86_400))
    assert loop.time() == pytest.approx(86_400)
    loop.close()


def test_the_seed_decides_which_of_two_ready_callbacks_runs_first():
    def order(seed):
        loop, ran = SimLoop(seed), []
        for n in range(8):
            loop.call_soon(ran.append, n)
        loop.run_until_complete(asyncio.sleep(1))
        loop.close()
        return ran

    assert order(1) == order(1)
    assert sorted(order(1)) == list(range(8))
    assert len({tuple(order(seed)) for seed in range(5)}) > 1


def test_a_program_that_waits_for_nothing_is_told():
    loop = SimLoop(1)
    waits = loop.create_future()
    with pytest.raises(DeadlockError):
        loop.run_until_complete(waits)
    waits.cancel()
    loop.close()


def test_a_program_that_spins_is_told():
    async def spin():
        while True:  # noqa: ASYNC110 - that is what it does
            await asyncio.sleep(0)

    loop = SimLoop(1)
    with pytest.raises(LivelockError):
        loop.run_until_complete(spin())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(1))
    loop.close()


def test_many_cancelled_timers_leave_the_heap():
    loop = SimLoop(1)
    for _ in range(10_000):
        loop.call_later(1_000, print).cancel()
    loop.run_until_complete(asyncio.sleep(1))
    assert loop.timers < 1_000
    loop.close()


def test_a_paused_program_does_nothing_and_then_hears_all_in_order():
    async def script(world):
        node = next(iter(world.nodes))
        await asyncio.sleep(30)
        world.hosts[node].pause()
        before = world.oracle.nodes[node].beat_s
        await asyncio.sleep(120)
        if world.oracle.nodes[node].beat_s != before:
            world.violate("a paused program spoke")
        world.hosts[node].resume()
        await asyncio.sleep(60)
        if world.oracle.nodes[node].beat_s == before:
            world.violate("a program that goes on is silent")

    outcome = run(SMALL, script)
    assert not outcome.violations, str(outcome)


def test_a_program_that_crashes_is_seen():
    async def script(world):
        await asyncio.sleep(30)
        next(iter(world.nodes.values())).driver.spool._pending = None
        await asyncio.sleep(120)

    assert "crashed" in run(SMALL, script).violations[0]


def test_a_plan_is_made_as_small_as_it_still_fails_with():
    plan = next(plan for plan in map(random_plan, range(100)) if len(plan.faults) == 20)
    wanted = (plan.faults[3], plan.faults[11])
    tries = []

    def fails(smaller):
        tries.append(smaller)
        return set(wanted) <= set(smaller.faults)

    assert shrink(plan, fails).faults == wanted
    assert len(tries) < TRIES_MAX
    assert shrink(plan, lambda _: True).faults == ()
    assert shrink(plan, lambda _: False) == plan


def test_a_plan_prints_all_of_itself():
    plan = random_plan(7)
    text = str(plan)
    assert f"seed={plan.seed}" in text
    assert text.count("kind=") == len(plan.faults)
    assert Fault("kill", 1.0, 2.0, "x") not in plan.faults


def test_two_violations_of_one_kind_are_told_as_one():
    one = kind_of("1.000 s: 17 of s001.n0 took effect twice")
    assert one == kind_of("2.500 s: 3 of s000.n2 took effect twice")
    assert one != kind_of("2.500 s: s000.n2 lost 4 and owns to 0: [1]")
