import pytest

from roost_agent.bmc.allowed import boards_refuse

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
