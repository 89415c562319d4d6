"""The canary has each kind of site; a plan over the same fleet is the same list of sites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.waves import Candidate, canary, cut, scattered
from roost_protocol.errors import ProtocolError

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'


def site(number, kind="a", **how):
    name = f"s{number:04}"
    kinds = frozenset({(kind, "plain", "lte", "1.0")})
    return Candidate(name, kinds, kind, "lte", (f"{name}.n1",), **how)


def plan(text):
    return read_plan((HEAD + text).encode())


THREE = "[[wave]]\ncount = 3\n[[wave]]\npercent = 10\n[[wave]]\nrest = true\n"


@given(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=80), st.integers(0, 9))
def test_every_site_is_in_one_wave_and_each_kind_is_in_the_canary(kinds, seed):
    found = [site(number, kind) for number, kind in enumerate(kinds)]
    made = cut(plan(f"seed = {seed}\n" + THREE), found, {})
    named = [name for wave in made.waves for name in wave]
    assert sorted(named) == [each.site for each in found]
    assert not made.uncovered
    by_name = {each.site: each.hw for each in found}
    assert {by_name[name] for name in made.waves[0]} == {*kinds}
    assert made == cut(plan(f"seed = {seed}\n" + THREE), found[::-1], {})


def test_another_seed_is_another_canary():
    found = [site(number) for number in range(200)]
    canaries = {cut(plan(f"seed = {seed}\n" + THREE), found, {}).waves[0] for seed in range(5)}
    assert len(canaries) == 5


def test_what_has_an_alarm_is_no_canary_and_its_kind_is_told_as_uncovered():
    found = [site(number) for number in range(9)] + [site(9, "b", why_not="alarm 100.1")]
    made = cut(plan(THREE), found, {})
    assert "s0009" not in made.waves[0]
    assert made.uncovered == ((("b", "plain", "lte", "1.0"), 1),)


def test_a_larger_canary_grows_in_proportion_to_the_kinds():
    found = [site(number, "a") for number in range(90)] + [site(90 + n, "b") for n in range(10)]
    chosen = canary(found, 20, 0)
    assert len(chosen) == 20
    assert 1 <= sum(name >= "s0090" for name in chosen) <= 3


def test_named_sites_and_selectors_are_waves_too():
    found = [site(number) for number in range(9)]
    text = '[[wave]]\nsites = ["s0004"]\n[[wave]]\nselector = "x"\n[[wave]]\nrest = true\n'
    made = cut(plan(text), found, {1: {"s0001", "s0002", "s0004"}})
    assert made.waves[0] == ("s0004",)
    assert {*made.waves[1]} == {"s0001", "s0002"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[[wave]]\nsites = ["nobody"]\n[[wave]]\nrest = true', "nobody"),
        ('[[wave]]\nsites = ["s0001"]\n[[wave]]\nsites = ["s0001"]\n[[wave]]\nrest = true', "one"),
        ("[[wave]]\ncount = 2\n", "rest = true"),
        ('[[wave]]\nselector = "x"\n[[wave]]\nrest = true', "no site"),
    ],
)
def test_a_wave_of_nobody_or_of_others_is_refused(text, named):
    with pytest.raises(ProtocolError, match=named):
        cut(plan(text), [site(number) for number in range(9)], {0: set()})


def test_a_plan_for_nobody_is_refused():
    with pytest.raises(ProtocolError, match="no site"):
        cut(plan(THREE), [], {})


def test_neighbours_by_name_are_not_neighbours_in_the_order():
    names = [f"s{number:04}" for number in range(100)]
    assert scattered(names, 0) != names
    assert sorted(scattered(names, 0)) == names
