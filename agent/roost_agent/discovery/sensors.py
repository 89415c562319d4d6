"""Sensors (hwmon chips and thermal zones) and power: supplies, batteries, RAPL zones.

What a sensor is and its limits; readings are metrics, taken by the resident readers.

Invariant: the id of a sensor is chip name, device path and label, since both the name alone and
the number ``hwmonN`` are ambiguous (node_exporter #1838, #2374).
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, NO_MODULE, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    hardware_path,
    joined,
    known,
    resolve,
    unique,
)

HWMON: Final = "sys/class/hwmon"
THERMAL: Final = "sys/class/thermal"
POWER_SUPPLY: Final = "sys/class/power_supply"
POWERCAP: Final = "sys/class/powercap"
TRIP_POINTS_MAX: Final = 32  # of one zone; the kernel had 12 as its limit until 6.9

# Kind and unit of a channel, Documentation/hwmon/sysfs-interface: in1 is a voltage in mV.
KINDS: Final = {
    "temp": ("temperature", "mc"),
    "fan": ("fan", "rpm"),
    "in": ("voltage", "mv"),
    "curr": ("current", "ma"),
    "power": ("power", "uw"),
    "energy": ("energy", "uj"),
    "freq": ("frequency", "hz"),
    "humidity": ("humidity", "milli-pct"),
}
LIMITS: Final = ("min", "max", "crit", "lcrit")

_CHANNEL: Final = re.compile(
    r"((temp|fan|in|curr|power|energy|freq|humidity)[0-9]+)_(?:input|average)"
)


def sensor(reader: Reader) -> Section:
    """Return every sensor; empty with ``no-module`` when no driver offers one."""
    section = Section()
    for name in devices(reader, HWMON, section):
        _put_chip(section, reader, resolve(reader, f"{HWMON}/{name}"))
    for name in entries(reader, THERMAL):
        if name.startswith("thermal_zone"):
            _put_zone(section, reader, resolve(reader, f"{THERMAL}/{name}"))
    if section.items:
        section.missing.pop("*", None)  # zones alone are sensors too
    elif section.missing.get("*") == ABSENT:
        section.missing["*"] = NO_MODULE
    return explained(section, NO_MODULE)


def _put_chip(section: Section, reader: Reader, base: str) -> None:
    base, channels = chip(reader, base)
    for channel, (kind, name) in channels.items():
        item = unique(section, name)
        section.put_all(item, {"kind": KINDS[kind][0], "unit": KINDS[kind][1]})
        for limit in LIMITS:
            _put_limit(section, item, limit, reader.number(f"{base}/{channel}_{limit}"))


def chip(reader: Reader, base: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return where a chip's files are, and each channel's kind and name."""
    name = attribute(reader, f"{base}/name")
    channels = _channels(reader, base)
    if not channels:  # drivers from before 2.6.38 put them beside the hwmon directory
        base = f"{base}/device"
        name, channels = first(attribute(reader, f"{base}/name"), name), _channels(reader, base)
    place = hardware_path(base.removesuffix("/device"))
    labels = {channel: known(attribute(reader, f"{base}/{channel}_label")) for channel in channels}
    found = {}
    for channel, kind in channels.items():
        label = labels[channel] or channel
        if list(labels.values()).count(label) > 1:
            label = f"{label} {channel}"
        found[channel] = (kind, joined((name, place, label)))
    return base, found


def _channels(reader: Reader, base: str) -> dict[str, str]:
    """Return the channels of a chip that have a reading, with their kind."""
    matches = map(_CHANNEL.fullmatch, entries(reader, base))
    return {match[1]: match[2] for match in matches if match}


def _put_limit(section: Section, item: str, limit: str, value: int | Missing) -> None:
    """Put a limit that the chip has; one that it has and cannot tell is missing with its reason."""
    if not isinstance(value, Missing) or value.reason != ABSENT:
        section.put(item, limit, value)


def _put_zone(section: Section, reader: Reader, base: str) -> None:
    kind = attribute(reader, f"{base}/type")
    item = unique(section, joined((kind, "thermal")))
    section.put_all(item, {"kind": "temperature", "unit": "mc"})
    trips: dict[str, list[int]] = {}
    for number in range(TRIP_POINTS_MAX):
        trip = attribute(reader, f"{base}/trip_point_{number}_type")
        if isinstance(trip, Missing):
            break
        value = reader.number(f"{base}/trip_point_{number}_temp")
        if isinstance(value, int):
            trips.setdefault("crit" if trip == "critical" else "max", []).append(value)
    for limit, values in trips.items():
        section.put(item, limit, min(values))


def power(reader: Reader) -> Section:
    """Return supplies and batteries by name, and the zones whose energy the CPU counts."""
    section = Section()
    for name in devices(reader, POWER_SUPPLY, section):
        base = f"{POWER_SUPPLY}/{name}"
        item = clean(name)
        section.put(item, "type", attribute(reader, f"{base}/type"))
        for field, path in (
            ("manufacturer", "manufacturer"),
            ("model", "model_name"),
            ("serial", "serial_number"),
        ):
            section.put(item, field, attribute(reader, f"{base}/{path}"))
        if section.items[item]["type"] == "Battery":
            section.put(item, "capacity_uwh", _capacity_uwh(reader, base))
    for name in entries(reader, POWERCAP):
        base = f"{POWERCAP}/{name}"
        if reader.exists(f"{base}/max_energy_range_uj"):
            section.put_all(clean(name), _rapl_zone(reader, base))
    if section.items:
        section.missing.pop("*", None)
    return explained(section)


def _capacity_uwh(reader: Reader, base: str) -> int | Missing:
    """Return what a new battery held; one that counts charge (uAh) needs its design voltage."""
    energy = reader.count(f"{base}/energy_full_design")
    charge = reader.count(f"{base}/charge_full_design")
    volts = reader.count(f"{base}/voltage_min_design")
    if isinstance(charge, int) and isinstance(volts, int):
        return first(energy, charge * volts // 1_000_000)
    return energy


def _rapl_zone(reader: Reader, base: str) -> dict[str, Value | Missing]:
    return {
        "type": "rapl",
        "model": attribute(reader, f"{base}/name"),
        "range_uj": reader.count(f"{base}/max_energy_range_uj"),
    }
