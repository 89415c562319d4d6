"""Reads what ipmitool prints, leniently: one bad line loses one sensor. Pure.

``-v sensor`` is read by its labels, since columns move between versions. ipmitool names neither the
owner nor the unit (LUN) of a sensor, so its key is entity and number, which a controller has once.
"""

import math
import re
from typing import Final

from roost_agent.bmc.sensor import KEY_CHARS_MAX, Level, Limits, Sensor, named
from roost_agent.bmc.talk import LogRecord, Power
from roost_protocol.boards import Group

_ID: Final = re.compile(r"(.*) \((0x[0-9a-fA-F]+)\)\s*")
_READING: Final = re.compile(r"(-?[0-9.]+)(?: \(\+/- [^)]*\))? (.*)")
_RECORD: Final = re.compile(r"[0-9a-fA-F]{1,5}")
_LIMITS: Final = {
    "lnr": "Lower Non-Recoverable",
    "lcr": "Lower Critical",
    "lnc": "Lower Non-Critical",
    "unc": "Upper Non-Critical",
    "ucr": "Upper Critical",
    "unr": "Upper Non-Recoverable",
}
_UNITS: Final = {
    "degrees C": (Group.TEMPERATURE, "C"),
    "RPM": (Group.FANS, "rpm"),
    "Volts": (Group.VOLTAGE, "V"),
    "Watts": (Group.POWER, "W"),
    "Amps": (Group.POWER, "A"),
    "percent": (Group.USAGE, "%"),
}
_TYPES: Final = {
    "Temperature": Group.TEMPERATURE,
    "Fan": Group.FANS,
    "Voltage": Group.VOLTAGE,
    "Current": Group.POWER,
    "Power Supply": Group.POWER,
    "Power Unit": Group.POWER,
}
_STATUS: Final = {
    "nc": Level.MINOR,
    "cr": Level.MAJOR,
    "nr": Level.CRITICAL,
    "lower non-critical": Level.MINOR,
    "upper non-critical": Level.MINOR,
    "lower critical": Level.MAJOR,
    "upper critical": Level.MAJOR,
    "lower non-recoverable": Level.CRITICAL,
    "upper non-recoverable": Level.CRITICAL,
}


def sensors(text: str) -> list[Sensor]:
    """Return the analogue sensors of ``ipmitool -v sensor``; discrete ones have no reading."""
    found: dict[str, Sensor] = {}
    for block in text.replace("\r", "").split("\n\n"):
        sensor = _sensor(_labels(block))
        if sensor is not None:
            found.setdefault(sensor.key, sensor)
    return list(found.values())


def power(text: str) -> Power:
    """Return the power of ``ipmitool chassis power status``."""
    said = text.strip().lower()
    for each in (Power.ON, Power.OFF):
        if said.endswith(f"power is {each}"):
            return each
    return Power.UNKNOWN


def guid(text: str) -> str:
    """Return the UUID of ``ipmitool mc guid``; empty: it has none."""
    return _labels(text).get("System GUID", "")[:45]


def boot(text: str) -> str:
    """Return the device of ``ipmitool chassis bootparam get 5``."""
    for line in text.splitlines():
        label, _, value = line.partition(":")
        if label.strip(" -") == "Boot Device Selector":
            value = value.strip()
            for word, start in (
                ("none", "No override"),
                ("pxe", "Force PXE"),
                ("disk", "Force Boot from default Hard-Drive"),
                ("cdrom", "Force Boot from CD/DVD"),
                ("bios", "Force Boot into BIOS"),
                ("usb", "Force Boot from Floppy"),
            ):
                if value.startswith(start):
                    return word
    return ""


def records(text: str) -> list[LogRecord]:
    """Return the records of ``ipmitool -c sel elist``; numbers are hexadecimal there."""
    found = []
    for line in text.splitlines():
        number, *rest = line.strip().split(",")
        if not _RECORD.fullmatch(number.strip()) or len(rest) < 3:  # noqa: PLR2004 - date, time, what
            continue
        at = " ".join(" ".join(rest[:2]).split())
        said = ", ".join(each.strip() for each in rest[2:] if each.strip())
        found.append(LogRecord(int(number, 16), at[:32], said[:255]))
    return sorted(found, key=lambda each: each.record)


def info(text: str) -> dict[str, str]:
    """Return the labels of ``ipmitool mc info``."""
    return _labels(text)


def _sensor(said: dict[str, str]) -> Sensor | None:
    identity = _ID.fullmatch(said.get("Sensor ID", ""))
    kind = next((each for each in said if each.startswith("Sensor Type")), "")
    if identity is None or "Discrete" in kind:
        return None
    reading = _READING.fullmatch(said.get("Sensor Reading", ""))
    value = None if reading is None else _number(reading[1])
    unit = "" if reading is None else reading[2].strip()
    group, unit = _UNITS.get(unit, (None, unit[:16]))
    if group is None:
        group = _TYPES.get(said.get(kind, "").partition("(")[0].strip(), Group.USAGE)
    limits = Limits(**{name: _number(said.get(label, "")) for name, label in _LIMITS.items()})
    status = _STATUS.get(said.get("Status", "").lower(), Level.OK)
    entity = said.get("Entity ID", "").partition(" ")[0] or "-"
    key = f"ipmi:{entity}/{identity[2].lower()}"[:KEY_CHARS_MAX]
    name = named(identity[1]) or key
    return Sensor(key, name, group, unit, value, limits, Level.OK if value is None else status)


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, colon, value = line.partition(":")
        if colon:
            found.setdefault(label.strip(), value.strip())
    return found


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
