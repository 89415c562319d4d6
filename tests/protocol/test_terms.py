"""The length of a promise: exact, rounded up, and long enough for every pair of clocks."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.terms import Terms


@pytest.mark.parametrize(
    ("lease_ms", "margin_ms", "watchdog_ms", "promise_ms"),
    [
        (6_000, 1_000, 0, 7_122),
        (6_000, 1_000, 5_000, 12_122),
        (1_500, 350, 0, 1_881),
        (1_500, 350, 2_000, 3_881),
        (15_000, 2_000, 0, 17_304),
        (15_000, 2_000, 5_000, 22_304),
    ],
)
def test_the_presets_have_the_promises_of_the_page(lease_ms, margin_ms, watchdog_ms, promise_ms):
    assert Terms(lease_ms, margin_ms, 100, 1_000).promise_ms(watchdog_ms) == promise_ms


@given(st.integers(1, 600_000), st.integers(1, 10_000), st.integers(0, 2_000))
def test_a_promise_is_never_below_the_bound_and_less_than_a_millisecond_above(
    lease_ms, margin_ms, rate_bp
):
    rho = Fraction(rate_bp, 10_000)
    exact = lease_ms * (1 + rho) / (1 - rho) + margin_ms
    assert 0 <= Terms(lease_ms, margin_ms, rate_bp, 1_000).promise_ms() - exact < 1
