"""``roost bmc show`` and ``roost host sensors``: tables for people, everything for programs."""

import json

import pytest

BOARD = {
    "node": "a.n2", "as_of": "2026-11-01T03:04:05.678Z", "age_s": 4.0, "speaker": "a.n1",
    "protocol": "redfish", "maker": "LabCorp", "model": "E1", "firmware": "1.2", "machine": "u-1",
    "power": "on", "fault": "", "failures": 0, "read": "2026-11-01T03:04:00.000Z", "took_ms": 59,
    "sensors": 1, "dropped": 0, "todo": "", "configured": None,
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
    answers[f"{AT}/bmc"] = {
        **BOARD, "fault": "timeout: no answer", "failures": 7, "age_s": 9e4, "todo": "look there",
    }  # fmt: skip
    out = run("bmc", "show", "a.n2")[1]
    assert "FAULT      timeout: no answer, 7 in a row" in out
    assert "do         look there" in out
    assert "an old word" in out


def test_a_node_whose_controller_nobody_reads_is_told_so(run, answers):
    answers[f"{AT}/bmc"] = {**BOARD, "as_of": None}
    answers[f"{AT}/sensors"] = {**SENSORS, "as_of": None}
    assert run("bmc", "show", "a.n2")[1].startswith("nobody reads a board controller of a.n2")
    assert run("host", "sensors", "a.n2")[1].startswith("nobody reads a board controller of a.n2")


CONFIGURED = {
    "host": "10.0.9.12", "user": "roost", "has_password": True, "type": "dynamic", "ca": "",
    "certificate_sha256": "", "changed": "2026-11-01T03:04:05.678Z", "by": "ada",
    "reached_by": "site",
    "told": [{"node": "a.n1", "state": "failed", "text": "sealed for another key", "at": None}],
}  # fmt: skip
GROUPS = {
    "node": "a.n2",
    "items": [
        {"group": "fans", "minor": "log", "major": "alarm", "critical": "reset", "suppress": False,
         "interval_s": 600, "is_set": True, "sensors": 2, "suppressed": ["k"]},
    ],
}  # fmt: skip
SET = ("bmc", "set", "a.n2", "--host", "10.0.9.12", "--user", "roost", "-m", "rack")
ORDER = {
    "id": "o1", "node": "a.n1", "verb": "test-board", "given": {}, "state": "failed",
    "code": "credential", "text": "it answers, and refuses", "sends": 1,
}  # fmt: skip


def test_how_it_was_set_and_who_knows_is_shown(run, answers):
    answers[f"{AT}/bmc"] = {**BOARD, "as_of": None, "configured": CONFIGURED}
    out = run("bmc", "show", "a.n2")[1]
    assert "dynamic at 10.0.9.12 as roost, by ada" in out
    assert "told       a.n1: failed, sealed for another key" in out


def test_a_password_comes_by_a_file_of_ones_own_or_a_pipe_and_never_as_an_argument(
    run, answers, centre, tmp_path, capsys
):
    answers[f"{AT}/bmc"] = CONFIGURED
    file = tmp_path / "password"
    file.write_text("canary\nmore\n")
    file.chmod(0o640)
    assert run(*SET, "--password-file", str(file))[0] == 2
    assert "must be yours alone, 0600" in capsys.readouterr().err
    file.chmod(0o600)
    code, out, _ = run(*SET, "--password-file", str(file))
    assert (code, "canary" in out) == (0, False)
    code, _, _ = run(*SET, input="of-a-pipe\n")
    assert code == 0
    code, _, _ = run(*SET, "--keep-password")
    sent = [json.loads(body) for method, _, _, body, _ in centre.seen if method == "PUT"]
    assert [each.get("password") for each in sent] == ["canary", "of-a-pipe", None]
    assert {each["host"] for each in sent} == {"10.0.9.12"}
    assert run(*SET, "--password", "x")[0] != 0, "there is no such option"


def test_a_test_says_what_is_wrong_and_what_to_do(run, answers):
    answers[f"{AT}/bmc:test"] = {"node": "a.n2", "by": "a.n1", "order": ORDER, "reached": None}
    code, out, _ = run("bmc", "test", "a.n2")
    assert code == 8
    assert "a.n2: credential: it answers, and refuses, seen by a.n1" in out
    assert "set user and password anew" in out
    done = {**ORDER, "state": "done", "text": "n2: E1, by redfish, power on"}
    answers[f"{AT}/bmc:relearn"] = {"node": "a.n2", "by": "a.n1", "order": done, "reached": None}
    code, out, _ = run("bmc", "relearn", "a.n2", "-m", "replaced")
    assert (code, out) == (0, "n2: E1, by redfish, power on, reached by a.n1\n")


def test_what_the_centre_reaches_says_at_once_what_came_of_it(run, answers, centre):
    answers[f"{AT}/bmc"] = {**CONFIGURED, "reached_by": "centre", "told": []}
    out = run(*SET, "--keep-password", "--reached-by", "centre")[1]
    assert out.startswith("a.n2: set; the centre polls it, and nobody acts by it")
    answers[f"{AT}/bmc"] = {**BOARD, "as_of": None, "configured": answers[f"{AT}/bmc"]}
    assert "reached by the centre" in run("bmc", "show", "a.n2")[1]
    said = {"fault": "", "text": "a.n2: E1, by redfish, power on", "todo": ""}
    found = {"node": "a.n2", "by": "central", "order": None, "reached": said}
    answers[f"{AT}/bmc:test"] = found
    assert run("bmc", "test", "a.n2")[:2] == (0, f"{said['text']}, reached by the centre\n")
    said |= {"fault": "tls", "text": "another certificate", "todo": "learn it anew"}
    code, out, _ = run("bmc", "test", "a.n2")
    assert (code, out) == (8, "a.n2: tls: another certificate, seen by the centre\nlearn it anew\n")


def test_groups_are_shown_and_changed_by_what_is_said(run, answers, centre):
    answers[f"{AT}/sensor-groups"] = answers[f"{AT}/sensor-groups/fans"] = GROUPS
    row = run("bmc", "groups", "a.n2")[1].splitlines()[-1].split()
    assert row == ["fans", "2", "but", "1", "600", "s", "log", "alarm", "reset", "here"]
    words = ("--interval-s", "600", "--no-suppress", "--suppress-sensor", "k", "-m", "noise")
    assert run("bmc", "group", "a.n2", "fans", *words)[0] == 0
    [body] = [json.loads(body) for method, _, _, body, _ in centre.seen if method == "PATCH"]
    assert body == {"interval_s": 600, "suppress": False, "sensors": {"k": True}, "reason": "noise"}
