from roost_agent.ha.fence.act import FREE, Act, Phase, lifting
from roost_agent.ha.fence.event import Case

CASE = Case("main", 3, 32, b"boot", is_heard=True, may_off=True, wait_ms=0)


def test_an_act_is_about_one_boot_of_one_node():
    act = Act(CASE, frozenset({"main"}), 7)
    assert (act.node, act.phase, act.due_ms, act.until_ms) == (3, Phase.ASK, 7, 7)
    web = Case("web", 3, 0, b"boot", is_heard=False, may_off=False, wait_ms=9)
    assert act.is_about(web), "whichever lease waits for it"
    assert not act.is_about(Case("main", 4, 32, b"boot", is_heard=True, may_off=True, wait_ms=0))
    assert not act.is_about(Case("main", 3, 32, b"next", is_heard=True, may_off=True, wait_ms=0))


def test_switching_on_what_was_left_off_waits_for_no_lease():
    act = lifting(3, 7)
    assert (act.node, act.phase, act.leases) == (3, Phase.LIFT, frozenset())
    assert act.phase not in FREE
