"""The constants of the lease: the presets hold, and what does not hold is told, all of it."""

import pytest
from msgspec.structs import replace

from roost_agent.guard.program import BOUNDS
from roost_agent.ha.timing import (
    DEFAULT,
    FAST,
    LEASE_MS,
    LOSSY,
    PRESETS,
    TICK_MS,
    WATCHDOG_MS,
    Timing,
    preset,
)


@pytest.mark.parametrize(("name", "stop_ms"), [("default", 1_999), ("fast", 399), ("lossy", 5_499)])
def test_a_preset_holds_up_to_its_longest_stop(name, stop_ms):
    assert preset(name).check(stop_ms) == []
    assert len(preset(name).check(stop_ms + 1)) == 1


def test_a_lease_too_short_for_the_stop_names_the_lease_that_is_needed():
    (fault,) = DEFAULT.check(5_000)
    assert fault == (
        "lease_ms is 6000: stopping takes 5000 ms and the margin is 1000 ms, which needs a lease "
        "of more than 12000 ms"
    )


@pytest.mark.parametrize(
    ("timing", "renew_ms", "age_ms", "promise_ms"),
    [(DEFAULT, 1_000, 1_000, 7_122), (FAST, 250, 300, 1_881), (LOSSY, 2_500, 2_000, 17_304)],
)
def test_what_follows_from_the_constants(timing, renew_ms, age_ms, promise_ms):
    assert (timing.renew_ms, timing.age_ms_max) == (renew_ms, age_ms)
    assert timing.promise_ms() == promise_ms
    assert timing.terms.promise_ms(2_000) == promise_ms + 2_000


def test_a_beat_too_slow_for_the_promise_is_told():
    (fault,) = replace(DEFAULT, beat_ms=600).check()
    assert "lost after up to 7200 ms, later than a promise ends (7122)" in fault


def test_a_margin_that_the_guard_cannot_keep_is_told():
    assert DEFAULT.margin_fault(100, kill_ms=800) == ""
    assert DEFAULT.margin_fault(100, kill_ms=801) == (
        "margin_ms is 1000: two ticks of the guard (200 ms), a kill (801 ms) and its own lag (0 ms)"
        " take 1001 ms"
    )
    assert DEFAULT.margin_fault(100, kill_ms=3, lag_ms=797) == ""
    assert "its own lag (798 ms) take 1001 ms" in DEFAULT.margin_fault(100, kill_ms=3, lag_ms=798)
    assert replace(DEFAULT, tick_ms=501).check() == [DEFAULT.margin_fault(501)]


def test_every_value_out_of_range_is_told_at_once():
    wrong = Timing(beat_ms=0, lease_ms=1, tick_ms=0, rate_bp=5_000, watchdog_ms=1)
    told = wrong.check()
    assert [fault.partition(" ")[0] for fault in told] == [
        "beat_ms", "lease_ms", "tick_ms", "watchdog_ms", "rate_bp",
    ]  # fmt: skip


def test_the_bounds_are_the_guards():
    assert (BOUNDS["lease_ms"], BOUNDS["tick_ms"]) == (LEASE_MS, TICK_MS)
    assert tuple(each // 1_000 for each in WATCHDOG_MS) == BOUNDS["watchdog_s"]


def test_an_unknown_profile_is_none():
    assert sorted(PRESETS) == ["default", "fast", "lossy"]
    with pytest.raises(KeyError):
        preset("lan")
