"""What a simulated node measured: made up when asked for, the same for the same node and time.

A day has its rhythm, each node a level of its own, each minute a little of chance. Pure.
"""

import math
import zlib
from collections.abc import Collection
from typing import Final

from roost_protocol.codec import VERSION
from roost_protocol.envelope import SamplesAsk
from roost_protocol.limits import SAMPLE_STEPS_MAX
from roost_protocol.samples import Samples, Series, packed

DAY_S: Final = 86_400
# kind, what of, level, how far the day moves it, how far chance does
LINES: Final = (
    ("cpu", "", 22.0, 14.0, 6.0),
    ("load", "", 0.4, 0.25, 0.15),
    ("memory", "", 46.0, 3.0, 1.0),
    ("pressure", "resource=io", 2.0, 1.5, 1.5),
    ("space", "fs=/", 38.0, 0.2, 0.0),
    ("space", "fs=/var", 61.0, 2.0, 0.2),
    ("temperature", "sensor=coretemp Package id 0", 52.0, 6.0, 1.5),
    ("fan", "sensor=nct6775 fan1", 1_900.0, 300.0, 40.0),
)


def measured(node: str, ask: SamplesAsk) -> Samples:
    """Return what a node answers; at most a day of minutes.

    Args:
        node: whose.
        ask: which steps of which series.
    """
    step_ms = ask.step_s * 1000
    first = ask.since_ms // step_ms
    steps = max(min(-(-ask.until_ms // step_ms) - first, SAMPLE_STEPS_MAX), 0)
    return Samples(
        v=VERSION,
        ask=ask.number,
        since_ms=first * step_ms,
        step_s=ask.step_s,
        steps=steps,
        series=[
            _series(node, line, range(first, first + steps), ask.step_s)
            for line in LINES
            if _is_asked(line[0], line[1], ask.series)
        ],
    )


def _is_asked(kind: str, of: str, names: Collection[str]) -> bool:
    return not names or kind in names or f"{kind}|{of}" in names


def _series(
    node: str, line: tuple[str, str, float, float, float], steps: range, step_s: int
) -> Series:
    kind, of, level, swing, chance = line
    own = 0.8 + 0.4 * _chance(f"{node} {kind} {of}")
    means = []
    for step in steps:
        turn = 2 * math.pi * (step * step_s % DAY_S) / DAY_S
        dice = 2 * _chance(f"{node} {kind} {of} {step * step_s}") - 1
        means.append(max(own * level - swing * math.cos(turn) + chance * dice, 0.0))
    low = packed(max(each - chance, 0.0) for each in means)
    return Series(kind, of, low, packed(means), packed(each + chance for each in means))


def _chance(text: str) -> float:
    """Return a number in [0, 1) that a text has, always the same."""
    return zlib.crc32(text.encode()) / (1 << 32)
