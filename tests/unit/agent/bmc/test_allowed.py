import pytest

from roost_agent.bmc.allowed import boards_refuse, sensors_refuse

SERVING, LOCKED = "unlocked/enabled/available", "locked/disabled/online"


def refused(state=SERVING, verb="power-off", *, expect="", force=False, is_mnfa=False):
    hosts = [{"node": "n2", "state": state}] if state else []
    report = {"is_mnfa": is_mnfa, "hosts": hosts}
    return boards_refuse(report, "n2", verb, expect=expect, force=force)


@pytest.mark.parametrize("verb", ["reset", "power-off", "power-cycle"])
def test_a_host_that_serves_keeps_its_power_unless_forced(verb):
    assert "lock it first" in refused(verb=verb)
    assert refused(verb=verb, force=True) == ""
    assert refused(LOCKED, verb) == ""
    assert refused("unlocked/disabled/offline", verb) == ""


def test_an_unknown_host_is_acted_on_by_force_alone():
    assert "say force" in refused("")
    assert refused("", force=True) == ""
    assert refused("", "power-on") == ""


def test_what_was_decided_on_another_state_is_refused():
    assert "it was decided on" in refused(LOCKED, expect=SERVING, force=True)
    assert refused(LOCKED, expect=LOCKED) == ""


def test_while_the_network_is_to_blame_no_machine_is_acted_on():
    assert "the network is to blame" in refused(LOCKED, is_mnfa=True)
    assert "the network is to blame" in refused(LOCKED, is_mnfa=True, force=True)


def stands(*hosts, is_mnfa=False):
    said = [
        {"node": node, "state": state, "maintenance_until_ms": until}
        for node, state, until in hosts
    ]
    return {"is_mnfa": is_mnfa, "hosts": said}


UP = "unlocked/enabled/available"


def hot(report, node, held_back):
    return sensors_refuse(report, node, held_back, wall_ms=5)


def test_sensors_have_no_host_acted_on_that_others_need_or_that_is_worked_on():
    two = stands(("n1", UP, 0), ("n2", UP, 0))
    assert hot(two, "n1", "") == ""
    assert "silent together" in hot(two | {"is_mnfa": True}, "n1", "")
    assert hot(two, "n1", "the site powers up") == "the site powers up"
    assert "knows how n9" in hot(two, "n9", "")
    alone = stands(("n1", UP, 0), ("n2", "locked/disabled/online", 0))
    assert "last that serves" in hot(alone, "n1", "")
    assert hot(alone, "n2", "") == ""
    assert "maintenance" in hot(stands(("n1", UP, 7), ("n2", UP, 0)), "n1", "")
    assert hot(stands(("n1", UP, 5), ("n2", UP, 0)), "n1", "") == "", "it is over"
