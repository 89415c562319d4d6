"""Readings of a board controller on a real disk, as the child that polls keeps them."""

import math

import pytest

from roost_agent.bmc.history import BOARDS_MAX, chosen, keep, values_of
from roost_agent.bmc.sensor import Sensor
from roost_agent.host.samples.ring import ROWS_MAX, Ring
from roost_agent.host.samples.rollup import samples, window
from roost_protocol.boards import SENSORS_MAX, Group
from roost_protocol.samples import unpacked

MINUTE_MS = 60_000


def cpu(value, name="CPU", key="k"):
    return Sensor(key, name, Group.TEMPERATURE, "C", value)


def shown(folder, minutes):
    found = samples(Ring(folder).parts(), window(0, minutes * MINUTE_MS, 60), ())
    return {
        each.name: [
            None if math.isnan(mean) else (low, mean, high)
            for low, mean, high in zip(
                *map(unpacked, (each.low, each.mean, each.high)), strict=True
            )
        ]
        for each in found.series
    }


def rows(folder):
    return sum(len(part.rows) // (4 + 6 * len(part.series)) for part in Ring(folder).parts())


def test_each_poll_is_a_value_of_its_minute_and_those_between_are_gaps(tmp_path):
    for minute, value in ((0, 40.0), (2, 42.0)):
        assert keep(tmp_path / "n2", [cpu(value)], minute * MINUTE_MS + 5) == ""
    assert shown(tmp_path / "n2", 3) == {
        "temperature|sensor=CPU": [(40, 40, 40), None, (42, 42, 42)]
    }


def test_a_minute_that_was_read_often_becomes_one_row_with_its_extremes(tmp_path):
    folder = tmp_path / "n2"
    for at_s, value in ((0, 40.0), (10, 90.0), (20, 20.0), (30, None)):
        fan = Sensor("f", "Fan", Group.FANS, "rpm", 900.0)
        keep(folder, [cpu(value), fan], at_s * 1000)
    keep(folder, [cpu(50.0)], MINUTE_MS)
    assert rows(folder) == 2
    assert shown(folder, 2) == {
        "temperature|sensor=CPU": [(20, 50, 90), (50, 50, 50)],
        "fan|sensor=Fan": [(900, 900, 900), None],
    }


def test_a_day_of_the_quickest_polls_is_a_day_and_bounded(tmp_path):
    folder = tmp_path / "n2"
    for turn in range(3 * 130):  # three a minute, past the rows of one file
        keep(folder, [cpu(float(turn % 3))], turn * 20_000)
    found = shown(folder, 130)["temperature|sensor=CPU"]
    assert found == [(0, 1, 2)] * 130
    assert rows(folder) <= 130 + 2 * 2  # the last minute, and one that two files share
    assert ROWS_MAX == 1_440


def test_units_have_kinds_of_their_own_and_what_only_grows_has_none():
    found = values_of(
        [
            Sensor("1", "Fan", Group.FANS, "%", 30.0),
            Sensor("2", "12V", Group.VOLTAGE, "V", 12.1),
            Sensor("3", "PSU", Group.POWER, "A", 3.0),
            Sensor("4", "PSU", Group.POWER, "W", 300.0),
            Sensor("5", "PSU", Group.POWER, "kWh", 12_000.0),
            Sensor("6", "Off", Group.VOLTAGE, "V", None),
        ]
    )
    assert list(found) == [
        "fan_level|sensor=Fan", "voltage|sensor=12V", "current|sensor=PSU", "power|sensor=PSU"
    ]  # fmt: skip


def test_of_two_sensors_of_one_name_both_are_kept_and_a_full_board_is(tmp_path):
    assert list(values_of([cpu(1.0), cpu(2.0, key="ipmi:3.1/0x04")])) == [
        "temperature|sensor=CPU", "temperature|sensor=CPU ipmi:3.1/0x04",
    ]  # fmt: skip
    many = [cpu(20.0, name=f"Sensor {number}") for number in range(SENSORS_MAX)]
    assert keep(tmp_path / "n2", many, 0) == ""
    (part,) = Ring(tmp_path / "n2").parts()
    assert len(part.series) == SENSORS_MAX
    assert len(part.rows) < 1_600  # bytes of a minute


@pytest.mark.parametrize("name", ["..", "N2", "n2.rows", "a" * 33, "-n"])
def test_a_node_that_is_no_name_is_no_folder(tmp_path, name):
    assert "no name" in keep(tmp_path / "in" / name, [cpu(1.0)], 0)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_said(tmp_path):
    (tmp_path / "n2").write_text("in the way")
    assert "n2: " in keep(tmp_path / "n2", [cpu(1.0)], 0)


def test_the_first_boards_of_the_file_are_kept_and_those_that_went_are_forgotten(tmp_path):
    root = tmp_path / "board-samples"
    assert chosen(root, ["n1"]) == {"n1"}
    keep(root / "n1", [cpu(1.0)], 0)
    keep(root / "gone", [cpu(1.0)], 0)
    names = ["n1", *(f"m{number}" for number in range(BOARDS_MAX + 5))]
    assert len(chosen(root, names)) == BOARDS_MAX
    assert [each.name for each in root.iterdir()] == ["n1"]
