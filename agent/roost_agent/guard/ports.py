"""The guard's only door to a clock."""

import time


def boot_ms() -> int:
    """CLOCK_BOOTTIME: never steps, counts suspend; every deadline uses it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
