"""What may have been meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.fleet.query_suggest import closest, edit_distance

WORDS = ["site", "status", "state", "sev", "region", "lat", "pe"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stie", "site"),  # two neighbours swapped are one edit
        ("Region", "region"),
        ("regoin", "region"),
        ("statuss", "status"),
        ("stat", "state"),
        ("severity", "sev"),
        ("reg", "region"),
        ("p", "pe"),
        ("zz", ""),
        ("", ""),
        ("x" * 2000, ""),
    ],
)
def test_the_nearest_word_is_suggested(typed, meant):
    assert closest(typed, WORDS) == meant


def test_the_first_of_equally_near_words_is_suggested():
    assert closest("sitx", ["sity", "site"]) == "sity"


def slow_distance(left, right):
    if not left or not right:
        return len(left) + len(right)
    cost = min(
        slow_distance(left[1:], right) + 1,
        slow_distance(left, right[1:]) + 1,
        slow_distance(left[1:], right[1:]) + (left[0] != right[0]),
    )
    if len(left) > 1 and len(right) > 1 and left[:2] == right[1::-1]:
        cost = min(cost, slow_distance(left[2:], right[2:]) + 1)
    return cost


@settings(deadline=None)
@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(1, 4))
def test_the_distance_is_bounded_by_its_limit_and_else_exact(left, right, limit):
    assert edit_distance(left, right, limit=limit) == min(slow_distance(left, right), limit)
