"""``roost host samples``: a line for each series, a row for each value."""

import json

import pytest

PATH = "/api/v1/nodes/a.n1/samples"
FOUND = {
    "node": "a.n1", "origin": "node", "why": "", "as_of": "2026-11-01T03:04:05.678Z", "age_s": 4.0,
    "since": "2026-11-01T03:00:00.000Z", "step_s": 600, "steps": 2, "left_out": 0,
    "series": [
        {"series": "cpu", "kind": "cpu", "of": "", "unit": "%", "low": [1.0, None],
         "mean": [2.5, None], "high": [9.0, None]},
    ],
}  # fmt: skip


@pytest.fixture
def answers(centre):
    centre.more |= {PATH: FOUND}
    return centre.more


@pytest.mark.usefixtures("answers")
def test_people_see_a_line_for_each_series(run):
    code, out, _ = run("host", "samples", "a.n1")
    assert code == 0
    head, row = out.splitlines()
    assert head.split() == ["SERIES", "UNIT", "LOWEST", "MEAN", "HIGHEST", "LAST"]
    assert row.split() == ["cpu", "%", "1.0", "2.5", "9.0", "2.5"]


@pytest.mark.usefixtures("answers")
def test_programs_see_everything_and_spreadsheets_a_row_for_each_value(run):
    assert json.loads(run("host", "samples", "a.n1", "cpu", "-o", "json")[1]) == FOUND
    head, row = run("host", "samples", "a.n1", "--step", "10m", "-o", "csv")[1].splitlines()
    assert head == "at,series,unit,low,mean,high"
    assert row == "2026-11-01T03:00:00Z,cpu,%,1.0,2.5,9.0"


def test_it_is_said_whose_word_it_is_and_what_is_missing(run, answers):
    answers[PATH] = {**FOUND, "origin": "kept", "why": "it did not answer", "left_out": 3}
    out = run("host", "samples", "a.n1")[1]
    assert out.startswith("it did not answer\nwhat it told by itself, 4.0 s ago\n3 series more")
    answers[PATH] = {**FOUND, "origin": "none", "why": "the node is unknown", "series": []}
    assert "nothing is known" in run("host", "samples", "a.n1")[1]
    assert run("host", "samples", "a.n1", "-o", "csv")[0] == 0


@pytest.mark.usefixtures("answers")
def test_a_step_of_less_than_a_minute_is_refused(run):
    assert run("host", "samples", "a.n1", "--step", "30s")[0] == 2


def test_a_boards_sensors_are_asked_for_apart(run, answers):
    answers["/api/v1/nodes/a.n1/sensors/samples"] = FOUND
    assert "cpu" in run("host", "samples", "a.n1", "--board")[1]
