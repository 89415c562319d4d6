"""Which host this node may install anew."""

import pytest

from roost_agent.reinstall.allowed import is_back, refusal

LOCKED, OFF, UP = (
    "locked/disabled/online",
    "locked/disabled/power-off",
    "unlocked/enabled/available",
)


@pytest.mark.parametrize(
    ("state", "more", "told"),
    [
        (LOCKED, {}, ""),
        (OFF, {}, ""),
        (UP, {}, "lock it first"),
        ("locked/disabled/offline", {}, "lock it first"),
        (LOCKED, {"expect": OFF}, "look again"),
        (LOCKED, {"own": "n2"}, "is this node"),
        (LOCKED, {"is_mnfa": True}, "the network is to blame"),
    ],
)
def test_a_host_that_is_locked_and_another_one_is_installed(state, more, told):
    report = {"is_mnfa": more.get("is_mnfa", False), "hosts": [{"node": "n2", "state": state}]}
    said = refusal(report, "n2", more.get("own", "n1"), more.get("expect", state))
    assert (told in said) if told else said == ""


def test_a_host_that_nobody_knows_is_not():
    assert "n3 is unknown" in refusal({"is_mnfa": False, "hosts": []}, "n3", "n1", "")


@pytest.mark.parametrize(
    ("states", "is_so"),
    [
        ([], False), ([LOCKED], False), ([LOCKED, "locked/disabled/offline"], False),
        ([LOCKED, "locked/disabled/offline", LOCKED], True), ([OFF, LOCKED], True),
    ],
)  # fmt: skip
def test_a_host_is_back_once_it_was_away(states, is_so):
    assert is_back(states) is is_so
