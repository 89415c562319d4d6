"""How much one application may ask: requests by a token bucket, each refusal with a pause.

An application is known by its cgroup (its unit), not by its connection: opening more of them gets
no more.

Invariants: between two moments a unit gets at most ``rate x seconds + burst`` requests; no more
units are remembered than may be connected, the least recently seen goes first.
"""

from typing import Final

import msgspec

RATE: Final = 16.0  # requests a second of one unit
BURST: Final = 100.0
PAUSE_MS: Final = 250  # that a unit over its rate is not listened to
UNITS_MAX: Final = 256


class _Bucket(msgspec.Struct):
    tokens: float
    at_ms: int
    refused: int = 0


class Quota:
    """All units."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def take(self, unit: str, now_ms: int) -> bool:
        """Return whether a unit may ask now."""
        bucket = self._buckets.pop(unit, None) or _Bucket(BURST, now_ms)
        self._buckets[unit] = bucket  # the last one now
        while len(self._buckets) > UNITS_MAX:
            del self._buckets[next(iter(self._buckets))]
        passed_s = max(now_ms - bucket.at_ms, 0) / 1000
        bucket.tokens = min(bucket.tokens + passed_s * RATE, BURST)
        bucket.at_ms = now_ms
        if bucket.tokens < 1:
            bucket.refused += 1
            return False
        bucket.tokens -= 1
        return True

    def refused(self, unit: str) -> int:
        """Return how often a unit was over its rate."""
        bucket = self._buckets.get(unit)
        return 0 if bucket is None else bucket.refused
