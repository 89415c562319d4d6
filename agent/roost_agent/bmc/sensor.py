"""A sensor as it was read, and how bad its reading is by its own thresholds. Pure."""

import re
from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.boards import Group

KEY_CHARS_MAX: Final = 255
NAME_CHARS_MAX: Final = 64
_UNPRINTED: Final = re.compile(r"[^\x20-\x7e\xa0-\uffff]+")


class Level(IntEnum):
    """How bad it is."""

    OK = 0
    MINOR = 1
    MAJOR = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """In lower case, as it is told."""
        return self.name.lower()


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Thresholds in the unit of the reading: lower and upper, non-critical to non-recoverable."""

    lnr: float | None = None
    lcr: float | None = None
    lnc: float | None = None
    unc: float | None = None
    ucr: float | None = None
    unr: float | None = None


class Sensor(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading.

    Attributes:
        key: who it is for as long as the machine stays the same: ``ipmi:ENTITY/NUMBER`` or the
            Redfish ``@odata.id``; never its name, which need not be unique.
        value: None where there is none: the part is absent, disabled or not scanned.
        said: what the controller itself thinks of it.
    """

    key: Annotated[str, Meta(max_length=KEY_CHARS_MAX)]
    name: Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
    group: Group
    unit: str = ""
    value: float | None = None
    limits: Limits = Limits()
    said: Level = Level.OK

    @property
    def level(self) -> Level:
        """The worse of what its thresholds say and what the controller says."""
        return max(by_limits(self.value, self.limits), self.said)


_UPPER: Final = (("unr", Level.CRITICAL), ("ucr", Level.MAJOR), ("unc", Level.MINOR))
_LOWER: Final = (("lnr", Level.CRITICAL), ("lcr", Level.MAJOR), ("lnc", Level.MINOR))


def by_limits(value: float | None, limits: Limits) -> Level:
    """Return how bad a value is: at a threshold or past it counts (IPMI 2.0, table 35-13).

    What has no reading is not judged by a reading.
    """
    if value is None:
        return Level.OK
    for name, level in _UPPER:
        limit = getattr(limits, name)
        if limit is not None and value >= limit:
            return level
    for name, level in _LOWER:
        limit = getattr(limits, name)
        if limit is not None and value <= limit:
            return level
    return Level.OK


def crossed(sensor: Sensor) -> float | None:
    """Return the threshold that a reading is at or past, the worst one; None: none."""
    if sensor.value is None:
        return None
    for name, _ in _UPPER:
        limit: float | None = getattr(sensor.limits, name)
        if limit is not None and sensor.value >= limit:
            return limit
    for name, _ in _LOWER:
        limit = getattr(sensor.limits, name)
        if limit is not None and sensor.value <= limit:
            return limit
    return None


def named(text: str) -> str:
    """Return a name as it may be shown: printable, one line, not long."""
    return _UNPRINTED.sub(" ", text).strip()[:NAME_CHARS_MAX]
