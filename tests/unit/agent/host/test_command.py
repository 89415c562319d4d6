"""What a person on the node reads of its host."""

import pytest

from roost_agent.host.command import run, shown
from roost_agent.host.core import EXHAUSTED_TYPE, LOCKED_TYPE

HOST = {
    "node": "n1", "state": "locked/disabled/online", "since_ms": 1_800_000_000_000, "task": "",
    "reasons": {}, "cause": "locked by ann: fan", "maintenance_until_ms": 0,
}  # fmt: skip
REPORT = {
    "node": "n1", "bar": "the host is locked by ann", "coordinates": True, "fault": "",
    "alarms": {LOCKED_TYPE: {"by": "ann", "reason": "fan"}}, "pending": None, "is_mnfa": False,
    "hosts": [HOST], "act": {},
}  # fmt: skip


def test_a_locked_host_says_by_whom_and_why_in_words():
    text = shown(REPORT)
    assert "n1    locked/disabled/online  2027-01-15T08:00:00Z  -        -     locked by" in text
    assert "runs no service: the host is locked by ann" in text
    assert "ALARM      Locked by ann: fan" in text
    assert "{" not in text


def test_what_gave_up_what_is_silent_and_what_is_not_kept_is_said():
    alarms = {EXHAUSTED_TYPE: {"max": 3, "cause": "health"}}
    act = {"verb": "host-lock", "state": "failed", "sentence": "nobody could take db"}
    more = {"alarms": alarms, "is_mnfa": True, "fault": "host.json: full", "act": act}
    text = shown(REPORT | more)
    assert "stopped after 3 health failures" in text
    assert "the network is to blame" in text
    assert "not kept: host.json: full" in text
    assert "last act   host-lock: failed nobody could take db" in text


@pytest.mark.parametrize(
    ("span", "told"), [("72h", "--reason TEXT"), ("73h", "1s to 72h"), ("abc", "1s to 72h")]
)
def test_a_maintenance_may_be_as_long_on_the_node_as_it_may_from_the_centre(capsys, span, told):
    with pytest.raises(SystemExit):
        run(["maintenance", "on", "--for", span])
    assert told in capsys.readouterr().err
