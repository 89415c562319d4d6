"""The box as its firmware describes it: system, memory modules, sockets, slots, supplies.

The kernel opens a few strings to all below /sys/class/dmi/id; serials and the whole table are for
root. Where there is no DMI (most Arm boards) the device tree names the box.
"""

from typing import Final

from roost_agent.discovery.placeholders import put_text
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section
from roost_agent.discovery.smbios import TABLE_BYTES_MAX, Structure, split_table
from roost_agent.discovery.smbios_types import (
    KINDS,
    MEMORY_DEVICE,
    READINGS,
    TEXT_OFFSETS,
    memory_device,
)

DMI_DIR: Final = "sys/class/dmi/id"
_TABLE: Final = "sys/firmware/dmi/tables/DMI"
_TREES: Final = ("sys/firmware/devicetree/base", "proc/device-tree")
_ITEM: Final = "system"
_TEXTS: Final = (
    "sys_vendor",
    "product_name",
    "product_family",
    "product_sku",
    "product_version",
    "product_serial",
    "product_uuid",
    "board_vendor",
    "board_name",
    "board_version",
    "board_serial",
    "board_asset_tag",
    "chassis_vendor",
    "chassis_version",
    "chassis_serial",
    "chassis_asset_tag",
    "bios_vendor",
    "bios_version",
    "bios_date",
    "ec_firmware_release",
)
_SECURE_BOOT: Final = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_EFI_VARIABLE_BYTES: Final = 5  # four of attributes (UEFI 2.10, 8.2), one of value


def system(reader: Reader) -> Section:
    """Return the single item ``system``."""
    section = Section()
    tree = next((tree for tree in _TREES if reader.exists(f"{tree}/compatible")), None)
    if reader.exists(DMI_DIR) or tree is None:
        for name in _TEXTS:
            put_text(section, _ITEM, name, reader.text(f"{DMI_DIR}/{name}"))
        section.put(_ITEM, "chassis_type", reader.count(f"{DMI_DIR}/chassis_type"))
    else:
        _put_device_tree(section, reader, tree)
    boot_mode = _boot_mode(reader)
    section.put(_ITEM, "boot_mode", boot_mode)
    section.put(
        _ITEM, "secure_boot", _secure_boot(reader) if boot_mode == "uefi" else Missing(ABSENT)
    )
    return section


def dimm(reader: Reader) -> Section:
    """Return one item a memory module or empty place, by locator and bank."""
    structures = _read_table(reader)
    if isinstance(structures, Missing):
        return Section.empty(structures.reason)
    section = Section()
    for structure in structures:
        if structure.kind == MEMORY_DEVICE:
            fields = memory_device(structure)
            names = TEXT_OFFSETS[MEMORY_DEVICE]
            if fields["populated"] is False:  # its other texts are "NO DIMM" in many spellings
                names = {name: names[name] for name in ("locator", "bank")}
            item = _place(structure, section)
            _put_texts(section, item, structure, names)
            section.put_all(item, fields)
    return section if section.items else Section.empty(ABSENT)


def dmi(reader: Reader) -> Section:
    """Return one item for each other structure that inventory keeps, by type and handle."""
    structures = _read_table(reader)
    if isinstance(structures, Missing):
        return Section.empty(structures.reason)
    section = Section()
    for structure in structures:
        if structure.kind in KINDS:
            item = f"{structure.kind}/{structure.handle:04x}"
            section.put(item, "kind", KINDS[structure.kind])
            _put_texts(section, item, structure, TEXT_OFFSETS.get(structure.kind, {}))
            section.put_all(item, READINGS[structure.kind](structure))
    return section if section.items else Section.empty(ABSENT)


def _read_table(reader: Reader) -> list[Structure] | Missing:
    table = reader.raw(_TABLE, TABLE_BYTES_MAX)
    return table if isinstance(table, Missing) else split_table(table)


def _place(structure: Structure, section: Section) -> str:
    """Return a module's locator and bank, with its handle where boards repeat them."""
    texts = (structure.text(0x10), structure.text(0x11))
    place = "/".join(text for text in texts if isinstance(text, str) and text)
    handle = f"{structure.handle:04x}"
    if not place:
        return handle
    return f"{place}#{handle}" if place in section.items else place


def _put_texts(section: Section, item: str, structure: Structure, names: dict[str, int]) -> None:
    for name, offset in names.items():
        put_text(section, item, name, structure.text(offset))


def _put_device_tree(section: Section, reader: Reader, tree: str) -> None:
    """Name the box from the device tree: ``compatible`` is a list of ``vendor,board``."""
    compatible = reader.text(f"{tree}/compatible")
    put_text(section, _ITEM, "product_name", reader.text(f"{tree}/model"))
    put_text(section, _ITEM, "product_serial", reader.text(f"{tree}/serial-number"))
    if isinstance(compatible, Missing):
        section.put(_ITEM, "compatible", compatible)
        return
    boards = [board for board in compatible.split("\0") if board]
    section.put(_ITEM, "compatible", boards)
    vendor, comma, _ = boards[0].partition(",") if boards else ("", "", "")
    section.put(_ITEM, "sys_vendor", vendor if comma else Missing(ABSENT))


def _boot_mode(reader: Reader) -> str | Missing:
    """Return ``uefi`` or ``bios``; a board booted without either (U-Boot) is Missing."""
    if reader.exists("sys/firmware/efi"):
        return "uefi"
    if any(reader.exists(tree) for tree in _TREES):
        return Missing(UNSUPPORTED)
    return "bios" if reader.exists("sys/firmware") else Missing(ABSENT)


def _secure_boot(reader: Reader) -> bool | Missing:
    variable = reader.raw(_SECURE_BOOT, _EFI_VARIABLE_BYTES)
    if isinstance(variable, Missing):
        return variable
    if len(variable) != _EFI_VARIABLE_BYTES:
        return Missing(UNSUPPORTED)
    return variable[-1] == 1
