import struct

import pytest

from roost_agent.discovery.dmi import dimm, dmi, system

DMI = "sys/class/dmi/id"
TABLE = "sys/firmware/dmi/tables/DMI"
EFIVAR = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def memory_device(handle, size_mib, *strings):
    area = bytearray(0x28)
    struct.pack_into("<BBH", area, 0, 17, len(area), handle)
    struct.pack_into("<H", area, 0x0C, size_mib)
    area[0x10:0x12] = b"\x01\x02"
    area[0x17:0x19] = b"\x03\x04"
    return bytes(area) + b"".join(text + b"\0" for text in strings) + b"\0"


def test_the_box_has_the_names_its_firmware_gives_it(tree):
    tree.plant({f"{DMI}/sys_vendor": "Acme", f"{DMI}/chassis_type": 23})
    section = system(tree.reader())
    assert section.items["system"]["sys_vendor"] == "Acme"
    assert section.items["system"]["chassis_type"] == 23
    assert section.missing["system.product_serial"] == "absent"


def test_a_placeholder_is_null_and_keeps_its_text(tree):
    tree.plant({f"{DMI}/product_serial": "Default string"})
    section = system(tree.reader())
    assert section.items["system"]["product_serial"] is None
    assert section.items["system"]["product_serial_raw"] == "Default string"
    assert section.missing["system.product_serial"] == "placeholder"


def test_a_board_without_dmi_is_named_by_its_device_tree(tree):
    base = "sys/firmware/devicetree/base"
    tree.plant(
        {
            f"{base}/model": b"Raspberry Pi 4 Model B\0",
            f"{base}/serial-number": b"10000000abcdef01\0",
            f"{base}/compatible": b"raspberrypi,4-model-b\0brcm,bcm2711\0",
        }
    )
    section = system(tree.reader())
    item = section.items["system"]
    assert item["product_name"] == "Raspberry Pi 4 Model B"
    assert item["product_serial"] == "10000000abcdef01"
    assert item["sys_vendor"] == "raspberrypi"
    assert item["compatible"] == ["raspberrypi,4-model-b", "brcm,bcm2711"]
    assert section.missing["system.boot_mode"] == "unsupported"


@pytest.mark.parametrize(("value", "secure"), [(b"\x06\0\0\0\x01", True), (b"\x06\0\0\0\0", False)])
def test_secure_boot_is_the_byte_after_the_attributes(tree, value, secure):
    item = system(tree.plant({EFIVAR: value}).reader()).items["system"]
    assert (item["boot_mode"], item["secure_boot"]) == ("uefi", secure)


def test_a_short_efi_variable_is_not_read_as_false(tree):
    section = system(tree.plant({EFIVAR: b"\x06\0\0\0"}).reader())
    assert section.missing["system.secure_boot"] == "unsupported"


def test_a_bios_has_no_secure_boot(tree):
    section = system(tree.plant({"sys/firmware/memmap/0/type": ""}).reader())
    assert section.items["system"]["boot_mode"] == "bios"
    assert section.missing["system.secure_boot"] == "absent"


def test_modules_are_items_by_locator_and_bank(tree):
    table = memory_device(0x1100, 8192, b"DIMM A1", b"BANK 0", b"Acme", b"S1")
    section = dimm(tree.plant({TABLE: table}).reader())
    module = section.items["DIMM A1/BANK 0"]
    assert module["size_bytes"] == 8 << 30
    assert (module["manufacturer"], module["serial"]) == ("Acme", "S1")


def test_a_board_that_repeats_its_locators_keeps_every_module(tree):
    one = memory_device(0x1100, 8192, b"DIMM 0", b"BANK", b"Acme", b"S1")
    two = memory_device(0x1101, 8192, b"DIMM 0", b"BANK", b"Acme", b"S2")
    section = dimm(tree.plant({TABLE: one + two}).reader())
    assert list(section.items) == ["DIMM 0/BANK", "DIMM 0/BANK#1101"]


def test_an_empty_place_tells_only_where_it_is(tree):
    table = memory_device(0x1100, 0, b"DIMM A2", b"BANK 1", b"NO DIMM", b"NO DIMM")
    section = dimm(tree.plant({TABLE: table}).reader())
    assert section.items == {
        "DIMM A2/BANK 1": {"locator": "DIMM A2", "bank": "BANK 1", "populated": False}
    }
    assert section.missing == {}


def test_other_structures_are_items_by_type_and_handle(tree):
    slot = struct.pack("<BBH", 9, 0x11, 0x0900) + b"\x01\xb1\x0d\x04" + bytes(5)
    slot += b"\0\0\x3b\0" + b"PCIe Slot 1\0\0"
    section = dmi(tree.plant({TABLE: slot}).reader())
    assert section.items["9/0900"]["kind"] == "slot"
    assert section.items["9/0900"]["designation"] == "PCIe Slot 1"
    assert section.items["9/0900"]["address"] == "0000:3b:00.0"


@pytest.mark.parametrize(
    ("table", "reason"), [(None, "absent"), (b"junk", "absent"), (bytes(2 << 20), "too-big")]
)
def test_a_table_that_tells_nothing_says_why(tree, table, reason):
    if table is not None:
        tree.plant({TABLE: table})
    assert dimm(tree.reader()).missing == dmi(tree.reader()).missing == {"*": reason}
