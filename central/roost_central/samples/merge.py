"""A node's hourly words become its last day. Pure.

Values are joined by their time of UTC, as the node's clock has it. A word that does not touch the
day that is kept begins another: the node's clock was set, or it was away for longer than that.
"""

import math
from typing import Final

from roost_protocol.codec import VERSION
from roost_protocol.samples import Samples, Series, packed, unpacked

DAY_S: Final = 86_400
SERIES_MAX: Final = 16  # a node tells nine; its fullest file system is not always the same

Lines = tuple[list[float], list[float], list[float]]


def merged(kept: Samples | None, said: Samples) -> Samples:
    """Return the last day of a node after its next word."""
    if kept is None or kept.step_s != said.step_s or not _touch(kept, said):
        kept = None
    end_ms = max(_end_ms(said), 0 if kept is None else _end_ms(kept))
    step_ms = said.step_s * 1000
    steps = DAY_S // said.step_s
    since_ms = max(end_ms - steps * step_ms, 0)
    if kept is None:
        since_ms = max(since_ms, said.since_ms)
    else:
        since_ms = max(since_ms, min(kept.since_ms, said.since_ms))
    steps = (end_ms - since_ms) // step_ms
    lines: dict[tuple[str, str], Lines] = {}
    for each in (kept, said):  # of two words on one step the later counts
        if each is not None:
            _lay(each, (since_ms - each.since_ms) // step_ms, steps, lines)
    newest = sorted(lines, key=lambda name: (-_last(lines[name]), name))[:SERIES_MAX]
    return Samples(
        v=VERSION,
        since_ms=since_ms,
        step_s=said.step_s,
        steps=steps,
        series=[Series(*name, *map(packed, lines[name])) for name in sorted(newest)],
    )


def _end_ms(said: Samples) -> int:
    return said.since_ms + said.steps * said.step_s * 1000


def _touch(kept: Samples, said: Samples) -> bool:
    day_ms = DAY_S * 1000
    is_aligned = (said.since_ms - kept.since_ms) % (said.step_s * 1000) == 0
    is_near = _end_ms(kept) - day_ms <= said.since_ms <= _end_ms(kept) + day_ms
    return is_aligned and is_near


def _lay(said: Samples, skipped: int, steps: int, lines: dict[tuple[str, str], Lines]) -> None:
    """Write what was said over what stands, ``skipped`` of its steps being before the first."""
    for each in said.series:
        nothing = ([math.nan] * steps, [math.nan] * steps, [math.nan] * steps)
        line = lines.setdefault((each.kind, each.of), nothing)
        for target, values in zip(line, (each.low, each.mean, each.high), strict=True):
            for place, value in enumerate(unpacked(values), start=-skipped):
                if 0 <= place < steps and not math.isnan(value):
                    target[place] = value


def _last(line: Lines) -> int:
    """Return the last step that has a value."""
    return max((place for place, value in enumerate(line[1]) if not math.isnan(value)), default=-1)
