"""A plan over sites that need a release in between is refused by the name of it."""

import pytest
from releases import custom

from roost_central.rollout.hops import refusals
from roost_central.rollout.waves import Candidate

ONE = custom(version="1.0", counter=1)
TWO = custom(version="2.0", counter=2, is_barrier=True)
THREE = custom(version="3.0", counter=3)
FOUR = custom(version="4.0", counter=4, least_counter=3)
NAMED = [ONE, TWO, THREE, FOUR]
COUNTERS = {each.version: each.counter for each in NAMED}


def site(name, *versions):
    kinds = frozenset(("h", "plain", "", version) for version in versions)
    return Candidate(site=name, kinds=kinds, hw="h", link="", nodes=(f"{name}.n1",))


@pytest.mark.parametrize(
    ("running", "wanted"),
    [("1.0", TWO), ("2.0", THREE), ("3.0", FOUR), ("", FOUR), ("0.1", FOUR), ("4.0", ONE)],
)
def test_one_step_is_no_reason_to_refuse(running, wanted):
    assert refusals(NAMED, COUNTERS, wanted, [site("s1", running)]) == []


def test_the_first_release_in_between_is_named_with_all_that_follow():
    found = [site("s1", "1.0"), site("s2", "1.0", "4.0"), site("s3", "2.0"), site("s4", "4.0")]
    one, two = refusals(NAMED, COUNTERS, FOUR, found)
    assert one.startswith("2 sites run app/web 1.0, s1 among them: 4.0 comes from release 3 on")
    assert 'version = "2.0" (the way is 2.0, then 3.0, then 4.0)' in one
    assert 'version = "3.0" (the way is 3.0, then 4.0)' in two
    [barrier] = refusals(NAMED, COUNTERS, THREE, found)
    assert "2.0 comes first: it is a barrier" in barrier


def test_where_no_release_leads_there_that_is_said():
    [told] = refusals([ONE, FOUR], COUNTERS, FOUR, [site("s1", "1.0")])
    assert "no release that is named leads there: leave them out, or build one" in told
