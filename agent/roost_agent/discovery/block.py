"""Disks and partitions. Arrays and device-mapper devices are in ``raid``.

Reads sysfs and udev's database alone, never the device: no disk is woken. Health (SMART, NVMe log
pages) is a root fact of its own. Loop, RAM, network and optical drives are no disks.

Invariants: the id of a disk is its WWN (wwid), else NVMe EUI or NGUID, else model and serial, else
where it is plugged in, and its kernel name only when nothing else is known; a namespace or LUN that
is reached over several paths is one item.
"""

import re
from dataclasses import dataclass
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    SECTOR_BYTES,
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    fitted,
    flag,
    hardware_path,
    joined,
    resolve,
    scaled,
    target_name,
    uevent,
    unique,
)
from roost_agent.discovery.udev import Udev

BLOCK: Final = "sys/block"

_NO_DISK: Final = re.compile(r"(?:sr|fd|loop|ram|zram|nbd|mtdblock)[0-9]|mmcblk[0-9]+(?:boot|rpmb)")
_HCTL: Final = re.compile(r"[0-9]+:[0-9]+:[0-9]+:[0-9]+")
_NAMESPACE: Final = re.compile(r"nvme[0-9]+(?:c[0-9]+)?n[0-9]+")
_CHOSEN: Final = re.compile(r"\[([^\]]+)\]")
_ZEROS: Final = re.compile(r"[0-]*")
_TRANSPORTS: Final = (  # a part of the real path that tells how a disk is attached
    (re.compile(r"/usb[0-9]+/"), "usb"),
    (re.compile(r"/ata[0-9]+/"), "sata"),
    (re.compile(r"/end_device-"), "sas"),
    (re.compile(r"/rport-"), "fc"),
    (re.compile(r"/session[0-9]+/"), "iscsi"),
    (re.compile(r"/virtio[0-9]+/"), "virtio"),
    (re.compile(r"/mmc[0-9]+/"), "mmc"),
    (re.compile(r"/(?:ndbus|nd_)"), "nvdimm"),
)


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk as sysfs shows it: its name, real path, device's path and udev's entry."""

    name: str
    base: str
    udev: Udev

    @property
    def device(self) -> str:
        """Return the path of the device behind it: an NVMe controller, a SCSI LUN."""
        return f"{self.base}/device"

    @property
    def is_nvme(self) -> bool:
        """Whether it is a namespace of an NVMe controller."""
        return self.name.startswith("nvme")


def disk(reader: Reader) -> Section:
    """Return every disk of the machine."""
    section = Section()
    for found in _disks(reader, section):
        item = identity(reader, found)
        size = scaled(reader.count(f"{found.base}/size"), SECTOR_BYTES)
        twin = section.items.get(item)
        if twin is not None and twin["size_bytes"] == size:  # another path to the same disk
            _add_path(twin, found.name)
            continue
        item = unique(section, item)
        # A reader of cards without a card has size 0: that is no size.
        section.put(item, "size_bytes", size or Missing(ABSENT))
        section.put_all(item, _names(reader, found))
        section.put_all(item, _queue(reader, found))
        section.put_all(item, _nvme(reader, found) if found.is_nvme else _scsi(reader, found))
    return explained(section)


def _disks(reader: Reader, section: Section) -> list[Disk]:
    """Return what is a disk in ``sys/block``: a device stands behind it, and it is not hidden."""
    found = []
    for name in devices(reader, BLOCK, section):
        base = resolve(reader, f"{BLOCK}/{name}")
        is_hidden = reader.number(f"{base}/hidden") == 1  # one path below an NVMe multipath head
        if not _NO_DISK.match(name) and not is_hidden and reader.exists(f"{base}/device"):
            found.append(Disk(name, base, Udev(reader, attribute(reader, f"{base}/dev"))))
    return found


def _add_path(item: dict[str, Value], name: str) -> None:
    paths = item.get("paths")
    known = paths if isinstance(paths, list) else [str(item["name"])]
    item["paths"] = [*(str(path) for path in known), clean(name)]


def identity(reader: Reader, found: Disk) -> str:
    """Return what tells this disk from every other one, wherever it is plugged in."""
    base, device = found.base, found.device
    wwid = first(
        attribute(reader, f"{base}/wwid"),
        attribute(reader, f"{device}/wwid"),
        found.udev.text("ID_WWN_WITH_EXTENSION", "ID_WWN"),
        _not_zero(attribute(reader, f"{base}/eui")),
        _not_zero(attribute(reader, f"{base}/nguid")),
        attribute(reader, f"{device}/cid"),
    )
    if isinstance(wwid, str):
        return clean(wwid)
    serial = _serial(reader, found)
    if isinstance(serial, str):
        return clean(joined((_model(reader, found), serial)))
    by_path = found.udev.text("ID_PATH")
    if isinstance(by_path, str):
        return by_path
    return hardware_path(base) or clean(found.name)


def _not_zero(text: str | Missing) -> str | Missing:
    """Return an EUI or NGUID; a controller without one shows zeros."""
    return Missing(ABSENT) if isinstance(text, str) and _ZEROS.fullmatch(text) else text


def _model(reader: Reader, found: Disk) -> str | Missing:
    return first(
        attribute(reader, f"{found.device}/model"),
        attribute(reader, f"{found.device}/name")
        if found.name.startswith("mmc")
        else Missing(ABSENT),
        found.udev.text("ID_MODEL"),
    )


def _serial(reader: Reader, found: Disk) -> str | Missing:
    """Return the maker's serial; SCSI keeps it in a page that udev has read."""
    return first(
        attribute(reader, f"{found.device}/serial"),
        attribute(reader, f"{found.base}/serial"),  # virtio
        found.udev.text("SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT"),
    )


