"""USB devices by where they are plugged in. Root hubs are part of their controller and left out.

Invariant: the id is controller, USB generation and ports, ``pci-0000:00:14.0-usbv2-0:1.4``: bus
and device numbers are counted up by the kernel, the ports are printed on the machine.
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section
from roost_agent.discovery.sysfs import (
    attribute,
    clean,
    devices,
    entries,
    explained,
    hardware_path,
    hex_id,
    pci_address,
    resolve,
    target_name,
    unique,
)

USB_DEVICES: Final = "sys/bus/usb/devices"

_DEVICE: Final = re.compile(r"([0-9]+)-([0-9.]+)")


def usb(reader: Reader) -> Section:
    """Return every USB device that is plugged in."""
    section = Section()
    for name in devices(reader, USB_DEVICES, section):
        match = _DEVICE.fullmatch(name)
        if not match:  # root hubs are usbN, interfaces N-P:C.I
            continue
        base = resolve(reader, f"{USB_DEVICES}/{name}")
        item = unique(section, _by_path(reader, base, match[1], match[2]))
        section.put_all(
            item,
            {
                "vendor_id": hex_id(reader, f"{base}/idVendor"),
                "product_id": hex_id(reader, f"{base}/idProduct"),
                "class_id": hex_id(reader, f"{base}/bDeviceClass", 2),
                "manufacturer": attribute(reader, f"{base}/manufacturer"),
                "product": attribute(reader, f"{base}/product"),
                "serial": attribute(reader, f"{base}/serial"),
                "driver": _driver(reader, base, name),
            },
        )
    return explained(section)


def _by_path(reader: Reader, base: str, bus: str, ports: str) -> str:
    controller = pci_address(base)
    if isinstance(controller, Missing):
        return f"{hardware_path(base).partition('/usb')[0]}-usb-0:{ports}"
    version = attribute(reader, f"{USB_DEVICES}/usb{bus}/version")
    generation = "" if isinstance(version, Missing) else f"v{version.partition('.')[0]}"
    return f"pci-{controller}-usb{generation}-0:{ports}"


def _driver(reader: Reader, base: str, name: str) -> str | Missing:
    """Return the driver of the first interface that has one: the device's own is always ``usb``."""
    for entry in entries(reader, base):
        if entry.startswith(f"{name}:"):
            driver = target_name(reader, f"{base}/{entry}/driver")
            if isinstance(driver, str):
                return clean(driver)
    return Missing(ABSENT)
