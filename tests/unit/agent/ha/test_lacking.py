"""Which groups wait for a proof, told once each; test_core.py has whole sites."""

from roost_agent.ha import core_events as ev
from roost_agent.ha.lacking import FENCING, NO_PROOF, Lacking


def raised(reason, entity):
    return ev.Raise(NO_PROOF, {"reason": reason}, entity)


def test_each_group_that_lacks_a_proof_is_told_once_and_its_end():
    lacking = Lacking()
    assert lacking.told("main", "n1 is silent") == [raised("n1 is silent", "group=main")]
    assert lacking.told("main", "n1 is silent") == []
    assert lacking.told("web", "n1 is silent") == [raised("n1 is silent", "group=web")]
    assert lacking.told("main", "") == [ev.Clear(NO_PROOF, "group=main")]


def test_what_a_fence_says_is_the_better_reason_of_all_who_wait():
    lacking = Lacking()
    lacking.told("main", "n1 is silent")
    assert lacking.told(FENCING, "its BMC is dead") == [raised("its BMC is dead", "group=main")]
    assert lacking.told(FENCING, "") == [raised("n1 is silent", "group=main")]


def test_a_fence_is_told_of_where_no_group_waits_and_the_built_in_lease_is_not():
    lacking = Lacking()
    assert lacking.told("site", "n1 is silent") == []
    assert lacking.told(FENCING, "its BMC is dead") == [raised("its BMC is dead", "")]
    assert lacking.told("main", "n1 is silent") == [
        ev.Clear(NO_PROOF, ""),
        raised("its BMC is dead", "group=main"),
    ]