def _names(reader: Reader, found: Disk) -> dict[str, Value | Missing]:
    return {
        "name": fitted(found.name),
        "model": _model(reader, found),
        "serial": _serial(reader, found),
        "firmware": first(
            attribute(reader, f"{found.device}/firmware_rev"),
            attribute(reader, f"{found.device}/rev"),
            found.udev.text("ID_REVISION"),
        ),
        "type": _type(reader, found),
        "transport": _transport(reader, found),
        "by_path": found.udev.text("ID_PATH"),
    }


def _type(reader: Reader, found: Disk) -> str | Missing:
    if found.is_nvme:
        return "nvme"
    rotational = reader.number(f"{found.base}/queue/rotational")
    if isinstance(rotational, Missing):
        return rotational
    return "hdd" if rotational else "ssd"


def _transport(reader: Reader, found: Disk) -> str | Missing:
    if found.is_nvme:
        return attribute(reader, f"{found.device}/transport")
    for pattern, transport in _TRANSPORTS:
        if pattern.search(found.base):
            return transport
    return found.udev.text("ID_BUS")


def _queue(reader: Reader, found: Disk) -> dict[str, Value | Missing]:
    queue = f"{found.base}/queue"
    return {
        "logical_bytes": reader.count(f"{queue}/logical_block_size"),
        "physical_bytes": reader.count(f"{queue}/physical_block_size"),
        "rotational": flag(reader.number(f"{queue}/rotational")),
        "removable": flag(reader.number(f"{found.base}/removable")),
        "scheduler": _chosen(attribute(reader, f"{queue}/scheduler")),
        "write_cache": attribute(reader, f"{queue}/write_cache"),
        "discard": flag(reader.count(f"{queue}/discard_max_bytes")),
        "zoned": attribute(reader, f"{queue}/zoned"),
    }


def _chosen(choices: str | Missing) -> str | Missing:
    """Return ``mq-deadline`` of ``none [mq-deadline]``; a device without a choice says ``none``."""
    if isinstance(choices, Missing):
        return choices
    match = _CHOSEN.search(choices)
    return match[1] if match else choices


def _nvme(reader: Reader, found: Disk) -> dict[str, Value | Missing]:
    return {
        "cntlid": reader.count(f"{found.device}/cntlid"),
        "subsysnqn": attribute(reader, f"{found.device}/subsysnqn"),
        "namespaces": namespaces(reader, found.device),
    }


def namespaces(reader: Reader, controller: str) -> list[int] | Missing:
    """Return the numbers of the namespaces of an NVMe controller or subsystem."""
    names = reader.names(controller)
    if isinstance(names, Missing):
        return names
    spaces = [name for name in names if _NAMESPACE.fullmatch(name)]
    found = {reader.count(f"{controller}/{name}/nsid") for name in spaces}
    numbers = sorted(number for number in found if isinstance(number, int))
    return Missing(ABSENT) if spaces and not numbers else numbers


def _scsi(reader: Reader, found: Disk) -> dict[str, Value | Missing]:
    """Return address and speed of a disk that is not NVMe; only SCSI has an address."""
    address = target_name(reader, found.device)
    fields: dict[str, Value | Missing] = {}
    if isinstance(address, str) and _HCTL.fullmatch(address):
        fields["hctl"] = address
    if reader.number(f"{found.base}/queue/rotational") == 1:
        fields["rpm"] = found.udev.number("ID_ATA_ROTATION_RATE_RPM")
    return fields


def partition(reader: Reader) -> Section:
    """Return the partitions of every disk."""
    section = Section()
    seen: set[str] = set()
    for found in _disks(reader, section):
        owner = identity(reader, found)
        if owner in seen:  # another path to the same disk
            continue
        seen.add(owner)
        for name in entries(reader, found.base):
            number = reader.count(f"{found.base}/{name}/partition")
            if isinstance(number, int):
                _put_partition(section, reader, f"{found.base}/{name}", owner, number)
    return explained(section)


def _put_partition(section: Section, reader: Reader, base: str, owner: str, number: int) -> None:
    udev = Udev(reader, attribute(reader, f"{base}/dev"))
    uuid = first(udev.text("ID_PART_ENTRY_UUID"), uevent(reader, base, "PARTUUID"))
    item = unique(section, uuid if isinstance(uuid, str) else f"{owner}-part{number}")
    section.put_all(
        item,
        {
            "disk": fitted(owner),
            "number": number,
            "name": fitted(base.rpartition("/")[2]),
            "type": udev.text("ID_PART_ENTRY_TYPE"),
            "label": first(udev.text("ID_PART_ENTRY_NAME"), uevent(reader, base, "PARTNAME")),
            "start_bytes": scaled(reader.count(f"{base}/start"), SECTOR_BYTES),
            "size_bytes": scaled(reader.count(f"{base}/size"), SECTOR_BYTES),
        },
    )
