from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.errors import ProtocolError
from roost_protocol.window import (
    HORIZON_MS,
    MINUTES_MAX,
    Window,
    both_open_ms,
    check,
    longest_apart_ms,
    next_start_ms,
    open_until_ms,
)

ALL_DAYS = tuple(range(7))


def ms(*when, tz=UTC, fold=0):
    return round(datetime(*when, tzinfo=tz, fold=fold).timestamp() * 1000)


def test_a_window_is_open_from_its_start_for_its_minutes():
    night = Window((0,), "23:30", 120)  # Monday; 2026-11-30 is one
    start = ms(2026, 11, 30, 23, 30)
    assert open_until_ms(night, start - 1) is None
    assert open_until_ms(night, start) == start + 120 * 60_000
    assert open_until_ms(night, start + 120 * 60_000 - 1) is not None
    assert open_until_ms(night, start + 120 * 60_000) is None
    assert next_start_ms(night, start - 1) == start
    assert next_start_ms(night, start) == start + 7 * 86_400_000


def test_a_window_of_a_week_is_always_open():
    always = Window((2,), "04:00", MINUTES_MAX)
    for hours in range(0, 24 * 15, 5):
        assert open_until_ms(always, ms(2026, 3, 1) + hours * 3_600_000) is not None


def test_a_start_in_a_gap_of_daylight_saving_is_the_end_of_the_gap():
    berlin = ZoneInfo("Europe/Berlin")
    spring = Window((6,), "02:30", 60, "Europe/Berlin")  # 2026-03-29, 02:00 becomes 03:00
    start = next_start_ms(spring, ms(2026, 3, 28, 12))
    assert start == ms(2026, 3, 29, 3, 0, tz=berlin)
    assert open_until_ms(spring, start) == start + 3_600_000


def test_an_hour_that_is_there_twice_counts_once():
    berlin = ZoneInfo("Europe/Berlin")
    autumn = Window((6,), "02:30", 30, "Europe/Berlin")  # 2026-10-25
    first = ms(2026, 10, 25, 2, 30, tz=berlin)
    second = ms(2026, 10, 25, 2, 30, tz=berlin, fold=1)
    assert second - first == 3_600_000
    assert open_until_ms(autumn, first) is not None
    assert open_until_ms(autumn, second) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_three_years_have_one_start_a_day_of_the_same_length(zone):
    daily = Window(ALL_DAYS, "02:15", 45, zone)
    at, end, count = ms(2026, 1, 1), ms(2029, 1, 1), 0
    while (start := next_start_ms(daily, at)) < end:
        assert open_until_ms(daily, start) == start + 45 * 60_000
        assert open_until_ms(daily, start - 1) is None
        at, count = start, count + 1
    assert abs(count - (end - ms(2026, 1, 1)) // 86_400_000) <= 1


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (Window((0,), "02:00", 60, "Europe/Atlantis"), "tz"),
        (Window((0,), "02:00", 60, "../../etc/passwd"), "tz"),
        (Window((0,), "24:00", 60), "start"),
        (Window((), "02:00", 60), "days"),
        (Window((7,), "02:00", 60), "days"),
        (Window((0,), "02:00", 0), "minutes"),
    ],
)
def test_what_is_no_window_is_refused_by_its_field(window, field):
    with pytest.raises(ProtocolError, match=field):
        check(window)


def test_a_clock_beyond_the_calendar_is_refused_and_a_window_that_is_one_is_not():
    check(Window((0,), "02:00", 60, "Europe/Berlin"))
    for wall_ms in (-1, 1 << 62):
        with pytest.raises(ProtocolError, match="clock"):
            open_until_ms(Window((0,), "02:00", 60), wall_ms)


@pytest.mark.parametrize("start", ["02:00\n", " 02:00", "2:00", "02:60"])
def test_a_start_that_is_none_is_refused_on_the_wire(start):
    assert msgspec.convert({"days": [0], "start": "02:00", "minutes": 5}, Window).minutes == 5
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"days": [0], "start": start, "minutes": 5}, Window)


QUARTER_MS = 900_000
WINDOWS = st.builds(
    Window,
    st.lists(st.sampled_from(ALL_DAYS), min_size=1, max_size=3).map(lambda days: (*days,)),
    st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45])),
    st.integers(1, 40).map(lambda count: count * 15),
)


@given(st.lists(WINDOWS, min_size=1, max_size=2), st.integers(0, 700), st.integers(0, 700))
def test_two_windows_are_open_together_at_the_first_quarter_at_which_both_are(
    windows, now, quarters
):
    start = ms(2026, 3, 2) + now * QUARTER_MS
    moments = (start + each * QUARTER_MS for each in range(quarters))
    first = next((at for at in moments if all(open_until_ms(each, at) for each in windows)), None)
    assert both_open_ms(windows, start, start + quarters * QUARTER_MS) == first


def test_for_how_long_windows_are_not_open_together_at_most():
    start, hour_ms = ms(2026, 4, 2), 4 * QUARTER_MS
    nights, day = Window(ALL_DAYS, "01:00", 60), Window((2, 6), "01:30", 60)
    assert longest_apart_ms([nights], start) == 23 * hour_ms
    assert longest_apart_ms([nights, day], start) == (4 * 24 - 0.5) * hour_ms
    assert longest_apart_ms([Window((6,), "01:00", 60), day], start) == (7 * 24 - 0.5) * hour_ms
    assert longest_apart_ms([Window((0,), "00:00", MINUTES_MAX)], start) == 0
    assert longest_apart_ms([nights, Window((2,), "12:00", 60)], start) is None


def test_windows_that_never_meet_are_not_looked_for_without_end():
    night, noon = Window(ALL_DAYS, "01:00", 60), Window((2,), "12:00", 60)
    assert both_open_ms([night, noon], 0, 10 * HORIZON_MS) is None
    late = Window((2,), "01:30", 60)
    assert both_open_ms([night, late], 0, HORIZON_MS) == next_start_ms(late, 0)
