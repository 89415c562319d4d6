"""The only doors of central to a clock and to entropy; a simulator passes its own.

Everything else takes ``now`` or a port as an argument, so that the same seed gives the same trace.
The agent has a like one: the protocol, all that both may import, keeps no clock.
"""

import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """The three clocks of a machine, in integer milliseconds."""

    def wall_ms(self) -> int:
        """UTC since the epoch; may step in either direction."""

    def mono_ms(self) -> int:
        """CLOCK_MONOTONIC: never steps, does not count suspend."""

    def boot_ms(self) -> int:
        """CLOCK_BOOTTIME: never steps, counts suspend; every deadline uses it."""


class Entropy(Protocol):
    """Random numbers."""

    def token(self, size: int) -> bytes:
        """Return ``size`` unpredictable bytes, for identifiers and secrets."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number in [low, high), for jitter only."""


class SystemClock:
    """The clocks of this machine."""

    def wall_ms(self) -> int:
        """See Clock."""
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        """See Clock."""
        return time.monotonic_ns() // 1_000_000

    def boot_ms(self) -> int:
        """See Clock."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class SystemEntropy:
    """The kernel's entropy."""

    def token(self, size: int) -> bytes:
        """See Entropy."""
        return secrets.token_bytes(size)

    def uniform(self, low: float, high: float) -> float:
        """See Entropy."""
        return low + (high - low) * secrets.randbelow(1 << 53) / (1 << 53)
