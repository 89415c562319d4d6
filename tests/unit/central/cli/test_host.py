"""``roost host processes``: a table for people, everything for programs."""

import json

import pytest

FOUND = {
    "node": "a.n1",
    "as_of": "2026-11-01T03:04:05.678Z",
    "age_s": 4.0,
    "degrade": {"process": "major"},
    "faults": ["/etc/pmon.d/x.conf:3: severity: 'huge': one of minor, major, critical"],
    "processes": [
        {
            "process": "pump", "state": "failed", "mode": "active", "severity": "major",
            "since": "2026-11-01T03:04:00.000Z", "pid": None, "restarts": 4, "in_row": 4,
            "reason": "it did not answer 3 pings", "file": "/etc/roost/processes.d/p.toml",
        }
    ],
}  # fmt: skip
PATH = "/api/v1/nodes/a.n1/processes"


@pytest.fixture
def answers(centre):
    centre.more |= {PATH: FOUND}
    return centre.more


@pytest.mark.usefixtures("answers")
def test_people_see_state_reason_and_what_is_wrong(run):
    code, out, _ = run("host", "processes", "a.n1")
    assert code == 0
    assert "degraded by process: major\n" in out
    assert "fault: /etc/pmon.d/x.conf:3: " in out
    head, row = out.splitlines()[-2:]
    assert head.split()[:5] == ["PROCESS", "STATE", "SINCE", "SEVERITY", "MODE"]
    assert "active" in row
    assert row.startswith("pump")
    assert row.endswith("it did not answer 3 pings")


@pytest.mark.usefixtures("answers")
def test_programs_see_everything(run):
    code, out, _ = run("host", "processes", "a.n1", "-o", "json")
    assert (code, json.loads(out)) == (0, FOUND)


def test_a_node_that_watches_none_is_told_so(run, answers):
    answers[PATH] = {**FOUND, "as_of": None}
    assert run("host", "processes", "a.n1")[1].startswith("a.n1 watches no process")


@pytest.mark.parametrize(("age_s", "is_old"), [(1_900.0, False), (90_000.0, True)])
def test_what_is_not_told_again_is_shown_as_an_old_word(run, answers, age_s, is_old):
    """A node that watches none any more says nothing: what it said last stays at the centre."""
    answers[PATH] = {**FOUND, "age_s": age_s}
    assert ("an old word" in run("host", "processes", "a.n1")[1]) is is_old


@pytest.mark.usefixtures("answers")
def test_a_node_that_is_not_there_is_not_found(run):
    assert run("host", "processes", "a.n9")[0] == 3
