"""A bucket gives its burst, then its rate, and never more, however time goes."""

from hypothesis import given
from hypothesis import strategies as st

from roost_central.signer.bucket import MINUTE_MS, RATE_MAX, Bucket, Rate

rates = st.builds(Rate, st.integers(1, RATE_MAX), st.integers(1, 50))


def taken(bucket, now_ms):
    if bucket.wait_ms(now_ms):
        return False
    bucket.take()
    return True


@given(rates, st.lists(st.integers(0, 2_000), max_size=200))
def test_no_span_gives_more_than_burst_and_rate(rate, steps):
    bucket, now_ms, given_ = Bucket(rate), 1_000, 0
    for step in steps:
        now_ms += step
        given_ += taken(bucket, now_ms)
        assert given_ <= rate.burst + (now_ms - 1_000) * rate.per_minute / MINUTE_MS


@given(rates)
def test_after_the_wait_that_was_told_there_is_one_and_not_before(rate):
    bucket = Bucket(rate)
    for _ in range(rate.burst):
        assert taken(bucket, 0)
    wait_ms = bucket.wait_ms(0)
    assert wait_ms >= 1
    assert not taken(bucket, wait_ms - 1)
    assert taken(bucket, wait_ms)


def test_a_clock_that_goes_back_gives_nothing():
    bucket = Bucket(Rate(60, 1))
    assert taken(bucket, 10_000)
    assert not taken(bucket, 5_000)
    assert not taken(bucket, 5_999)
    assert taken(bucket, 6_000)
