"""Values: normal forms that keep the meaning, and orders that are orders."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.fleet.query_values import (
    SAFE_MAX,
    canonical_duration,
    canonical_number,
    canonical_size,
    canonical_time,
    duration_ms,
    size_bytes,
    time_ms,
    version_key,
)


@settings(deadline=None)
@given(st.from_regex(r"\A[0-9]{1,15}(ms|s|m|h|d)\Z"))
def test_a_canonical_duration_is_the_same_and_not_longer(text):
    canonical = canonical_duration(text)
    if canonical is None:
        assert duration_ms(text) is None
    else:
        assert duration_ms(canonical) == duration_ms(text) <= SAFE_MAX
        assert len(canonical) <= len(text)
        assert canonical_duration(canonical) == canonical


@settings(deadline=None)
@given(st.from_regex(r"\A[0-9]{1,15}(B|[KMGTP]iB|[kMGTP]B)?\Z"))
def test_a_canonical_size_is_the_same_and_not_longer(text):
    canonical = canonical_size(text)
    if canonical is None:
        assert size_bytes(text) is None
    else:
        assert size_bytes(canonical) == size_bytes(text) <= SAFE_MAX
        assert len(canonical) <= len(text)
        assert canonical_size(canonical) == canonical


@settings(deadline=None)
@given(st.from_regex(r"\A-?[0-9]{1,20}(\.[0-9]{1,6})?\Z"))
def test_a_canonical_number_is_the_same_and_not_longer(text):
    canonical = canonical_number(text)
    if canonical is None:
        assert len(text.lstrip("-0").partition(".")[0]) > 15
    else:
        assert float(canonical) == float(text)
        assert len(canonical) <= len(text)


@settings(deadline=None)
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - zone comes below
    st.integers(-23 * 60, 23 * 60),
)
def test_a_time_is_the_same_in_every_zone(moment, minutes):
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    text = moment.isoformat(timespec="milliseconds")
    ms = time_ms(f"{text}Z")
    assert ms == int(moment.replace(tzinfo=UTC, microsecond=0).timestamp()) * 1000 + (
        moment.microsecond // 1000
    )
    local = time_ms(text + zone)
    assert local == ms - minutes * 60_000
    canonical = canonical_time(text + zone)
    assert time_ms(canonical) == local
    assert len(canonical) <= len(text + zone)


@pytest.mark.parametrize(
    "ordered",
    [
        "4.3.0~1 4.3.0.dev3 4.3.0-alpha 4.3.0-beta2 4.3.0-rc1 4.3.0-rc2 4.3.0 4.3.0a 4.3.0.1",
        "4.2 4.2.1 4.3 4.9 4.10 10",
        "v1 v2 v10",
        "1.0.2k 1.1.1 1.1.1a 1.1.1w 3.0.15",
        "0 1 9 99999999999999999999 100000000000000000000",
    ],
)
def test_versions_are_in_natural_order(ordered):
    versions = ordered.split()
    assert sorted(versions, key=version_key) == versions
    assert len({version_key(version) for version in versions}) == len(versions)


def test_a_version_is_compared_by_its_runs_alone():
    assert version_key("04.3_0") == version_key("4.3-0") == version_key("4/3 0")
    assert version_key("RC1") == version_key("rc01")
    assert version_key("") == version_key("--") == ((1, 0, ""),)
    assert version_key("9" * 10_000) > version_key("9" * 9_999)
