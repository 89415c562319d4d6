import time

from roost_agent.ports import SystemClock


def test_each_clock_is_the_one_that_it_is_called_after(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 2_000_000)
    clocks = {time.CLOCK_BOOTTIME: 3_000_000}  # goes on in a suspend; any other is an error
    monkeypatch.setattr(time, "clock_gettime_ns", clocks.__getitem__)
    clock = SystemClock()
    assert (clock.wall_ms(), clock.mono_ms(), clock.boot_ms()) == (1, 2, 3)
