"""How many sites fell silent together."""

import pytest

from roost_central.liveness.facts import Limits
from roost_central.liveness.mass import Mass

LIMITS = Limits()


@pytest.fixture
def mass():
    return Mass(LIMITS)


def fall(mass, count, now_ms=0):
    for n in range(count):
        mass.fell_silent(f"s{n}", 30_000, now_ms)
    mass.review(100, now_ms, 0)


def test_ten_are_a_mass_and_more_than_a_fifth_too_much(mass):
    fall(mass, 9)
    assert not mass.is_one_of_many("s0")
    fall(mass, 20)
    assert mass.is_one_of_many("s0")
    assert not mass.is_too_much(100)
    fall(mass, 21)
    assert mass.is_too_much(100)
    mass.review(100, 30_001, 0)
    assert not mass.is_too_much(100), "not within one beat any more"


def test_one_that_speaks_counts_nowhere(mass):
    fall(mass, 10)
    mass.spoke("s0")
    assert (mass.is_silent("s0"), mass.is_silent("s1")) == (False, True)
    assert not mass.is_one_of_many("s0")


def test_those_that_were_silent_long_before_could_not_be_heard(mass):
    fall(mass, 10)
    mass.review(100, LIMITS.silent_window_ms, 0)
    assert mass.heard(100) == 90


def test_a_doubt_is_over_once_and_its_sites_are_one_of_many(mass):
    fall(mass, 30)
    mass.doubt()
    mass.fell_silent("s99", 30_000, 1)
    assert mass.doubted == 31
    mass.believe()
    assert [mass.is_over(), mass.is_over()] == [True, False]
    assert mass.is_one_of_many("s99")
