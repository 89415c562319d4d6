"""``roost-agent samples`` over files as the agent writes them."""

import json
import time

import pytest

from roost_agent.__main__ import command
from roost_agent.host.samples.minutes import Row
from roost_agent.host.samples.ring import BOARDS_FOLDER, Ring


@pytest.fixture
def state(tmp_path):
    ring, now = Ring(tmp_path / "samples"), int(time.time()) // 60
    for back in range(90, 0, -1):
        values = {"cpu": (1.0, 2.0, 3.0), "space|fs=/": (50.0, 50.0, 50.0)}
        ring.append(Row(now - back, values))
    return tmp_path


def run(state, *words):
    return command(["samples", "--state-dir", str(state), *words])


def test_each_series_is_a_line_with_its_extremes(state, capsys):
    assert run(state) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["SERIES", "UNIT", "LOWEST", "MEAN", "HIGHEST", "LAST"]
    assert lines[1].split() == ["cpu", "%", "1", "2", "3", "2"]
    assert len(lines) == 3


def test_every_step_for_a_program_and_for_a_spreadsheet(state, capsys):
    assert run(state, "cpu", "--json", "--hours", "1", "--step", "1") == 0
    (series,) = json.loads(capsys.readouterr().out)["series"]
    assert (series["series"], series["unit"]) == ("cpu", "%")
    assert len([each for each in series["mean"] if each == 2.0]) >= 58
    assert run(state, "cpu", "--csv", "--hours", "1", "--step", "1") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "at,series,unit,low,mean,high"
    assert rows[1].endswith("Z,cpu,%,1.0,2.0,3.0")


def test_what_nobody_measured_is_said_and_bounds_are_named(state, capsys):
    assert run(state, "fan") == 1
    assert "no minutes" in capsys.readouterr().err
    assert run(state, "--hours", "25") == 2
    assert "at most 24" in capsys.readouterr().err


def test_readings_of_a_board_are_those_of_its_folder_and_else_it_is_said_where_they_are(
    state, capsys
):
    values = {"temperature|sensor=CPU": (40.0, 41.0, 42.0)}
    Ring(state / BOARDS_FOLDER / "n2").append(Row(int(time.time()) // 60 - 5, values))
    assert run(state, "--board", "n2") == 0
    assert "41" in capsys.readouterr().out.splitlines()[1]
    assert run(state, "--board", "n3") == 1
    assert "here are those of n2" in capsys.readouterr().err
    assert run(state, "--board", "../samples") == 2
    assert "--board" in capsys.readouterr().err
