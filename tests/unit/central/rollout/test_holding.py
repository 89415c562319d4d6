"""Who is held back, by which rollout, and what may cross it."""

from hypothesis import given
from hypothesis import strategies as st

from roost_central.rollout.holding import Holding
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState
from roost_central.storage.rollout_changes import FormerNode

J = JobState
SITES = ("a", "b", "c")
NODES = [FormerNode(f"{site}.n{number}", 3, b"d" * 32) for site in SITES for number in (1, 2)]


def job(site, state=J.QUEUED, **how):
    return Job(site=site, wave=0, nodes=(f"{site}.n1", f"{site}.n2"), state=state, **how)


def holding(**how):
    made = Holding()
    made.add("r", ["p"], NODES)
    for site, state in how.items():
        made.follow("r", [job(site, state)])
    return made


def test_all_are_held_until_their_turn_and_only_those_that_change_are_told():
    made = holding()
    assert {each.node for each in made.held_by("r")} == {each.node for each in NODES}
    assert made.follow("r", [job("a"), job("b", J.OFFERED)]) == ["b.n1", "b.n2"]
    assert made.follow("r", [job("b", J.APPLYING)]) == []
    assert (made.change_of("a.n1"), made.change_of("b.n1")) == ("r", "")
    assert made.former("a.n1").generation == 3


def test_of_a_site_that_failed_who_says_it_keeps_it_and_the_others_are_held():
    made = holding(a=J.OFFERED)
    made.says_new = lambda node, _former: node == "a.n1"
    assert made.follow("r", [job("a", J.FAILED, touched=True)]) == ["a.n2"]


def test_while_it_is_open_its_profiles_and_all_of_its_nodes_are_its_own():
    made = holding(a=J.SUCCEEDED)
    assert made.in_the_way(["a.n1"], ["q"], ()) == ("r", 1)
    assert made.in_the_way(["x.n1"], ["p"], ()) == ("r", 0)
    assert made.in_the_way(["x.n1"], ["q"], ()) == ("", 0)
    assert made.in_the_way(["a.n1"], ["p"], {"r"}) == ("", 0)
    assert made.superseded(["p"]) == []


def test_once_aborted_only_whom_it_holds_are_its_own_and_its_profiles_take_its_place():
    made = holding(a=J.SUCCEEDED)
    made.end("r")
    assert made.in_the_way(["a.n1"], ["q"], ()) == ("", 0)
    assert made.in_the_way(["b.n1", "b.n2"], ["q"], ()) == ("r", 2)
    assert made.superseded(["p", "q"]) == ["r"]
    assert made.superseded(["q"]) == []
    assert {*made.drop("r")} == {"b.n1", "b.n2", "c.n1", "c.n2"}
    assert made.rollouts() == []


@given(
    st.lists(st.tuples(st.sampled_from(SITES), st.sampled_from(J), st.booleans(), st.booleans()))
)
def test_what_is_told_to_change_is_what_changes(steps):
    made = holding()
    for site, state, touched, is_back in steps:
        before = {each.node: made.change_of(each.node) for each in NODES}
        told = made.follow("r", [job(site, state, touched=touched, is_back=is_back)])
        after = {each.node: made.change_of(each.node) for each in NODES}
        assert {*told} == {node for node in before if before[node] != after[node]}
        assert all(node.startswith(site) for node in told)
