"""The one-shot's only door to its clocks."""

import time


def boot_ms() -> int:
    """CLOCK_BOOTTIME: counts suspend, never steps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def wall_ms() -> int:
    """UTC as this machine has it: for windows alone, which are wall time."""
    return time.time_ns() // 1_000_000
