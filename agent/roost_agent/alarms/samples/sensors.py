"""Temperatures and fans of hwmon chips, against the limits that their drivers tell.

A sensor without a limit of its own is remembered and not judged: nobody knows what is too hot for
it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from roost_agent.alarms.rules import Finding, Reading, Sample
from roost_agent.alarms.samples.sampler import Look, Measured
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.sensors import HWMON, chip
from roost_agent.discovery.sysfs import entries, known, resolve
from roost_protocol import entity as entities
from roost_protocol.limits import ENTITY_BYTES_MAX
from roost_protocol.severity import Severity

SENSOR: Final = "200.007"
SENSORS_MAX: Final = 128
LOOK_AGAIN_MS: Final = 600_000  # for chips that came or went
MILLI: Final = 1_000
SANE_C: Final = (1, 150)  # drivers tell 0, 127 and 65,261 degrees for "no limit"
_LIMITS: Final = {"temp": (("max", Severity.MAJOR), ("crit", Severity.CRITICAL))}


class _Sensor(msgspec.Struct, frozen=True):
    path: str
    entity: str
    is_fan: bool
    limits: dict[Severity, float]


class Sensors:
    """See the module."""

    types = frozenset({SENSOR})
    interval_s = 30
    may_hang = True  # a chip behind a slow bus

    def __init__(self) -> None:
        self._sensors: list[_Sensor] = []
        self._due_ms = 0

    def sample(self, look: Look) -> Iterator[Sample | Measured]:
        """Return each sensor's reading."""
        reader = look.reader
        if look.now_ms >= self._due_ms:
            self._sensors = list(_find(reader))[:SENSORS_MAX]
            self._due_ms = look.now_ms + LOOK_AGAIN_MS
        for sensor in self._sensors:
            value = known(reader.number(f"{sensor.path}_input"))
            if sensor.is_fan:
                yield Measured("fan", sensor.entity, value)
                if sensor.limits:
                    yield _fan(reader, sensor, value)
                continue
            degrees = None if value is None else value / MILLI
            yield Measured("temperature", sensor.entity, degrees)
            if sensor.limits:
                params = {"unit": "degrees C"}
                yield Reading(SENSOR, sensor.entity, degrees, params, sensor.limits)


def _find(reader: Reader) -> Iterator[_Sensor]:
    seen: set[str] = set()
    for name in entries(reader, HWMON):
        base, channels = chip(reader, resolve(reader, f"{HWMON}/{name}"))
        for channel, (kind, label) in channels.items():
            entity = _entity(label)
            if kind not in {"temp", "fan"} or not entity or entity in seen:
                continue
            limits = _limits(reader, f"{base}/{channel}", kind)
            seen.add(entity)
            yield _Sensor(f"{base}/{channel}", entity, kind == "fan", limits)


def _limits(reader: Reader, path: str, kind: str) -> dict[Severity, float]:
    if kind == "fan":
        low = known(reader.number(f"{path}_min"))
        return {Severity.MAJOR: float(low)} if low and low > 0 else {}
    low, high = SANE_C
    found = {}
    for end, severity in _LIMITS["temp"]:
        value = known(reader.number(f"{path}_{end}"))
        if value is not None and low <= value / MILLI <= high:
            found[severity] = value / MILLI
    return found


def _fan(reader: Reader, sensor: _Sensor, value: int | None) -> Sample:
    if known(reader.number(f"{sensor.path}_fault")) == 1:
        params = {"value": None, "limit": None, "unit": "rpm"}
        return Finding(SENSOR, sensor.entity, Severity.MAJOR, params)
    speed = None if value is None else float(value)
    params = {"unit": "rpm"}
    return Reading(SENSOR, sensor.entity, speed, params, sensor.limits, is_low_bad=True)


def _entity(label: str) -> str:
    entity = f"sensor={entities.escape(label)}"
    return entity if label and len(entity.encode()) <= ENTITY_BYTES_MAX else ""
