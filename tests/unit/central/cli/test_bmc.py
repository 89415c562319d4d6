"""``roost bmc show`` and ``roost host sensors``: tables for people, everything for programs."""

import json

import pytest

BOARD = {
    "node": "a.n2", "as_of": "2026-11-01T03:04:05.678Z", "age_s": 4.0, "speaker": "a.n1",
    "protocol": "redfish", "maker": "LabCorp", "model": "E1", "firmware": "1.2", "machine": "u-1",
    "power": "on", "fault": "", "failures": 0, "read": "2026-11-01T03:04:00.000Z", "took_ms": 59,
    "sensors": 1, "dropped": 0,
}  # fmt: skip
SENSORS = {
    "node": "a.n2", "as_of": "2026-11-01T03:04:05.678Z", "age_s": 4.0,
    "read": "2026-11-01T03:04:00.000Z", "fault": "", "power": "on", "dropped": 0,
    "sensors": [
        {"sensor": "CPU", "group": "temperature", "value": 85.0, "unit": "C", "level": "major",
         "thresholds": {"lnr": None, "lcr": None, "lnc": None, "unc": 70.0, "ucr": 80.0,
                        "unr": None},
         "suppressed": False, "key": "/redfish/v1/S/1"},
        {"sensor": "FAN", "group": "fans", "value": None, "unit": "rpm", "level": "offline",
         "thresholds": dict.fromkeys(("lnr", "lcr", "lnc", "unc", "ucr", "unr")),
         "suppressed": True, "key": "ipmi:29.1/0x41"},
    ],
}  # fmt: skip
AT = "/api/v1/nodes/a.n2"


@pytest.fixture
def answers(centre):
    centre.more |= {f"{AT}/bmc": BOARD, f"{AT}/sensors": SENSORS}
    return centre.more


@pytest.mark.usefixtures("answers")
def test_people_see_who_it_is_and_what_it_reads(run):
    code, out, _ = run("bmc", "show", "a.n2")
    assert code == 0
    assert "LabCorp E1  u-1" in out
    assert "a.n1, told 4.0 s ago" in out
    code, out, _ = run("host", "sensors", "a.n2")
    rows = [line.split() for line in out.splitlines()[-2:]]
    assert rows[0] == ["CPU", "temperature", "85", "C", "major", "unc", "70", "ucr", "80"]
    assert rows[1] == ["FAN", "fans", "-", "(offline)", "-"]


@pytest.mark.usefixtures("answers")
def test_programs_see_everything(run):
    assert json.loads(run("bmc", "show", "a.n2", "-o", "json")[1]) == BOARD
    assert json.loads(run("host", "sensors", "a.n2", "-o", "json")[1]) == SENSORS


def test_a_fault_and_an_old_word_are_told(run, answers):
    answers[f"{AT}/bmc"] = {**BOARD, "fault": "timeout: no answer", "failures": 7, "age_s": 9e4}
    out = run("bmc", "show", "a.n2")[1]
    assert "FAULT      timeout: no answer, 7 in a row" in out
    assert "an old word" in out


def test_a_node_whose_controller_nobody_reads_is_told_so(run, answers):
    answers[f"{AT}/bmc"] = {**BOARD, "as_of": None}
    answers[f"{AT}/sensors"] = {**SENSORS, "as_of": None}
    assert run("bmc", "show", "a.n2")[1].startswith("nobody reads a board controller of a.n2")
    assert run("host", "sensors", "a.n2")[1].startswith("nobody reads a board controller of a.n2")
