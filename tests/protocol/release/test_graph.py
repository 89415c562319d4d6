from hypothesis import given
from hypothesis import strategies as st
from releases import custom

from roost_protocol.release.graph import hop, way


def release(counter, **more):
    return custom(version=str(counter), counter=counter, **more)


ONE, TWO, THREE = release(1), release(2, is_barrier=True), release(3, least_counter=2)


def test_a_barrier_is_a_stop_on_the_way():
    assert "2 comes first" in hop([ONE, TWO, release(4)], 1, release(4)).why
    assert hop([ONE, TWO, release(4)], 2, release(4)).is_allowed
    assert way([ONE, TWO, release(4)], 1, release(4)) == [TWO, release(4)]


def test_a_release_says_from_where_it_comes():
    assert "from release 2 on, not 1" in hop([ONE, TWO, THREE], 1, THREE).why
    assert way([ONE, TWO, THREE], 1, THREE) == [TWO, THREE]
    assert way([ONE, THREE], 1, THREE) == []


def test_nothing_leads_to_what_was_retracted():
    assert "retracted" in hop([ONE, TWO], 1, THREE).why
    assert way([ONE, TWO], 1, THREE) == []
    assert way([ONE, TWO], 1, TWO) == [TWO]


def test_who_has_nothing_may_have_any_release_and_another_component_is_no_barrier():
    other = release(2, component="app/api", is_barrier=True)
    assert hop([ONE, TWO, THREE], 0, THREE).is_allowed
    assert hop([ONE, other, release(3)], 1, release(3)).is_allowed


def test_who_is_there_has_no_way_to_go():
    assert way([ONE, TWO], 2, TWO) == []
    assert way([ONE, TWO], 2, ONE) == []


@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=8).map(
        lambda raw: [
            release(n + 1, least_counter=min(low, n + 1), is_barrier=barrier)
            for n, (low, barrier) in enumerate(raw)
        ]
    ),
    st.integers(1, 8),
)
def test_each_step_of_a_way_is_allowed_and_it_passes_every_barrier(releases, running):
    wanted = releases[-1]
    hops = way(releases, running, wanted)
    at = running
    for each in hops:
        assert hop(releases, at, each).is_allowed
        at = each.counter
    if hops:
        assert hops[-1] == wanted
        barriers = {one.counter for one in releases if one.is_barrier and running < one.counter}
        assert barriers <= {one.counter for one in hops}
