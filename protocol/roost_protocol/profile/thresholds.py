"""The alarm types whose limits a profile may move: names, severities and the most they can be.

The same as the types with limits in ``catalogue.json`` that the agent judges (a test holds the two
equal): written out, so that whoever reads a document need not read the catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_PERCENT: Final = 100
_S_MAX: Final = 3_600


@dataclass(frozen=True, slots=True)
class Limits:
    """What can be set of a type: its severities, the least first, and the range in its unit."""

    severities: tuple[str, ...]
    most: int
    unit: str


_MAJOR_CRITICAL: Final = ("major", "critical")
_MINOR_MAJOR: Final = ("minor", "major")

DELAY_S_MAX: Final = _S_MAX  # what lasts longer than an hour is not held off: it is told

LIMITS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "node.cpu.high": Limits(_MAJOR_CRITICAL, _PERCENT, "%"),
        "node.memory.high": Limits(_MAJOR_CRITICAL, _PERCENT, "%"),
        "node.filesystem.high": Limits(_MAJOR_CRITICAL, _PERCENT, "%"),
        "process.fds.high": Limits(_MAJOR_CRITICAL, _PERCENT, "%"),
        "node.clock.wrong": Limits(_MINOR_MAJOR, _S_MAX, "s"),
        "node.swap.high": Limits(_MAJOR_CRITICAL, _PERCENT, "%"),
        "node.pressure.high": Limits(_MINOR_MAJOR, _PERCENT, "%"),
        "node.load.high": Limits(_MINOR_MAJOR, 1_000, "a core"),
        "interface.errors.high": Limits(_MINOR_MAJOR, 1_000, "permille"),
        "node.processes.high": Limits(_MAJOR_CRITICAL, _PERCENT, "%"),
        "node.backlog": Limits(("warning",), _PERCENT, "%"),
    }
)
