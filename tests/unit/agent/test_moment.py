"""A moment as people read it."""

import pytest

from roost_agent.moment import shown


@pytest.mark.parametrize(
    ("at_ms", "told"),
    [
        (0, "1970-01-01 00:00 UTC"),
        (1_795_997_159_999, "2026-11-30 00:05 UTC"),
        (253_402_300_799_000, "9999-12-31 23:59 UTC"),
        (253_402_300_800_000, "253402300800000 ms"),
        (-1, "-1 ms"),
    ],
)
def test_a_moment_is_told_by_the_minute_and_one_beyond_the_calendar_as_a_number(at_ms, told):
    assert shown(at_ms) == told
