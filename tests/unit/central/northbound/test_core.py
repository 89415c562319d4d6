"""Pace, patience and what a target is told."""

import pytest
from alarm_feed import Change, alarm
from hypothesis import given
from hypothesis import strategies as st

from roost_central.northbound.core import (
    CAUSES_MAX,
    FAILING_MS_MAX,
    FAILURES_MAX,
    LINE_RETRIES_S,
    WEBHOOK_RETRIES_S,
    WITHHELD_MAX,
    Audience,
    Bucket,
    Health,
    retry_ms,
)


def test_a_bucket_gives_its_burst_and_then_its_rate():
    bucket = Bucket(rate=50, burst=100)
    assert sum(bucket.take(0) for _ in range(500)) == 100
    assert bucket.wait_ms(0) == 20
    assert not bucket.take(19)
    assert sum(bucket.take(1_000 + 20 * n) for n in range(50)) == 50
    assert bucket.wait_ms(1_000_000) == 0


@given(st.lists(st.integers(0, 200), max_size=200))
def test_a_bucket_never_gives_more_than_rate_and_burst(steps):
    bucket, now_ms, given_out = Bucket(rate=50, burst=10), 0, 0
    for step in steps:
        now_ms += step
        given_out += bucket.take(now_ms)
    assert given_out <= 10 + 50 * now_ms / 1000 + 1e-6


@pytest.mark.parametrize("schedule", [WEBHOOK_RETRIES_S, LINE_RETRIES_S])
def test_a_wait_follows_its_schedule_with_jitter_and_stays_at_the_end_of_it(schedule):
    for failures, seconds in enumerate(schedule, start=1):
        assert retry_ms(schedule, failures, 0.5) == seconds * 1000
        assert retry_ms(schedule, failures, 0.0) == round(seconds * 800)
    assert retry_ms(schedule, 1_000, 0.5) == schedule[-1] * 1000


def test_the_third_failure_makes_a_target_unreachable_once():
    health = Health()
    assert [health.failed("refused", n) for n in range(FAILURES_MAX + 1)] == [
        False,
        False,
        True,
        False,
    ]
    assert health.last_error == "refused"
    assert health.worked()
    assert not health.worked()
    assert (health.failures, health.is_unreachable) == (0, False)


def test_a_minute_of_failing_is_enough():
    health = Health()
    assert not health.review(0)
    assert not health.failed("slow", 1_000)
    assert not health.review(1_000 + FAILING_MS_MAX - 1)
    assert health.review(1_000 + FAILING_MS_MAX)
    assert not health.review(1_000 + 2 * FAILING_MS_MAX)


def test_what_was_not_told_is_not_cleared_and_what_was_told_is():
    audience = Audience()
    assert audience.tells("raise", "a", is_suppressed=False)
    assert not audience.tells("raise", "b", is_suppressed=True)
    assert not audience.tells("change", "a", is_suppressed=True)  # an incident took it
    assert audience.tells("clear", "a", is_suppressed=True)
    assert not audience.tells("clear", "b", is_suppressed=True)


def test_what_comes_out_of_hiding_is_told_and_so_is_its_end():
    audience = Audience()
    assert not audience.tells("raise", "a", is_suppressed=True)
    assert audience.tells("unmask", "a", is_suppressed=False)
    assert audience.tells("clear", "a", is_suppressed=False)


def test_a_change_of_what_was_withheld_is_its_raise():
    audience = Audience()
    audience.tells("raise", "a", is_suppressed=True)
    assert audience.tells("change", "a", is_suppressed=False) == "raise"
    assert audience.tells("change", "a", is_suppressed=False) == "change"


def test_what_was_passed_over_is_as_if_it_had_been_withheld():
    audience = Audience()
    steps = [Change(1, "raise", alarm(1)), Change(2, "change", alarm(1)), Change(3, "ack")]
    audience.pass_over(steps)
    assert audience.tells("clear", alarm(1).key_id, is_suppressed=False) == ""


def test_what_is_withheld_is_bounded_and_errs_towards_a_needless_clear():
    audience = Audience()
    for number in range(WITHHELD_MAX + 1):
        audience.withhold(str(number))
    assert audience.tells("clear", "0", is_suppressed=False)
    assert not audience.tells("clear", "1", is_suppressed=False)


def test_an_incident_is_told_at_its_beginning_its_end_and_with_a_new_cause():
    audience = Audience()
    told = [
        audience.admits_incident(event, "i", cause)
        for event, cause in (
            ("open", ""),
            ("change", ""),
            ("change", "carrier=b"),
            ("change", "carrier=b"),
            ("close", "carrier=b"),
        )
    ]
    assert told == [True, False, True, False, True]


def test_remembered_causes_are_bounded():
    audience = Audience()
    for number in range(CAUSES_MAX + 1):
        audience.admits_incident("open", str(number), "c")
    assert audience.admits_incident("change", "0", "c")
    assert not audience.admits_incident("change", str(CAUSES_MAX), "c")


def test_an_incident_that_is_held_is_told_of_once_with_its_cause():
    audience = Audience()
    assert not audience.admits_incident("open", "INC-1", "", is_held=True)
    assert not audience.admits_incident("change", "INC-1", "carrier=b", is_held=True)
    assert audience.admits_incident("open", "INC-1", "carrier=b")
    assert not audience.admits_incident("change", "INC-1", "carrier=b")
    assert audience.admits_incident("close", "INC-1", "carrier=b")
    assert not audience.admits_incident("close", "INC-2", "", is_held=True)
