"""The one-shot's only door to a clock."""

import time


def boot_ms() -> int:
    """CLOCK_BOOTTIME: counts suspend, never steps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
