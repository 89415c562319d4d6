"""Rows of minutes from what is measured."""

import math

from roost_agent.alarms.samples.sampler import Measured
from roost_agent.host.samples.minutes import Minutes
from roost_protocol.limits import SAMPLE_SERIES_MAX


def cpu(value):
    return [Measured("cpu", "", value)]


def test_a_row_has_the_lowest_mean_and_highest_of_its_minute():
    minutes = Minutes()
    assert [minutes.take(cpu(value), 7) for value in (10, 40, 10)] == [None] * 3
    row = minutes.take(cpu(90), 8)
    assert (row.minute, row.values) == (7, {"cpu": (10, 20, 40)})


def test_what_could_not_be_read_counts_for_nothing_and_its_series_stays():
    minutes = Minutes()
    minutes.take([*cpu(None), Measured("space", "fs=/", 5.0)], 7)
    minutes.take([*cpu(math.nan), *cpu(math.inf)], 7)
    row = minutes.take([], 8)
    assert set(row.values) == {"cpu", "space|fs=/"}
    assert all(math.isnan(value) for value in row.values["cpu"])


def test_a_clock_that_is_set_back_ends_the_minute():
    minutes = Minutes()
    minutes.take(cpu(1), 100)
    assert minutes.take(cpu(2), 3).minute == 100
    assert minutes.take(cpu(3), 4).minute == 3


def test_a_minute_in_which_nothing_was_looked_at_makes_no_row():
    minutes = Minutes()
    assert minutes.take([], 1) is None
    assert minutes.take([], 2) is None


def test_series_are_bounded_and_those_left_out_are_counted():
    minutes = Minutes()
    many = [Measured("space", f"fs=/{number}", 1.0) for number in range(SAMPLE_SERIES_MAX + 3)]
    minutes.take([*many, *many], 1)
    assert len(minutes.take([], 2).values) == SAMPLE_SERIES_MAX
    assert minutes.left_out == 3
    minutes.take(cpu(1), 2)
    minutes.take(cpu(1), 3)
    assert minutes.left_out == 0
