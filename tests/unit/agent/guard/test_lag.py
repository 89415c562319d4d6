"""The guard's own lateness is told as what one wait of a thousand exceeds, of late."""

from roost_agent.guard.lag import MS_MAX, WAITS, WAITS_MIN, Lag


def waited(lag, *spans):
    for times, over_ms in spans:
        for _ in range(times):
            lag.waited(over_ms)
    return lag.p999_ms


def test_few_waits_say_nothing():
    assert waited(Lag(), (WAITS_MIN - 1, 3)) is None
    assert waited(Lag(), (WAITS_MIN, 3)) == 3


def test_one_of_a_thousand_may_be_later_and_two_may_not():
    assert waited(Lag(), (1, 900), (999, 2)) == 2
    assert waited(Lag(), (2, 900), (998, 2)) == 900


def test_what_is_long_ago_counts_no_more():
    lag = Lag()
    assert waited(lag, (WAITS, 400), (WAITS - 1, 1)) == 400
    assert waited(lag, (1, 1)) == 1
    assert waited(lag, (WAITS - 1, 1)) == 1, "the spell before counts while the next one fills"


def test_a_suspend_is_one_late_wait_and_takes_no_more_room_than_that():
    lag = Lag()
    for over_ms in (MS_MAX, MS_MAX + 1, 10 * MS_MAX):
        lag.waited(over_ms)
    assert waited(lag, (WAITS_MIN, 0)) == MS_MAX
    assert len(lag._now) == 2
