"""The steps every sysfs probe takes: bounded lists, short clean text, class links, hardware paths.

Leaves reading to the Reader and the meaning of an attribute to the probe.

Invariants:
- text is at most INVENTORY_STRING_BYTES_MAX bytes of UTF-8 without control characters;
- a class with more than INVENTORY_ITEMS_MAX devices is cut there and says so;
- a path that ``resolve`` returns is real and below the root, so links found there can be followed.
"""

import re
from collections.abc import Iterable
from os.path import normpath
from typing import Final, TypeVar

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, TOO_BIG, UNSUPPORTED, Missing, Reason, Section
from roost_protocol.limits import INVENTORY_ITEMS_MAX, INVENTORY_STRING_BYTES_MAX

T = TypeVar("T")

PCI_DEVICES: Final = "sys/bus/pci/devices"
UEVENT_BYTES_MAX: Final = 4096  # the kernel's own buffer for it is 2 KiB
SECTOR_BYTES: Final = 512  # sysfs counts sizes in these, whatever the device's own blocks are

# Control characters would reach a terminal; lone surrogates stand for bytes that are not UTF-8.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PCI_ADDRESS: Final = re.compile(r"(?<=/)[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=/|$)")
# Class directories: what follows them is numbered by the kernel in the order it finds devices.
_CLASS_PART: Final = re.compile(r"/(?:block|hwmon|ieee80211|net|nvme|scsi_host|thermal|tty)(?=/|$)")


def clean(text: str) -> str:
    """Return text that can be stored and shown: no control characters, one space for many."""
    return " ".join(_UNPRINTABLE.sub("\ufffd", text).split())


def fitted(text: str) -> str | Missing:
    """Return clean text that fits an inventory field, else why it does not."""
    text = clean(text)
    if not text:
        return Missing(ABSENT)
    return text if len(text.encode()) <= INVENTORY_STRING_BYTES_MAX else Missing(TOO_BIG)


def attribute(reader: Reader, path: str) -> str | Missing:
    """Return a short text attribute; an empty one is Missing(absent)."""
    text = reader.text(path, INVENTORY_STRING_BYTES_MAX)
    return text if isinstance(text, Missing) else fitted(text)


def hex_id(reader: Reader, path: str, digits: int = 4) -> str | Missing:
    """Return an id like ``0x8086`` as its bare lower-case digits, as lspci and pci.ids write it."""
    number = reader.number(path, radix=16)
    if isinstance(number, Missing):
        return number
    return f"{number:0{digits}x}" if 0 <= number < 16**digits else Missing(UNSUPPORTED)


def flag(number: int | Missing) -> bool | Missing:
    """Return a number as a truth value: 0 is false."""
    return number if isinstance(number, Missing) else number != 0


def scaled(number: int | Missing, factor: int) -> int | Missing:
    """Return a count in another unit."""
    return number if isinstance(number, Missing) else number * factor


def known(value: T | Missing) -> T | None:
    """Return the value, or None where it is missing: for composing, never for storing."""
    return None if isinstance(value, Missing) else value


def first(*values: T | Missing) -> T | Missing:
    """Return the first value that is there, else the most telling reason."""
    missing = Missing(ABSENT)
    for value in values:
        if not isinstance(value, Missing):
            return value
        if missing.reason == ABSENT:
            missing = value
    return missing


def devices(reader: Reader, directory: str, section: Section) -> list[str]:
    """Return the entries of a class directory; what is missing goes under the section's ``*``."""
    names = reader.names(directory)
    if isinstance(names, Missing):
        section.missing["*"] = names.reason
        return []
    return bounded(names, section)


def entries(reader: Reader, path: str) -> list[str]:
    """Return the entries of a directory, none when it cannot be read: for looking around."""
    names = reader.names(path)
    return [] if isinstance(names, Missing) else names[:INVENTORY_ITEMS_MAX]


def uevent(reader: Reader, base: str, key: str) -> str | Missing:
    """Return one ``KEY=value`` of a device's uevent file."""
    text = reader.text(f"{base}/uevent", UEVENT_BYTES_MAX)
    if isinstance(text, Missing):
        return text
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == key:
            return fitted(value)
    return Missing(ABSENT)


def bounded(names: list[str], section: Section) -> list[str]:
    """Return at most as many names as a section may have items."""
    if len(names) > INVENTORY_ITEMS_MAX:
        section.missing["*"] = TOO_BIG
    return names[:INVENTORY_ITEMS_MAX]


def explained(section: Section, reason: Reason = ABSENT) -> Section:
    """Return the section; an empty one says why."""
    if not section.items:
        section.missing.setdefault("*", reason)
    return section


def unique(section: Section, item: str) -> str:
    """Return the id, with a number when two devices claim the same identity."""
    name = clean(item).encode()[: INVENTORY_STRING_BYTES_MAX - 8].decode("utf-8", "ignore")
    twin, candidate = 1, name
    while candidate in section.items:
        twin += 1
        candidate = f"{name}#{twin}"
    return candidate


def resolve(reader: Reader, path: str) -> str:
    """Return the real path behind one link, whose own directory is real; a plain path stays.

    A link that would leave the root is not followed.
    """
    target = reader.link(path)
    if isinstance(target, Missing) or target.startswith("/"):
        return path
    real = normpath(f"{path}/../{target}")
    return path if real.startswith("..") else real


def target_name(reader: Reader, path: str) -> str | Missing:
    """Return the last part of a link's target: the name of a driver, a master, a group."""
    target = reader.link(path)
    if isinstance(target, Missing):
        return target
    name = normpath(f"{path}/../{target}").rpartition("/")[2]
    return Missing(UNSUPPORTED) if name in {"", ".", ".."} else fitted(name)


def pci_address(path: str) -> str | Missing:
    """Return the PCI device nearest above a real path."""
    addresses: list[str] = _PCI_ADDRESS.findall(path)
    return addresses[-1] if addresses else Missing(ABSENT)


def hardware_path(path: str) -> str:
    """Return where a device sits in the machine, without the names that the kernel counts up.

    A path outside ``sys/devices`` (a class directory without links) tells nothing: empty.
    """
    if not path.startswith("sys/devices/"):
        return ""
    return clean(_CLASS_PART.split(path.removeprefix("sys/devices/"), maxsplit=1)[0])


def joined(parts: Iterable[str | Missing]) -> str:
    """Return the parts of an identity that are known, in order."""
    return " ".join(part for part in parts if part and not isinstance(part, Missing))
