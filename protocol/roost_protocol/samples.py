"""What a node measured, by series and step: asked for on a receipt, told as an item ``samples``.

A node keeps a day of minutes itself; an uplink carries what somebody looks at, and once an hour
ten-minute steps of a few series, so that a silent node leaves its last day behind.

A series is a kind of KINDS and what it is of (an entity after ``node=``, empty for the node).
Values are IEEE 754 half floats, little endian, one for each step; NaN: nothing was measured.
"""

import math
import struct
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import BoardName, Count, ShortText, StepSeconds
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    ENTITY_BYTES_MAX,
    SAMPLE_SERIES_MAX,
    SAMPLE_STEP_S_MIN,
    SAMPLE_STEPS_MAX,
)

KINDS: Final[Mapping[str, str]] = {  # kind -> its unit
    "cpu": "%",  # busy, all cores but the isolated
    "memory": "%",  # used, of the node or of a NUMA node
    "swap": "%",
    "load": "per core",  # of the last five minutes
    "pids": "%",
    "pressure": "%",  # of the last minute in which some work stalled
    "space": "%",
    "inodes": "%",
    "temperature": "degrees C",
    "fan": "rpm",
    "process_cpu": "% of a core",
    "process_memory": "MiB",  # resident
    "descriptors": "%",  # of the soft limit
    "fan_level": "%",  # of a board's fans, where it tells no rpm
    "voltage": "V",
    "current": "A",
    "power": "W",
    "usage": "%",
}
VALUE_BYTES: Final = 2
VALUE_MAX: Final = 65_504.0  # the largest half float; what is larger is told as that
SUMMARY: Final = 0  # the number of an ask that nobody made

Values = Annotated[bytes, Meta(max_length=SAMPLE_STEPS_MAX * VALUE_BYTES)]


class Series(msgspec.Struct, frozen=True, array_like=True):
    """The lowest, mean and highest value of each step."""

    kind: ShortText
    of: Annotated[str, Meta(max_length=ENTITY_BYTES_MAX)]
    low: Values
    mean: Values
    high: Values

    @property
    def name(self) -> str:
        """As series are named: ``cpu``, ``space|fs=/var``."""
        return series_name(self.kind, self.of)


class Samples(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Samples of one node.

    Attributes:
        ask: the number of the ask that it answers; SUMMARY: none.
        since_ms: UTC of the first step.
        left_out: series that found no place in the message.
        board: of whose board controller's sensors; empty: the node's own. An agent that knows no
            boards answers without it, and so its samples are not taken for a board's.
    """

    v: int
    ask: Count = SUMMARY
    since_ms: Count
    step_s: StepSeconds
    steps: Annotated[int, Meta(ge=0, le=SAMPLE_STEPS_MAX)]
    series: Annotated[list[Series], Meta(max_length=SAMPLE_SERIES_MAX)] = []
    left_out: Count = 0
    board: BoardName = ""

    def check(self) -> None:
        """Check what the types cannot say.

        Raises:
            ProtocolError: ``samples``.
        """
        if self.step_s % SAMPLE_STEP_S_MIN:
            raise ProtocolError("samples", field="step_s", got=self.step_s, bound="minutes")
        for each in self.series:
            if each.kind not in KINDS:
                bound = ", ".join(KINDS)
                raise ProtocolError("samples", field="kind", got=each.kind, bound=bound)
            if {len(each.low), len(each.mean), len(each.high)} != {VALUE_BYTES * self.steps}:
                bound = f"{VALUE_BYTES * self.steps} bytes"
                raise ProtocolError("samples", field=each.name, bound=bound)


def series_name(kind: str, of: str) -> str:
    """Return the name of a series."""
    return f"{kind}|{of}" if of else kind


def packed(values: Iterable[float]) -> bytes:
    """Return values as half floats; what is beyond their range is told as its end."""
    held = [
        value if math.isnan(value) else max(-VALUE_MAX, min(value, VALUE_MAX)) for value in values
    ]
    return struct.pack(f"<{len(held)}e", *held)


def unpacked(values: bytes) -> tuple[float, ...]:
    """Return the values of half floats; NaN where nothing was measured."""
    return struct.unpack(f"<{len(values) // VALUE_BYTES}e", values)
