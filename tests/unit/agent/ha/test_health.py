"""The local health multiplier and the score."""

from roost_agent.ha.health import (
    CLEAN_MS,
    HOLD_MS,
    LHM_MAX,
    SYNC_SLOW_MS,
    Condition,
    LocalHealth,
    SteadyScore,
    health_score,
)

H_MS = 100


def test_a_lag_counts_once_and_a_missed_beat_once_more():
    health = LocalHealth(H_MS)
    health.lagged(H_MS // 2, 0)
    assert health.lhm == 1
    health.lagged(H_MS // 2 + 1, 0)
    assert health.lhm == 2
    health.lagged(H_MS, 0)
    assert health.lhm == 4


def test_a_slow_disk_counts():
    health = LocalHealth(H_MS)
    health.synced(SYNC_SLOW_MS, 0)
    assert health.lhm == 1
    health.synced(SYNC_SLOW_MS + 1, 0)
    assert health.lhm == 2


def test_it_stays_within_its_bounds_and_steps_back_every_ten_clean_seconds():
    health = LocalHealth(H_MS)
    for _ in range(20):
        health.fault(5_000)
    assert health.lhm == LHM_MAX
    health.pass_time(5_000 + CLEAN_MS - 1)
    assert health.lhm == LHM_MAX
    health.pass_time(5_000 + CLEAN_MS)
    assert health.lhm == LHM_MAX - 1
    health.pass_time(5_000 + 3 * CLEAN_MS + 5)
    assert health.lhm == LHM_MAX - 3
    health.pass_time(5_000 + 100 * CLEAN_MS)
    assert health.lhm == 1


def test_the_score_falls_in_steps_and_not_below_nothing():
    assert health_score(Condition()) == 1_000
    assert health_score(Condition(cpu_stall_percent=30)) == 900
    assert health_score(Condition(memory_stall_percent=50)) == 700
    assert health_score(Condition(has_disk=False)) == 600
    assert health_score(Condition(has_gateway=False)) == 700
    assert health_score(Condition(has_steady_clock=False, failures=1)) == 700
    assert health_score(Condition(100, 100, False, False, False, 9)) == 0


def test_what_only_swings_changes_no_score():
    steady = SteadyScore()
    told = [steady.take(900 + 100 * (n % 2), n * 10_000) for n in range(40)]
    assert set(told) == {None}
    assert steady.score == 1_000


def test_a_change_that_stays_is_told_once_and_by_the_least_that_was_seen():
    steady = SteadyScore()
    assert steady.take(900, 0) is None
    assert steady.take(1_000 - 100, HOLD_MS - 1) is None
    assert steady.take(900, HOLD_MS) == 900
    assert steady.take(900, HOLD_MS + 1) is None
    assert steady.take(1_000, 2 * HOLD_MS) is None
    assert steady.take(1_000, 3 * HOLD_MS) == 1_000


def test_what_broke_counts_at_once_and_has_to_heal_for_long():
    steady = SteadyScore()
    assert steady.take(600, 0) == 600
    assert steady.take(800, 1) is None
    assert steady.take(1_000, HOLD_MS // 2) is None
    assert steady.take(1_000, HOLD_MS + 1) == 800, "not more than it was for the whole time"


def test_a_change_of_direction_begins_anew():
    steady = SteadyScore()
    steady.take(700, 0)
    assert steady.take(800, 1) is None
    assert steady.take(600, HOLD_MS) is None
    assert steady.take(600, HOLD_MS + 1) is None
    assert steady.take(600, 2 * HOLD_MS) == 600
