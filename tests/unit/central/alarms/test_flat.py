"""What leaves the house: one flat object each, as the contract of the feed says."""

import json

from alarms import S, cleared, said

from roost_central.alarms.flat import encode, flat_alarm, flat_incident, flat_summary, rfc3339
from roost_central.alarms.incident_row import Cause, IncidentRow
from roost_central.alarms.row import Ack
from roost_central.alarms.tally import Tally

SCALARS = (str, int, float, bool)


def told(flat):
    """Return an object as a reader outside has it."""
    return json.loads(encode(flat))


def test_an_alarm_is_flat_and_has_every_key_of_the_contract(driven, catalogue):
    driven.do(said(params={"value": 93}))
    row = driven.row()
    labels = {"region": "r02", "carrier": "carB"}
    flat = told(
        flat_alarm(
            row,
            "raise",
            7,
            catalogue=catalogue,
            labels=labels,
            chosen=["carrier", "tier"],
            url="https://roost.example",
        )
    )
    assert all(isinstance(value, SCALARS) for value in flat.values())
    assert (flat["severity"], flat["sev"], flat["state"], flat["seq"]) == ("major", 3, "active", 7)
    assert (flat["site"], flat["node"], flat["region"]) == ("lab", "n1", "r02")
    assert (flat["label_carrier"], flat["label_tier"]) == ("carB", "")
    assert flat["url"] == f"https://roost.example/a/{row.id}"
    assert flat["raised"] == "2027-01-15T08:00:00Z"
    assert flat["suppressed"] is False


def test_a_cleared_alarm_says_so_and_why(driven, catalogue):
    driven.do(said())
    driven.do(cleared())
    row = driven.told[-1].alarm
    flat = told(flat_alarm(row, "clear", 2, catalogue=catalogue, labels={}))
    assert (flat["severity"], flat["sev"], flat["state"]) == ("cleared", 0, "cleared")
    assert (flat["reason"], flat["url"]) == ("gone", "")


def test_an_incident_is_flat():
    row = IncidentRow(
        id="INC-1",
        type="280.801",
        severity=S.CRITICAL,
        opened_ms=0,
        changed_ms=1_000,
        causes=[Cause("carrier=carB", {"carrier": ["carB"]}, 0.98765, 48, 50)],
        sites=50,
        covered=48,
        ack=Ack("jd", 1),
    )
    flat = told(flat_incident(row, "incident-change", 9, url="https://x"))
    assert all(isinstance(value, SCALARS) for value in flat.values())
    assert (flat["event"], flat["cause"], flat["precision"]) == ("change", "carrier=carB", 0.988)
    assert (flat["unexplained"], flat["ack_by"], flat["url"]) == (2, "jd", "https://x/i/INC-1")
    assert told(flat_incident(row, "incident-open", 1))["url"] == ""


def test_the_counts_are_flat():
    flat = told(flat_summary(Tally(), {"ok": 3}, incidents=1, now_ms=5_000))
    assert (flat["critical"], flat["sites_ok"], flat["sites_unknown"]) == (0, 3, 0)
    assert (flat["status"], flat["ts"], flat["incidents"]) == ("ok", 5, 1)


def test_a_time_outside_the_calendar_is_no_time():
    assert rfc3339(-1) == rfc3339(2**62) == ""
