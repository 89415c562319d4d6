"""Reads what Redfish resources say, leniently: one bad entry loses one sensor. Pure.

Both generations of the schema: Thermal and Power (``ReadingCelsius``, ``UpperThresholdCritical``),
and Sensor (``Reading``, ``Thresholds.UpperCritical.Reading``) with what points at sensors. What is
Absent or Disabled has no reading, whatever number stands there: some controllers say 0.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from roost_agent.bmc.sensor import KEY_CHARS_MAX, Level, Limits, Sensor, named
from roost_agent.bmc.talk import BootDevice, LogRecord, Power
from roost_protocol.boards import Group

Resource = Mapping[str, Any]

_GONE: Final = frozenset({"Absent", "Disabled", "UnavailableOffline", "StandbyOffline"})
_HEALTH: Final = {"Warning": Level.MINOR, "Critical": Level.MAJOR}
_TYPES: Final = {
    "Temperature": (Group.TEMPERATURE, "C"),
    "Rotational": (Group.FANS, "rpm"),
    "Voltage": (Group.VOLTAGE, "V"),
    "Power": (Group.POWER, "W"),
    "Current": (Group.POWER, "A"),
    "EnergykWh": (Group.POWER, "kWh"),
    "EnergyJoules": (Group.POWER, "J"),
    "EnergyWh": (Group.POWER, "Wh"),
}
_UNITS: Final = {
    "Cel": (Group.TEMPERATURE, "C"),
    "RPM": (Group.FANS, "rpm"),
    "{rev}/min": (Group.FANS, "rpm"),
    "V": (Group.VOLTAGE, "V"),
    "W": (Group.POWER, "W"),
    "A": (Group.POWER, "A"),
}
_OLD: Final = {
    "lnr": "LowerThresholdFatal",
    "lcr": "LowerThresholdCritical",
    "lnc": "LowerThresholdNonCritical",
    "unc": "UpperThresholdNonCritical",
    "ucr": "UpperThresholdCritical",
    "unr": "UpperThresholdFatal",
}
_NEW: Final = {
    "lnr": "LowerFatal",
    "lcr": "LowerCritical",
    "lnc": "LowerCaution",
    "unc": "UpperCaution",
    "ucr": "UpperCritical",
    "unr": "UpperFatal",
}
_EXCERPTS: Final = {  # of PowerSupplyMetrics and the like: key -> group, unit
    "InputVoltage": (Group.VOLTAGE, "V"),
    "InputCurrentAmps": (Group.POWER, "A"),
    "InputPowerWatts": (Group.POWER, "W"),
    "OutputPowerWatts": (Group.POWER, "W"),
    "EnergykWh": (Group.POWER, "kWh"),
    "FrequencyHz": (Group.USAGE, "Hz"),
    "TemperatureCelsius": (Group.TEMPERATURE, "C"),
    "FanSpeedPercent": (Group.FANS, "%"),
    "SpeedPercent": (Group.FANS, "%"),
    "RailVoltage": (Group.VOLTAGE, "V"),
    "RailCurrentAmps": (Group.POWER, "A"),
    "RailPowerWatts": (Group.POWER, "W"),
    "TemperatureReadingsCelsius": (Group.TEMPERATURE, "C"),
    "TemperatureSummaryCelsius": (Group.TEMPERATURE, "C"),
}
_POWER_OF: Final = {"On": Power.ON, "Off": Power.OFF, "Paused": Power.ON}
BOOT: Final[Mapping[str, BootDevice]] = {
    "None": "none",
    "Pxe": "pxe",
    "Hdd": "disk",
    "Cd": "cdrom",
    "BiosSetup": "bios",
    "Usb": "usb",
}


def link(resource: Resource, name: str) -> str:
    """Return where a resource's link goes; empty: it has none that could be followed."""
    found = resource.get(name)
    path = found.get("@odata.id") if isinstance(found, dict) else None
    return path if isinstance(path, str) and path.startswith("/redfish/") else ""


def members(collection: Resource) -> list[dict[str, Any]]:
    """Return the members of a collection: links, or whole resources where it was expanded."""
    found = collection.get("Members")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def power(system: Resource) -> Power:
    """Return the power of a ComputerSystem."""
    return _POWER_OF.get(str(system.get("PowerState")), Power.UNKNOWN)


def is_drive(media: Resource) -> bool:
    """Whether a VirtualMedia is a CD's drive that can be told a URL (DSP0268: InsertMedia)."""
    types = media.get("MediaTypes")
    is_cd = isinstance(types, list) and any(each in {"CD", "DVD"} for each in types)
    return is_cd and bool(action(media, "VirtualMedia.InsertMedia"))


def media(drive: Resource) -> str:
    """Return the image that a drive holds and shows to its machine; empty: none."""
    image = drive.get("Image")
    return image if drive.get("Inserted") is True and isinstance(image, str) else ""


def action(resource: Resource, name: str) -> str:
    """Return where an action of a resource is posted to; empty: it has none."""
    actions = resource.get("Actions")
    found = actions.get(f"#{name}") if isinstance(actions, dict) else None
    target = found.get("target") if isinstance(found, dict) else None
    return target if isinstance(target, str) and target.startswith("/redfish/") else ""


def boot(system: Resource) -> str:
    """Return the device of the next boot."""
    found = system.get("Boot")
    said = found if isinstance(found, dict) else {}
    if said.get("BootSourceOverrideEnabled", "Once") == "Disabled":
        return "none"
    return BOOT.get(str(said.get("BootSourceOverrideTarget", "")), "")


