import time

from roost_agent.guard.ports import boot_ms


def test_deadlines_count_on_the_clock_that_goes_on_in_a_suspend(monkeypatch):
    clocks = {time.CLOCK_BOOTTIME: 7_000_000_000}  # to ask any other is an error
    monkeypatch.setattr(time, "clock_gettime_ns", clocks.__getitem__)
    assert boot_ms() == 7_000
