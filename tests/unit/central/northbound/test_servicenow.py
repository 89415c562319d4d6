"""Events in ServiceNow's form: its fields, its lengths, its severities."""

import json

import pytest
from alarm_feed import alarm, incident, over

from roost_central.northbound.servicenow import body, trial_message

# em_event's fields that are written here, with their lengths: ServiceNow's documentation of the
# event form, as of its releases Istanbul to Orlando.
FIELDS = {
    "source": 100,
    "event_class": 100,
    "node": 100,
    "resource": 100,
    "metric_name": 100,
    "type": 100,
    "severity": 1,
    "description": 4_000,
    "message_key": 1_024,
    "time_of_event": 19,
    "resolution_state": 40,
    "additional_info": 1_000_000,
}


def record(told):
    (found,) = json.loads(told)["records"]
    assert set(found) == set(FIELDS)
    assert all(isinstance(value, str) for value in found.values())
    assert {name for name, value in found.items() if len(value) > FIELDS[name]} == set()
    return found


@pytest.mark.parametrize(("sev", "severity"), [(4, "1"), (3, "2"), (2, "3"), (1, "4")])
def test_a_severity_is_theirs(sev, severity):
    assert record(body(alarm(1, sev=sev)))["severity"] == severity


def test_a_raise_and_its_end_are_of_one_message_key():
    row = alarm(1, node="n1", entity="site=s00001,node=n1,fs=/var")
    begun, ended = record(body(row)), record(body(over(row)))
    assert begun["message_key"] == ended["message_key"] == row.key_id
    assert (begun["severity"], begun["resolution_state"]) == ("2", "New")
    assert (ended["severity"], ended["resolution_state"]) == ("0", "Closing")
    assert (begun["node"], begun["resource"]) == ("n1.s00001", "fs=/var")
    assert begun["time_of_event"] == "2027-02-03 03:00:04"
    assert json.loads(begun["additional_info"])["label_carrier"] == "carB"


def test_an_incident_is_an_event_of_the_fleet():
    found = record(body(incident()))
    assert (found["node"], found["message_key"], found["severity"]) == ("fleet", "INC-7F3A", "1")
    assert record(body(incident(state="closed", sev=0)))["resolution_state"] == "Closing"


def test_what_is_long_is_cut():
    entity = "central=roost," + ",".join(f"kind{n}={'x' * 29}" for n in range(7))
    found = record(body(alarm(1, site="", entity=entity, text="y" * 9_000)))
    assert (found["node"], len(found["resource"])) == ("centre", 100)


def test_a_test_makes_no_alert():
    assert record(trial_message("2027-02-03T03:00:04Z"))["severity"] == "0"
