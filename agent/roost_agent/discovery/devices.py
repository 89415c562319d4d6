"""Small classes of devices: watchdogs, serial ports, RDMA adapters.

Invariant: the id is what the hardware says (node GUID, place of a port); a watchdog has no
identity and goes by its kernel name.
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    fitted,
    flag,
    hardware_path,
    known,
    resolve,
    target_name,
    unique,
)

WATCHDOG: Final = "sys/class/watchdog"
TTY: Final = "sys/class/tty"
INFINIBAND: Final = "sys/class/infiniband"
UART_NONE: Final = 0  # PORT_UNKNOWN: a 8250 slot that no chip answered

# Controller and port of the serial core (6.5): 00:00:0/00:00:0.0
_PORT: Final = re.compile(r"/[^/]+:[0-9]+/[^/]+:[0-9]+\.[0-9]+$")
_RATE: Final = re.compile(r"([0-9]{1,6})(?:\.([0-9]))?[0-9]* Gb/sec")


def watchdog(reader: Reader) -> Section:
    """Return every watchdog timer. What is left of its time is a reading."""
    section = Section()
    for name in devices(reader, WATCHDOG, section):
        base = f"{WATCHDOG}/{name}"
        section.put_all(
            clean(name),
            {
                "identity": attribute(reader, f"{base}/identity"),
                "state": attribute(reader, f"{base}/state"),
                "timeout_s": reader.count(f"{base}/timeout"),
                "pretimeout_s": reader.count(f"{base}/pretimeout"),
                "pretimeout_governor": attribute(reader, f"{base}/pretimeout_governor"),
                "bootstatus": reader.count(f"{base}/bootstatus"),
                "nowayout": flag(reader.count(f"{base}/nowayout")),
                "fw_version": reader.count(f"{base}/fw_version"),
            },
        )
    return explained(section)


def serial(reader: Reader) -> Section:
    """Return the serial ports that a chip stands behind, on the board or on USB."""
    section = Section()
    for name in devices(reader, TTY, section):
        base = resolve(reader, f"{TTY}/{name}")
        uart = reader.count(f"{base}/type")
        if uart == UART_NONE or not reader.exists(f"{base}/device"):  # consoles have no device
            continue
        place = _PORT.sub("", hardware_path(base))
        item = unique(section, place or name)
        section.put(item, "name", fitted(name))
        section.put(item, "driver", _driver(reader, base, place))
        section.put_all(item, _usb_fields(reader, base))
    return explained(section)


def _driver(reader: Reader, base: str, place: str) -> str | Missing:
    """Return the driver of the chip: since 6.5 the serial core puts devices of its own between."""
    device = target_name(reader, f"{base}/device/driver")
    chip = target_name(reader, f"sys/devices/{place}/driver")
    return first(chip, device)


def _usb_fields(reader: Reader, base: str) -> dict[str, Value | Missing]:
    """Return the ids of the USB device some levels above a port; nothing for other ports."""
    parts = base.split("/")
    for depth in range(len(parts) - 1, 3, -1):
        above = "/".join(parts[:depth])
        if reader.exists(f"{above}/idVendor"):
            return {
                "vendor_id": attribute(reader, f"{above}/idVendor"),
                "product_id": attribute(reader, f"{above}/idProduct"),
                "product": attribute(reader, f"{above}/product"),
                "serial": attribute(reader, f"{above}/serial"),
            }
    return {}


def rdma(reader: Reader) -> Section:
    """Return RDMA adapters by node GUID, and each of their ports as ``GUID/port``."""
    section = Section()
    for name in devices(reader, INFINIBAND, section):
        base = resolve(reader, f"{INFINIBAND}/{name}")
        guid = attribute(reader, f"{base}/node_guid")
        item = unique(section, known(guid) or name)
        section.put_all(
            item,
            {
                "name": fitted(name),
                "fw_ver": attribute(reader, f"{base}/fw_ver"),
                "sys_guid": attribute(reader, f"{base}/sys_image_guid"),
                "hca_type": attribute(reader, f"{base}/hca_type"),
                "board_id": attribute(reader, f"{base}/board_id"),
            },
        )
        for port in entries(reader, f"{base}/ports"):
            section.put_all(f"{item}/{clean(port)}", _port(reader, f"{base}/ports/{port}"))
    return explained(section)


def _port(reader: Reader, base: str) -> dict[str, Value | Missing]:
    return {
        "state": _state(attribute(reader, f"{base}/state")),
        "rate_mbps": _rate_mbps(attribute(reader, f"{base}/rate")),
        "link_layer": attribute(reader, f"{base}/link_layer"),
    }


def _state(state: str | Missing) -> str | Missing:
    """Return ``active`` of ``4: ACTIVE``."""
    if isinstance(state, Missing):
        return state
    return state.rpartition(": ")[2].lower() or Missing(ABSENT)


def _rate_mbps(rate: str | Missing) -> int | Missing:
    """Return 2500 of ``2.5 Gb/sec (1X SDR)``."""
    if isinstance(rate, Missing):
        return rate
    match = _RATE.match(rate)
    return int(match[1]) * 1000 + int(match[2] or 0) * 100 if match else Missing(UNSUPPORTED)
