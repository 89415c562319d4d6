"""How much one application may ask."""

from hypothesis import given
from hypothesis import strategies as st

from roost_agent.alarms.quota import BURST, RATE, UNITS_MAX, Quota


def test_a_burst_is_free_and_then_the_rate_counts():
    quota = Quota()
    assert all(quota.take("pump", 0) for _ in range(int(BURST)))
    assert not quota.take("pump", 0)
    assert quota.refused("pump") == 1
    assert quota.take("other", 0)
    assert sum(quota.take("pump", 1_000) for _ in range(50)) == RATE
    assert quota.refused("nobody") == 0


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 40)), max_size=40))
def test_no_pattern_gets_more_than_rate_and_burst(pattern):
    quota, now_ms, taken = Quota(), 0, 0
    for after_ms, asks in pattern:
        now_ms += after_ms
        taken += sum(quota.take("pump", now_ms) for _ in range(asks))
        assert taken <= BURST + RATE * now_ms / 1000 + 1e-6


def test_units_are_forgotten_and_a_clock_that_stands_gives_nothing():
    quota = Quota()
    for _ in range(int(BURST)):
        quota.take("pump", 10)
    assert not quota.take("pump", 5)
    for number in range(UNITS_MAX):
        quota.take(f"unit{number}", 10)
    assert quota.take("pump", 10)  # long gone, so a newcomer
