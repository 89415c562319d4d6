"""Sizes of groups: all sites are in one, none is empty, and what is left over is the last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.staged.groups import GROUPS_USUAL, sizes_of, stages_of
from roost_protocol.errors import ProtocolError


@pytest.mark.parametrize(
    ("text", "sites", "sizes"),
    [
        (GROUPS_USUAL, 400, [1, 40, 359]),
        (GROUPS_USUAL, 2, [1, 1]),
        ("rest", 7, [7]),
        ("1, 5 ,50%", 100, [1, 5, 50, 44]),
        ("10%,100%", 15, [2, 13]),
        ("3,3", 5, [3, 2]),
    ],
)
def test_numbers_and_percent_of_all_sites_make_groups(text, sites, sizes):
    assert sizes_of(text, sites) == sizes


@pytest.mark.parametrize("text", ["", "0", "-1", "101%", "rest,1", "1,,2", "a", ",".join("1" * 17)])
def test_what_is_no_size_is_refused_with_what_is(text):
    with pytest.raises(ProtocolError, match="groups"):
        sizes_of(text, 10)


@given(st.lists(st.integers(1, 99), max_size=6), st.integers(1, 300))
def test_every_site_is_in_one_group_and_none_is_empty(numbers, sites):
    text = ",".join([f"{number}{'%' if number % 2 else ''}" for number in numbers] + ["rest"])
    sizes = sizes_of(text, sites)
    assert sum(sizes) == sites
    assert min(sizes) > 0
    names = [f"s{number}" for number in range(sites)]
    stages = stages_of(names, sizes)
    assert stages.keys() == set(names)
    assert [[*stages.values()].count(stage) for stage in range(len(sizes))] == sizes
    assert stages_of(reversed(names), sizes) == stages
