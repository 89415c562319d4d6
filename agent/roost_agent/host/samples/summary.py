"""What a node tells of its last hour by itself: a few series, so that a silent node leaves a trace.

Pure. An idle node's uplink is counted in bytes: what is told is the node's processors, memory,
load and pressure, its fullest file system and its hottest sensor.
"""

import math
from typing import Final

from msgspec.structs import replace

from roost_protocol.samples import Samples, Series, unpacked

SERIES_MAX: Final = 9
_ALWAYS: Final = ("cpu", "memory", "swap", "load", "pressure")
_WORST: Final = ("space", "temperature")


def chosen(said: Samples) -> Samples | None:
    """Return the few of all series; None where nothing was measured."""
    few = [each for each in said.series if each.kind in _ALWAYS and not each.of.startswith("numa")]
    few = [each for each in few if each.kind != "swap" or _top(each) > 0]
    for kind in _WORST:
        worst = max((each for each in said.series if each.kind == kind), key=_top, default=None)
        few += [] if worst is None else [worst]
    few = few[:SERIES_MAX]
    return replace(said, series=few, left_out=0) if few else None


def _top(series: Series) -> float:
    return max((each for each in unpacked(series.mean) if not math.isnan(each)), default=-math.inf)
