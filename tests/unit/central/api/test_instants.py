"""Times as they are written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.api.instants import age_s, instant, parse_instant, parse_since


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_793_500_000_123, "2026-11-01T02:26:40.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, None),
        (2**63, None),
        (None, None),
    ],
)
def test_a_time_is_rfc_3339_in_utc_with_milliseconds(ms, text):
    assert instant(ms) == text


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_what_is_written_is_read_again(ms):
    assert parse_instant(instant(ms)) == ms


@given(st.text(max_size=50))
def test_no_text_breaks_the_reader(text):
    assert isinstance(parse_instant(text), int | None)
    assert isinstance(parse_since(text, 0), int | None)


def test_an_offset_is_needed_and_is_heeded():
    assert parse_instant("2026-11-01T00:00:00") is None
    assert parse_instant("2026-11-01T01:00:00+01:00") == parse_instant("2026-11-01T00:00:00Z")


def test_a_span_is_before_now():
    assert parse_since("7d", 10 * 86_400_000) == 3 * 86_400_000
    assert parse_since("-90s", 100_000) == 10_000


def test_an_age_is_never_negative():
    assert age_s(1_500, 4_000) == 2.5
    assert age_s(5_000, 4_000) == 0
    assert age_s(None, 4_000) is None
