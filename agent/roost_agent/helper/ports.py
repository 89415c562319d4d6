"""The helper's only door to a clock."""

import time

from roost_agent.helper.core import Now


def now() -> Now:
    """Return both clocks: BOOTTIME never steps, the wall clock outlives a reboot."""
    return Now(boot_ms(), time.time_ns() // 1_000_000)


def boot_ms() -> int:
    """CLOCK_BOOTTIME: counts suspend; rates and deadlines use it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
