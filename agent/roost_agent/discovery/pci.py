"""PCI functions: ids, names, driver, place in the machine, link. SR-IOV is in ``sriov``.

Leaves AER counters to the metrics.

Invariant: the id of an item is its PCI address, ``domain:bus:device.function``.
"""

import re
from typing import Final

from roost_agent.discovery.pci_names import PciNames
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    attribute,
    clean,
    devices,
    explained,
    fitted,
    flag,
    hex_id,
    resolve,
    target_name,
)

VPD_BYTES_MAX: Final = 32 * 1024  # the 15 bits of a VPD address
VPD_READ_ONLY: Final = 0x90  # tag of the large resource VPD-R
WIDTH_UNKNOWN: Final = (0, 255)  # include/linux/pci.h: PCIE_LNK_WIDTH_RESRV, _UNKNOWN

_SPEED: Final = re.compile(r"(\d+)(?:\.(\d))?\d* GT/s")


def pci(reader: Reader) -> Section:
    """Return every PCI function with its ids, names, driver, place and link."""
    section = Section()
    names = PciNames(reader)
    for address in devices(reader, PCI_DEVICES, section):
        base = resolve(reader, f"{PCI_DEVICES}/{address}")
        item = clean(address)
        section.put_all(item, identity(reader, base, names))
        section.put_all(item, _place(reader, base))
        section.put_all(item, link_fields(reader, base))
    return explained(section)


def identity(reader: Reader, base: str, names: PciNames) -> dict[str, Value | Missing]:
    """Return the ids of one function and what pci.ids calls them."""
    vendor, device = hex_id(reader, f"{base}/vendor"), hex_id(reader, f"{base}/device")
    class_id = hex_id(reader, f"{base}/class", 6)
    subvendor = hex_id(reader, f"{base}/subsystem_vendor")
    subdevice = hex_id(reader, f"{base}/subsystem_device")
    return {
        "vendor_id": vendor,
        "device_id": device,
        "subsystem_vendor_id": subvendor,
        "subsystem_device_id": subdevice,
        "class_id": class_id,
        "vendor_name": names.vendor(vendor),
        "device_name": names.device(vendor, device),
        "subsystem_name": names.subsystem(vendor, device, subvendor, subdevice),
        "class_name": names.device_class(class_id),
        "revision": hex_id(reader, f"{base}/revision", 2),
    }


def _place(reader: Reader, base: str) -> dict[str, Value | Missing]:
    """Return driver, NUMA node, IOMMU group and state; physfn and serial only where there is one.

    Most functions are no VF and have no VPD: a null for each would be a thousand reasons.
    """
    fields: dict[str, Value | Missing] = {
        "driver": target_name(reader, f"{base}/driver"),
        "numa": reader.count(f"{base}/numa_node"),
        "iommu_group": _iommu_group(reader, base),
        "enabled": flag(reader.number(f"{base}/enable")),
    }
    physfn = target_name(reader, f"{base}/physfn")
    if isinstance(physfn, str):
        fields["physfn"] = physfn
    if reader.exists(f"{base}/vpd"):
        vpd = reader.raw(f"{base}/vpd", VPD_BYTES_MAX)
        fields["serial"] = vpd if isinstance(vpd, Missing) else vpd_serial(vpd)
    return fields


def _iommu_group(reader: Reader, base: str) -> int | Missing:
    group = target_name(reader, f"{base}/iommu_group")
    if isinstance(group, Missing):
        return group
    return int(group) if re.fullmatch("[0-9]{1,9}", group) else Missing(UNSUPPORTED)


def link_fields(reader: Reader, base: str) -> dict[str, Value | Missing]:
    """Return speed and width of the PCIe link; nothing for a conventional PCI function."""
    fields: dict[str, Value | Missing] = {}
    for name, path in (("cur", "current"), ("max", "max")):
        speed = attribute(reader, f"{base}/{path}_link_speed")
        width = reader.number(f"{base}/{path}_link_width")
        fields[f"link_{name}_speed_mts"] = _mts(speed)
        fields[f"link_{name}_width"] = Missing(ABSENT) if width in WIDTH_UNKNOWN else width
    return {} if all(isinstance(value, Missing) for value in fields.values()) else fields


def _mts(speed: str | Missing) -> int | Missing:
    """Return ``8.0 GT/s PCIe`` as 8000; ``Unknown`` is what a link that is down says."""
    if isinstance(speed, Missing):
        return speed
    match = _SPEED.match(speed)
    return int(match[1]) * 1000 + int(match[2] or 0) * 100 if match else Missing(ABSENT)


def vpd_serial(vpd: bytes) -> str | Missing:
    """Return the serial number (SN) of a Vital Product Data image.

    PCI 3.0 appendix I: a VPD-R is a list of two-letter keys, a length byte and that many bytes.
    """
    at = 0
    while at + 3 <= len(vpd) and vpd[at] & 0x80:
        size = int.from_bytes(vpd[at + 1 : at + 3], "little")
        body = vpd[at + 3 : at + 3 + size]
        if vpd[at] == VPD_READ_ONLY:
            return _vpd_field(body, b"SN")
        at += 3 + size
    return Missing(ABSENT)


def _vpd_field(body: bytes, key: bytes) -> str | Missing:
    at = 0
    while at + 3 <= len(body):
        size = body[at + 2]
        if body[at : at + 2] == key:
            return fitted(body[at + 3 : at + 3 + size].decode("ascii", "replace").rstrip("\0"))
        at += 3 + size
    return Missing(ABSENT)
