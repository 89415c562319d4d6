"""Software arrays (md) and device-mapper devices: LVM volumes, LUKS, multipath, DM RAID.

Sizes of volume groups come with the root facts (``lvm fullreport``); sync progress is a metric.

Invariant: the id is the array's or mapping's uuid, never ``md0`` or ``dm-3`` where there is one.
"""

import re
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
    known,
    resolve,
    scaled,
    unique,
)
from roost_agent.discovery.udev import Udev

BLOCK: Final = "sys/block"
# Written to or idle, an array is the same array: these states flip with every write.
RUNNING: Final = frozenset({"clean", "active", "active-idle", "write-pending"})
DM_KINDS: Final = {
    "LVM": "lvm",
    "CRYPT": "crypt",
    "mpath": "multipath",
    "DMRAID": "dmraid",
    "VDO": "vdo",
}

_NO_HEX: Final = re.compile(r"[^0-9a-f]")
_MEMBER: Final = "dev-"


def raid(reader: Reader) -> Section:
    """Return every md array and device-mapper device."""
    section = Section()
    for name in devices(reader, BLOCK, section):
        base = resolve(reader, f"{BLOCK}/{name}")
        if reader.exists(f"{base}/md"):
            _put_array(section, reader, name, base)
        elif reader.exists(f"{base}/dm"):
            _put_mapping(section, reader, name, base)
    return explained(section)


def _put_array(section: Section, reader: Reader, name: str, base: str) -> None:
    udev = Udev(reader, attribute(reader, f"{base}/dev"))
    uuid = first(attribute(reader, f"{base}/md/uuid"), udev.text("MD_UUID"))
    members = [entry for entry in entries(reader, f"{base}/md") if entry.startswith(_MEMBER)]
    state = attribute(reader, f"{base}/md/array_state")
    item = unique(section, _dashed(uuid) if isinstance(uuid, str) else name)
    section.put_all(
        item,
        {
            "kind": "md",
            "name": fitted(name),
            "level": attribute(reader, f"{base}/md/level"),
            "state": "active" if state in RUNNING else state,
            "degraded": reader.count(f"{base}/md/degraded"),
            "raid_disks": reader.count(f"{base}/md/raid_disks"),
            "chunk_bytes": reader.count(f"{base}/md/chunk_size"),
            "metadata": attribute(reader, f"{base}/md/metadata_version"),
            "members": [clean(member.removeprefix(_MEMBER)) for member in members],
            "faulty": [
                clean(member.removeprefix(_MEMBER))
                for member in members
                if "faulty" in (known(attribute(reader, f"{base}/md/{member}/state")) or "")
            ],
            "size_bytes": scaled(reader.count(f"{base}/size"), SECTOR_BYTES),
        },
    )


def _dashed(uuid: str) -> str:
    """Return a uuid in its usual form: mdadm and udev write ``a:b:c:d``."""
    digits = _NO_HEX.sub("", uuid.lower())
    if len(digits) != 32:  # noqa: PLR2004 - 128 bits
        return uuid
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _put_mapping(section: Section, reader: Reader, name: str, base: str) -> None:
    uuid = attribute(reader, f"{base}/dm/uuid")
    mapping = attribute(reader, f"{base}/dm/name")
    prefix = uuid.partition("-")[0] if isinstance(uuid, str) else ""
    kind = DM_KINDS.get(prefix, "dm")
    item = unique(section, known(uuid) or known(mapping) or name)
    section.put_all(
        item,
        {
            "kind": kind,
            "name": mapping,
            "state": "suspended" if reader.number(f"{base}/dm/suspended") == 1 else "active",
            "members": [clean(slave) for slave in entries(reader, f"{base}/slaves")],
            "size_bytes": scaled(reader.count(f"{base}/size"), SECTOR_BYTES),
        },
    )
    if kind == "lvm":
        section.put_all(item, _volume(mapping))


def _volume(mapping: str | Missing) -> dict[str, Value | Missing]:
    """Return group and volume of an LVM mapping: ``vg-lv``, a dash inside a name is doubled."""
    if isinstance(mapping, Missing):
        return {"vg": mapping, "lv": mapping}
    group, _, volume = mapping.replace("--", "\0").partition("-")
    names = (part.replace("\0", "-") for part in (group, volume.partition("-")[0]))
    vg, lv = (part or Missing(ABSENT) for part in names)
    return {"vg": vg, "lv": lv}
