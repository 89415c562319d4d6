"""Which changes of the voters are steps."""

from itertools import combinations

import pytest

from roost_protocol.configuration import GENERATIONS, WITNESS, Configuration, Joined
from roost_protocol.electorate import Electorate
from roost_protocol.electorate_change import added, fault, removed

FILE = 7 << 20
NODES = tuple(range(7))
THREE = Electorate(FILE, (0, 1, 2), NODES)


def life(node):
    return Joined(node, b"b" * 16, 4)


def cfg(*voters, sticky=False, cfgver=FILE + 1, joined=None):
    return Configuration(cfgver, voters, sticky, joined and life(joined))


def test_one_more_or_one_less_is_a_step_and_the_mode_goes_with_the_number():
    assert added(THREE, life(5)) == cfg(0, 1, 2, 5, joined=5)
    assert removed(THREE, 1) == cfg(0, 2, sticky=True)
    alone = Electorate(FILE, (0,), NODES, sticky=True)
    assert added(alone, life(3)) == cfg(0, 3, sticky=True, joined=3)
    for old, new in (
        (THREE, added(THREE, life(5))),
        (THREE, removed(THREE, 1)),
        (alone, added(alone, life(3))),
    ):
        assert fault(old, new) == ""


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (cfg(0, 1, 3, joined=3), "does not add one voter, nor remove one"),  # in one step
        (cfg(0, 1, 2), "does not add one voter"),
        (cfg(0, 1, 2, 3), "does not add one voter"),  # nobody knows in which life
        (cfg(0, 1, joined=1), "does not add one voter"),
        (cfg(0, 1, cfgver=FILE + 2), "does not follow"),
        (cfg(0, 1, cfgver=FILE), "does not follow"),
        (cfg(0, 1, 2, 9, joined=9), "no node of the site"),
        (cfg(0, 1, 2, 3, sticky=True, joined=3), "4 voters are more than 2"),
    ],
)
def test_everything_else_is_none_and_says_why(new, why):
    assert why in fault(THREE, new)


def test_the_bounds_of_a_step():
    five = Electorate(FILE, (0, 1, 2, 3, 4), NODES)
    assert "6 voters are more than 5" in fault(five, added(five, life(5)))
    last = Electorate(FILE + GENERATIONS - 2, (0, 1, 2), NODES)
    assert "does not follow" in fault(last, removed(last, 0))
    alone = Electorate(FILE, (0,), NODES, sticky=True)
    assert "nor remove one" in fault(alone, removed(alone, 0))


def majorities(electorate):
    return [set(each) for each in combinations(electorate.voters, electorate.needed)]


def test_any_two_majorities_around_a_step_share_a_voter():
    for count in (1, 2, 3, 4, 5):
        old = Electorate(FILE, NODES[:count], NODES, sticky=count <= 2)
        steps = [removed(old, node) for node in old.voters if count > 1]
        steps += [added(old, life(6))] * (count < 5)
        for step in steps:
            assert fault(old, step) == ""
            new = old.under(step)
            for one in majorities(old):
                assert all(one & other for other in majorities(new)), (old, step)


def test_a_witness_elsewhere_votes_only_where_a_majority_decides():
    pair = Electorate(FILE, (0, 1), NODES, sticky=True)
    three = pair.under(added(pair, life(WITNESS)))
    assert (three.voters, three.local, three.sticky, three.needed) == ((0, 1, 31), (0, 1), False, 2)
    alone = three.under(removed(three, 1))
    assert (alone.voters, alone.sticky, alone.needed) == ((0, 31), False, 2)
    assert removed(alone, WITNESS) == cfg(0, sticky=True, cfgver=FILE + 3)
    assert "votes only where a majority" in fault(three, cfg(0, 31, sticky=True, cfgver=FILE + 2))
    assert "no node of the site" in fault(alone, cfg(31, cfgver=FILE + 3))
    assert (three.has_witness, pair.has_witness) == (True, False)
