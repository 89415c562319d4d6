"""Rows of minutes become the steps that somebody asked for. Pure.

A step's lowest is the lowest of its minutes, its highest the highest, its mean the mean of their
means. A minute that stands twice (a clock was set back) counts twice.
"""

import math
import struct
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

from roost_agent.host.samples.ring import MINUTE_BYTES, Part
from roost_protocol.codec import VERSION
from roost_protocol.limits import CHUNK_BYTES_MAX, SAMPLE_SERIES_MAX, SAMPLE_STEPS_MAX
from roost_protocol.samples import KINDS, SUMMARY, VALUE_BYTES, Samples, Series, packed

MINUTE_MS: Final = 60_000
_NAME_BYTES: Final = 64  # of a series in the message, beside its values


class Window(msgspec.Struct, frozen=True):
    """The steps that are wanted: from a minute of UTC on, each so many minutes long."""

    minute: int
    step: int
    steps: int


class _Sums:
    """The steps of one series."""

    def __init__(self, steps: int) -> None:
        self.low = [math.inf] * steps
        self.total = [0.0] * steps
        self.high = [-math.inf] * steps
        self.count = [0] * steps

    def add(self, step: int, low: float, mean: float, high: float) -> None:
        self.low[step] = min(self.low[step], low)
        self.high[step] = max(self.high[step], high)
        self.total[step] += mean
        self.count[step] += 1

    def series(self, kind: str, of: str) -> Series:
        found = self.count
        return Series(
            kind,
            of,
            packed(low if n else math.nan for low, n in zip(self.low, found, strict=True)),
            packed(sum_ / n if n else math.nan for sum_, n in zip(self.total, found, strict=True)),
            packed(high if n else math.nan for high, n in zip(self.high, found, strict=True)),
        )


def window(since_ms: int, until_ms: int, step_s: int) -> Window:
    """Return the steps that lie between two times of UTC: whole ones, at most a day of minutes."""
    step = max(step_s // 60, 1)
    first = since_ms // MINUTE_MS // step * step
    end = -(-until_ms // (MINUTE_MS * step)) * step
    return Window(first, step, max(min((end - first) // step, SAMPLE_STEPS_MAX), 0))


def samples(
    parts: Iterable[Part], wanted: Window, names: Collection[str], *, ask: int = SUMMARY
) -> Samples:
    """Return what was measured in a window, as much of it as one message holds.

    Args:
        parts: of the ring.
        wanted: which steps.
        names: of series, or kinds; empty: all.
        ask: the number of the ask.
    """
    room = CHUNK_BYTES_MAX // (3 * VALUE_BYTES * max(wanted.steps, 1) + _NAME_BYTES)
    places = min(room, SAMPLE_SERIES_MAX)
    sums: dict[str, _Sums] = {}
    others: set[str] = set()
    for part in parts:
        taken = []
        for place, name in enumerate(part.series):
            if not _is_asked(name, names):
                continue
            if name not in sums and len(sums) >= places:
                others.add(name)
                continue
            taken.append((3 * place, sums.setdefault(name, _Sums(wanted.steps))))
        if taken:
            _add(part, wanted, taken)
    return Samples(
        v=VERSION,
        ask=ask,
        since_ms=max(wanted.minute, 0) * MINUTE_MS,
        step_s=wanted.step * 60,
        steps=wanted.steps,
        series=[sums[name].series(*_split(name)) for name in sorted(sums) if any(sums[name].count)],
        left_out=len(others),
    )


def _is_asked(name: str, names: Collection[str]) -> bool:
    kind = name.partition("|")[0]
    return kind in KINDS and (not names or name in names or kind in names)


def _add(part: Part, wanted: Window, taken: list[tuple[int, _Sums]]) -> None:
    for minute, values in _rows(part):
        step = (minute - wanted.minute) // wanted.step
        if not 0 <= step < wanted.steps:
            continue
        for place, sums in taken:
            mean = values[place + 1]
            if mean == mean:  # noqa: PLR0124 - not a number: nothing was measured
                sums.add(step, values[place], mean, values[place + 2])


def _rows(part: Part) -> Iterator[tuple[int, tuple[float, ...]]]:
    width = 3 * len(part.series)
    form = struct.Struct(f"<I{width}e")
    assert form.size == MINUTE_BYTES + VALUE_BYTES * width  # noqa: S101 - as the ring writes
    for row in form.iter_unpack(part.rows):
        yield row[0], row[1:]


def _split(name: str) -> tuple[str, str]:
    kind, _, of = name.partition("|")
    return kind, of
