"""One path that is silent, told apart from a host that is, and from the own end of it."""

from roost_agent.host.sight import Sight
from roost_agent.host.ways import SILENT, WELL, Ways

A, B = 0b01, 0b10
BOTH = A | B


def sight(node, by_way, **seen_by):
    return Sight(node, bool(by_way or seen_by), ways=("a", "b"), by_way=by_way, seen_by=seen_by)


def after(*sights, times=SILENT, ways=None):
    ways = ways or Ways()
    for _ in range(times):
        ways.tick(sights)
    return ways


def test_a_path_counts_as_silent_after_so_many_ticks_and_as_heard_after_more():
    ways = after(sight("n2", A), sight("n3", BOTH), times=SILENT - 1)
    assert ways.bad == {}
    after(sight("n2", A), sight("n3", BOTH), times=1, ways=ways)
    assert (ways.bad, ways.own) == ({"n2": ("b",)}, ())
    after(sight("n2", BOTH), sight("n3", BOTH), times=WELL - 1, ways=ways)
    assert ways.bad == {"n2": ("b",)}
    after(sight("n2", BOTH), sight("n3", BOTH), times=1, ways=ways)
    assert ways.bad == {}


def test_a_host_that_is_silent_on_every_path_is_no_matter_of_one():
    ways = after(sight("n2", 0), sight("n3", BOTH), times=60)
    assert (ways.bad, ways.own) == ({}, ())


def test_a_host_that_others_alone_hear_is_bad_on_all_of_its_paths():
    ways = after(sight("n2", 0, n3=BOTH), sight("n3", BOTH))
    assert ways.bad == {"n2": ("a", "b")}


def test_the_own_end_of_a_path_is_bad_where_others_hear_each_other_by_it():
    ways = after(sight("n2", A, n3=BOTH), sight("n3", A, n2=BOTH))
    assert (ways.bad, ways.own) == ({}, ("b",))


def test_a_path_by_which_nobody_hears_anybody_is_bad_for_all():
    ways = after(sight("n2", A, n3=A), sight("n3", A, n2=A))
    assert (ways.bad, ways.own) == ({"n2": ("b",), "n3": ("b",)}, ("b",))


def test_of_a_pair_nobody_knows_whose_end_it_is():
    ways = after(sight("n2", A))
    assert (ways.bad, ways.own) == ({"n2": ("b",)}, ("b",))


def test_who_hears_nobody_at_all_has_no_bad_path():
    ways = after(sight("n2", 0))
    assert (ways.bad, ways.own) == ({}, ())
