"""How far apart a peer's proofs of life lay: a quantile of the last ten minutes, in fixed memory.

Counts, not times, are kept: one row of buckets a minute. The quantile is the upper edge of its
bucket, so it errs to patience. No shape is assumed: TCP's gaps have two humps, and a normal
distribution's tail fitted to them suspects too late or too early (design: ha, section 4).
"""

from array import array
from typing import Final

SLOT_MS: Final = 60_000
SLOTS: Final = 10  # minutes remembered: a link that became better is trusted again after as long
BUCKETS_A_BEAT: Final = 4
BEATS_MAX: Final = 10  # longer gaps count as this: suspicion waits no longer anyway
QUANTILE_PERMILLE: Final = 999


class Gaps:
    """The gaps of one peer.

    Args:
        h_ms: the beat period; a quarter of it is the resolution.
    """

    __slots__ = ("_h_ms", "_known", "_rows")

    def __init__(self, h_ms: int) -> None:
        self._h_ms = h_ms
        self._rows: dict[int, array[int]] = {}
        self._known: tuple[int, int] | None = None  # the second it was reckoned in, the quantile

    def add(self, gap_ms: int, now_ms: int) -> None:
        """Count one gap."""
        minute = now_ms // SLOT_MS
        row = self._rows.get(minute)
        if row is None:
            self._forget(minute)
            row = self._rows[minute] = array("I", bytes(4 * BEATS_MAX * BUCKETS_A_BEAT))
        row[min(gap_ms * BUCKETS_A_BEAT // self._h_ms, len(row) - 1)] += 1
        if self._known is not None and gap_ms > self._known[1]:
            self._known = None

    def quantile_ms(self, now_ms: int) -> int:
        """Return the gap that 999 of 1,000 did not exceed; 0 while none was counted.

        Reckoned once a second: suspicion asks for it with each frame.
        """
        second = now_ms // 1000
        if self._known is None or self._known[0] != second:
            self._known = (second, self._reckon(now_ms))
        return self._known[1]

    def _reckon(self, now_ms: int) -> int:
        self._forget(now_ms // SLOT_MS)
        counts = [sum(column) for column in zip(*self._rows.values(), strict=True)]
        allowed = sum(counts) * (1000 - QUANTILE_PERMILLE) // 1000
        for bucket in range(len(counts) - 1, -1, -1):
            allowed -= counts[bucket]
            if allowed < 0:
                return (bucket + 1) * self._h_ms // BUCKETS_A_BEAT
        return 0

    def _forget(self, minute: int) -> None:
        for old in [each for each in self._rows if each <= minute - SLOTS]:
            del self._rows[old]
