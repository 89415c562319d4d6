"""The table of actions says of each what hosts.md says."""

import pytest

from roost_central.hosts.actions import ACTIONS
from roost_protocol.host import LEGAL, Admin, Avail
from roost_protocol.host_verbs import HOST_VERBS


def test_each_action_of_the_design_is_there_and_each_verb_has_one():
    assert list(ACTIONS) == [
        "lock", "force-lock", "unlock", "swact", "reboot", "reset", "power-on", "power-off",
        "power-cycle", "recover", "maintenance", "reinstall", "delete",
    ]  # fmt: skip
    assert {each.verb.verb for each in ACTIONS.values() if each.verb} == set(HOST_VERBS)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=str)
def test_an_action_is_for_at_least_one_state_that_a_host_may_have(action):
    assert any(
        admin in action.admin | action.forced_admin and avail in action.avail
        for admin, _, avail in LEGAL
    )


def test_no_power_is_cut_of_a_host_that_is_not_locked():
    assert ACTIONS["power-off"].admin == {Admin.LOCKED}
    assert not ACTIONS["power-off"].forced_admin
    assert Avail.POWER_OFF not in ACTIONS["power-off"].avail


@pytest.mark.parametrize("name", ["force-lock", "delete", "reinstall"])
def test_what_cannot_be_taken_back_is_confirmed(name):
    assert ACTIONS[name].needs_confirm
