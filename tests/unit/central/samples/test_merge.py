"""Hourly words become a day."""

import math

from roost_central.samples.merge import SERIES_MAX, merged
from roost_protocol.codec import VERSION
from roost_protocol.samples import Samples, Series, packed, unpacked

STEP_MS = 600_000
NAN = math.nan


def said(first, *values, of="", kind="cpu", step_s=600):
    raw = packed(values)
    return Samples(
        v=VERSION,
        since_ms=first * step_s * 1000,
        step_s=step_s,
        steps=len(values),
        series=[Series(kind, of, raw, raw, raw)],
    )


def line(day, name="cpu"):
    found = next(each for each in day.series if each.name == name)
    return [None if math.isnan(value) else value for value in unpacked(found.mean)]


def test_the_next_word_stands_behind_the_one_before():
    day = merged(merged(None, said(0, 1, 2)), said(2, 3, 4))
    assert (day.since_ms, day.steps, line(day)) == (0, 4, [1, 2, 3, 4])
    day.check()


def test_what_was_missed_is_a_gap_and_what_is_said_twice_counts_once():
    day = merged(merged(None, said(0, 1)), said(3, 4))
    assert line(day) == [1, None, None, 4]
    day = merged(day, said(2, 3, NAN))
    assert line(day) == [1, None, 3, 4]


def test_a_late_word_of_before_is_laid_where_it_belongs():
    assert line(merged(merged(None, said(2, 3)), said(0, 1))) == [1, None, 3]


def test_a_day_and_no_more_is_kept():
    day = None
    for hour in range(30):
        day = merged(day, said(6 * hour, *[hour] * 6))
    assert (day.steps, day.since_ms) == (144, 6 * 6 * STEP_MS)
    assert line(day) == [hour for hour in range(6, 30) for _ in range(6)]


def test_a_clock_that_was_set_begins_another_day():
    far = merged(merged(None, said(100_000, 1)), said(7, 2))
    assert (far.since_ms, line(far)) == (7 * STEP_MS, [2])
    assert line(merged(merged(None, said(7, 2)), said(100_000, 1))) == [1]


def test_another_length_of_steps_begins_another_day():
    assert merged(merged(None, said(0, 1)), said(0, 5, step_s=60)).step_s == 60


def test_series_that_are_told_no_more_make_room():
    day = None
    for number in range(3 * SERIES_MAX):
        day = merged(day, said(number, 1, kind="space", of=f"fs=/{number}"))
    assert len(day.series) == SERIES_MAX
    assert f"space|fs=/{3 * SERIES_MAX - 1}" in {each.name for each in day.series}


def test_an_empty_word_changes_nothing():
    empty = Samples(v=VERSION, since_ms=0, step_s=600, steps=0)
    assert merged(None, empty).series == []
    assert line(merged(merged(None, said(0, 1)), empty)) == [1]
