"""What was measured becomes one row a minute: the lowest, mean and highest of each series. Pure.

A minute is one of UTC. A clock that is set begins another minute, whichever way it went: rows are
kept in the order in which they were made, and who reads them goes by their minutes.
"""

import math
from collections.abc import Iterable

import msgspec

from roost_agent.alarms.samples.sampler import Measured
from roost_protocol.limits import ENTITY_BYTES_MAX, SAMPLE_SERIES_MAX
from roost_protocol.samples import series_name


class Row(msgspec.Struct, frozen=True):
    """One minute.

    Attributes:
        minute: of UTC, since the epoch.
        values: by name of series: lowest, mean, highest; NaN: looked at, and nothing could be read.
    """

    minute: int
    values: dict[str, tuple[float, float, float]]


class Minutes:
    """The minute that runs.

    Attributes:
        left_out: series that found no place, of the last minute that ended.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._minute = 0
        self._sums: dict[str, list[float]] = {}  # lowest, sum, highest, how many
        self._others: set[str] = set()

    def take(self, seen: Iterable[Measured], minute: int) -> Row | None:
        """Take in what was measured now; return the minute that this has ended."""
        ended = self._end() if minute != self._minute and self._sums else None
        self._minute = minute
        for each in seen:
            self._add(each)
        return ended

    def _add(self, seen: Measured) -> None:
        name = series_name(seen.kind, seen.of)
        sums = self._sums.get(name)
        if sums is None:
            if len(self._sums) >= SAMPLE_SERIES_MAX or len(seen.of.encode()) > ENTITY_BYTES_MAX:
                self._others.add(name)
                return
            sums = self._sums[name] = [math.inf, 0.0, -math.inf, 0]
        if seen.value is None or not math.isfinite(seen.value):
            return
        sums[0] = min(sums[0], seen.value)
        sums[1] += seen.value
        sums[2] = max(sums[2], seen.value)
        sums[3] += 1

    def _end(self) -> Row:
        row = Row(self._minute, {name: _row(sums) for name, sums in self._sums.items()})
        self.left_out = len(self._others)
        self._sums, self._others = {}, set()
        return row


def _row(sums: list[float]) -> tuple[float, float, float]:
    low, total, high, count = sums
    return (low, total / count, high) if count else (math.nan, math.nan, math.nan)