def thermal(resource: Resource) -> Iterator[Sensor]:
    """Yield the sensors of a Thermal."""
    for index, entry in _entries(resource, "Temperatures"):
        value = entry.get("ReadingCelsius")
        yield from _old(resource, entry, f"Temperatures/{index}", (Group.TEMPERATURE, "C"), value)
    for index, entry in _entries(resource, "Fans"):
        unit = "%" if entry.get("ReadingUnits") == "Percent" else "rpm"
        value = entry.get("Reading", entry.get("ReadingRPM"))
        yield from _old(resource, entry, f"Fans/{index}", (Group.FANS, unit), value)


def power_of(resource: Resource) -> Iterator[Sensor]:
    """Yield the sensors of a Power."""
    for index, entry in _entries(resource, "Voltages"):
        value = entry.get("ReadingVolts")
        yield from _old(resource, entry, f"Voltages/{index}", (Group.VOLTAGE, "V"), value)
    for index, entry in _entries(resource, "PowerControl"):
        value = entry.get("PowerConsumedWatts")
        yield from _old(resource, entry, f"PowerControl/{index}", (Group.POWER, "W"), value)
    for index, entry in _entries(resource, "PowerSupplies"):
        value = entry.get("LastPowerOutputWatts", entry.get("PowerOutputWatts"))
        yield from _old(resource, entry, f"PowerSupplies/{index}", (Group.POWER, "W"), value)


def sensor(resource: Resource) -> Iterator[Sensor]:
    """Yield a Sensor."""
    key = _key(resource.get("@odata.id"))
    if not key or (
        "Reading" not in resource and "#Sensor." not in str(resource.get("@odata.type"))
    ):
        return
    group, unit = _TYPES.get(str(resource.get("ReadingType")), (None, ""))
    if group is None:
        unit = str(resource.get("ReadingUnits") or "")
        group, unit = _UNITS.get(unit, (None, unit[:16]))
    if group is None:
        is_fan = resource.get("PhysicalContext") == "Fan" or "fan" in _name(resource).lower()
        group = Group.FANS if is_fan else Group.USAGE
    found = resource.get("Thresholds")
    said = found if isinstance(found, dict) else {}
    limits = Limits(**{name: _threshold(said.get(each)) for name, each in _NEW.items()})
    yield _made(key, resource, (group, unit), resource.get("Reading"), limits)


def excerpts(resource: Resource) -> Iterator[Sensor]:
    """Yield what a resource quotes of sensors: a Fan, metrics of a supply or of a cooling."""
    base, is_gone = _key(resource.get("@odata.id")), _is_gone(resource)
    for name, (group, unit) in _EXCERPTS.items():
        found = resource.get(name)
        quoted = found if isinstance(found, list) else [found]
        if isinstance(found, dict) and "Reading" not in found:
            quoted = [each for each in found.values() if isinstance(each, dict)]
        for index, each in enumerate(quoted):
            if not isinstance(each, dict) or "Reading" not in each:
                continue
            key = _key(each.get("DataSourceUri")) or f"{base}#/{name}/{index}"
            label = str(each.get("DeviceName") or f"{_name(resource)} {name}")
            label = label.rpartition("/")[2] if "/" in label else label
            value = None if is_gone else _number(each.get("Reading"))
            yield Sensor(key[:KEY_CHARS_MAX], named(label), group, unit, value)


def record(entry: Resource) -> LogRecord | None:
    """Return an entry of a log; None where it has no number."""
    try:
        number = int(str(entry.get("Id")))
    except ValueError:
        return None
    text = entry.get("Message") or entry.get("Name") or ""
    return LogRecord(
        number,
        str(entry.get("Created") or "")[:32],
        " ".join(str(text).split())[:255],
        str(entry.get("Severity") or "")[:16],
    )


def _entries(resource: Resource, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    found = resource.get(name)
    for index, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def _old(
    resource: Resource, entry: Resource, place: str, kind: tuple[Group, str], value: object
) -> Iterator[Sensor]:
    base = _key(resource.get("@odata.id"))
    key = _key(entry.get("DataSourceUri")) or _key(entry.get("@odata.id")) or f"{base}#/{place}"
    limits = Limits(**{name: _number(entry.get(each)) for name, each in _OLD.items()})
    yield _made(key, entry, kind, value, limits)


def _made(
    key: str, entry: Resource, kind: tuple[Group, str], value: object, limits: Limits
) -> Sensor:
    is_gone = _is_gone(entry)
    status = entry.get("Status")
    health = str(status.get("Health")) if isinstance(status, dict) else ""
    return Sensor(
        key[:KEY_CHARS_MAX],
        _name(entry) or key.rpartition("/")[2],
        *kind,
        None if is_gone else _number(value),
        limits,
        Level.OK if is_gone else _HEALTH.get(health, Level.OK),
    )


def _is_gone(entry: Resource) -> bool:
    status = entry.get("Status")
    return isinstance(status, dict) and str(status.get("State")) in _GONE


def _name(entry: Resource) -> str:
    return named(str(entry.get("Name") or entry.get("FanName") or entry.get("MemberId") or ""))


def _key(path: object) -> str:
    return path if isinstance(path, str) and path.startswith("/redfish/") else ""


def _threshold(found: object) -> float | None:
    if not isinstance(found, dict) or found.get("Activation") == "Disabled":
        return None
    return _number(found.get("Reading"))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
