import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing
from roost_agent.discovery.smbios import STRUCTURES_MAX, Structure, split_table
from roost_agent.discovery.smbios_types import KINDS, READINGS, TEXT_OFFSETS, memory_device

END = b"\x7f\x04\xff\xff\0\0"


def structure(kind, handle, body, *strings):
    """One structure as firmware writes it: header, formatted area, strings."""
    texts = b"".join(text + b"\0" for text in strings) or b"\0"
    return struct.pack("<BBH", kind, 4 + len(body), handle) + body + texts + b"\0"


def area(size, *fields):
    """A structure of one type whose fields (offset, format, value) stand in zeroes."""
    raw = bytearray(size)
    for offset, form, value in fields:
        struct.pack_into(f"<{form}", raw, offset, value)
    return bytes(raw)


def test_structures_are_split_with_their_strings():
    table = structure(1, 0x10, b"\x01\x02", b"Acme", b"Box") + structure(2, 0x11, b"") + END
    first, second, end = split_table(table)
    assert (first.kind, first.handle, first.strings) == (1, 0x10, (b"Acme", b"Box"))
    assert (first.text(4), first.text(5)) == ("Acme", "Box")
    assert second.strings == ()
    assert end.kind == 127


def test_nothing_after_the_end_mark_is_read():
    assert [s.kind for s in split_table(END + structure(1, 0, b""))] == [127]


def test_a_field_past_the_area_is_absent_even_when_bytes_follow():
    (found, _) = split_table(structure(1, 0, b"\x05", b"text") + END)
    assert found.number(4, 1) == 5
    assert found.number(4, 2) == Missing(ABSENT)
    assert found.number(5, 8) == Missing(ABSENT)


def test_a_string_that_does_not_exist_is_missing():
    (found, _) = split_table(structure(1, 0, b"\x00\x02", b"only") + END)
    assert found.text(4) == Missing(ABSENT)
    assert found.text(5) == Missing(UNSUPPORTED)


def test_a_length_below_the_header_ends_the_table():
    assert split_table(b"\x01\x03\x00\x00\0\0" + END) == []


def test_a_structure_cut_short_ends_the_table():
    whole = structure(17, 1, bytes(30), b"DIMM 0")
    assert len(split_table(whole + whole[:20])) == 1


def test_a_table_without_an_end_is_read_to_its_last_byte():
    assert split_table(structure(1, 0, b"\x01", b"x")[:-2])[0].strings == (b"x",)


def test_an_endless_table_ends():
    assert len(split_table(structure(1, 0, b"") * (STRUCTURES_MAX + 9))) == STRUCTURES_MAX


def read_everything(found: Structure) -> None:
    for offsets in TEXT_OFFSETS.values():
        for offset in offsets.values():
            found.text(offset)
    for reading in (memory_device, *READINGS.values()):
        for value in reading(found).values():
            assert isinstance(value, bool | int | str | Missing)


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_without_an_error(table):
    for found in split_table(table):
        read_everything(found)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([17, *KINDS]),
            st.binary(max_size=120),
            st.lists(st.binary(max_size=8), max_size=4),
        ),
        max_size=6,
    ),
    st.data(),
)
def test_a_table_with_wrong_lengths_and_flipped_bytes_is_read_without_an_error(parts, data):
    table = bytearray(
        b"".join(structure(kind, at, body, *texts) for at, (kind, body, texts) in enumerate(parts))
    )
    for _ in range(3 if table else 0):
        table[data.draw(st.integers(0, len(table) - 1))] = data.draw(st.integers(0, 255))
    for found in split_table(bytes(table)):
        read_everything(found)


@given(st.binary(max_size=300), st.sampled_from([17, *KINDS]))
def test_a_reading_never_looks_past_its_area(body, kind):
    """What follows a structure must not change what is read of it."""
    first = split_table(structure(kind, 1, body) + END)[0]
    second = split_table(structure(kind, 1, body) + structure(kind, 2, b"\xff" * 99) + END)[0]
    reading = memory_device if kind == 17 else READINGS[kind]
    assert reading(first) == reading(second)


def read_one(kind, size, *fields):
    found = Structure(kind, 0, area(size, *fields), ())
    return (memory_device if kind == 17 else READINGS[kind])(found)


def test_a_memory_module_has_its_size_speed_and_width():
    fields = read_one(
        17,
        0x28,
        (0x08, "H", 72),
        (0x0A, "H", 64),
        (0x0C, "H", 16384),
        (0x0E, "B", 9),
        (0x12, "B", 0x1A),
        (0x15, "H", 3200),
        (0x1B, "B", 0x02),
        (0x20, "H", 2933),
        (0x26, "H", 1200),
    )
    assert fields == {
        "populated": True,
        "size_bytes": 16 << 30,
        "type": "DDR4",
        "form_factor": "DIMM",
        "speed_mts": 3200,
        "configured_mts": 2933,
        "rank": 2,
        "data_width": 64,
        "total_width": 72,
        "ecc": True,
        "voltage_mv": 1200,
    }


def test_a_module_of_32_gib_and_more_uses_the_wide_field():
    fields = read_one(17, 0x28, (0x0C, "H", 0x7FFF), (0x1C, "I", 128 << 10))
    assert fields["size_bytes"] == 128 << 30


def test_bit_15_counts_a_small_module_in_kib():
    assert read_one(17, 0x28, (0x0C, "H", 0x8000 | 512))["size_bytes"] == 512 << 10


def test_an_empty_place_is_not_a_module_of_zero_bytes():
    assert read_one(17, 0x28) == {"populated": False}


def test_an_unknown_size_is_missing_not_empty():
    fields = read_one(17, 0x28, (0x0C, "H", 0xFFFF))
    assert fields["populated"] is True
    assert fields["size_bytes"] == Missing(UNSUPPORTED)


def test_speeds_past_65_gt_use_the_wide_field():
    fields = read_one(17, 0x5C, (0x0C, "H", 1), (0x15, "H", 0xFFFF), (0x54, "I", 70_000))
    assert fields["speed_mts"] == 70_000
    assert fields["configured_mts"] == Missing(UNSUPPORTED)


def test_firmware_of_an_older_specification_lacks_the_later_fields():
    fields = read_one(17, 0x15, (0x0C, "H", 512), (0x08, "H", 64), (0x0A, "H", 64))
    assert fields["size_bytes"] == 512 << 20
    assert fields["ecc"] is False
    assert fields["speed_mts"] == fields["voltage_mv"] == Missing(ABSENT)


def test_a_socket_with_many_cores_uses_the_wide_fields():
    fields = read_one(
        4, 0x30, (0x18, "B", 0x41), (0x23, "B", 0xFF), (0x2A, "H", 384), (0x25, "B", 8)
    )
    assert (fields["populated"], fields["cores"], fields["threads"]) == (True, 384, 8)


def test_a_cache_has_its_level_and_size_in_either_unit():
    fields = read_one(7, 0x1B, (0x05, "H", 0x0182), (0x09, "H", 0x8000 | 176), (0x10, "B", 3))
    assert (fields["level"], fields["enabled"]) == (3, True)
    assert fields["size_bytes"] == 176 << 16
    assert fields["ecc"] == "none"
    large = read_one(7, 0x1B, (0x09, "H", 0xFFFF), (0x17, "I", 1 << 31 | 4096))
    assert large["size_bytes"] == 4096 << 16


def test_a_slot_has_its_bus_address_width_and_usage():
    fields = read_one(
        9,
        0x11,
        (0x06, "B", 0x0D),
        (0x07, "B", 4),
        (0x0D, "H", 0),
        (0x0F, "B", 0x3B),
        (0x10, "B", 9),
    )
    assert fields == {"width": "x16", "usage": "in use", "address": "0000:3b:01.1"}
    assert read_one(9, 0x11, (0x0D, "H", 0xFFFF))["address"] == Missing(UNSUPPORTED)


def test_an_ipmi_interface_has_its_version_and_address():
    fields = read_one(38, 0x12, (0x04, "B", 1), (0x05, "B", 0x20), (0x08, "Q", 0xCA3))
    assert (fields["interface"], fields["ipmi_version"]) == ("KCS", "2.0")
    assert (fields["base_address"], fields["address_space"]) == ("0xca2", "io")


def test_a_power_supply_has_its_state_and_capacity():
    fields = read_one(39, 0x16, (0x0C, "H", 750), (0x0E, "H", 0x0183))
    assert fields == {
        "max_mw": 750_000,
        "present": True,
        "hot_replaceable": True,
        "unplugged": False,
        "state": "OK",
    }
    assert read_one(39, 0x16, (0x0C, "H", 0x8000))["max_mw"] == Missing(UNSUPPORTED)


def test_an_onboard_device_has_its_address():
    fields = read_one(41, 0x0B, (0x05, "B", 0x85), (0x06, "B", 1), (0x09, "B", 4), (0x0A, "B", 1))
    assert fields == {"type": "Ethernet", "enabled": True, "instance": 1, "address": "0000:04:00.1"}


def test_a_redfish_host_interface_has_the_services_address():
    record = area(91, (51, "B", 1), (52, "4s", bytes([169, 254, 0, 1])), (84, "H", 443))
    body = bytes([0x40, 1, 2, 1, 4, len(record)]) + record
    fields = READINGS[42](Structure(42, 0, bytes(4) + body, ()))
    assert fields == {"interface": "network", "redfish_ip": "169.254.0.1", "redfish_port": 443}


@pytest.mark.parametrize("size", [0, 1, 51, 52, 85])
def test_a_redfish_record_cut_short_is_not_read(size):
    body = bytes([0x40, 0, 1, 4, size]) + bytes(size)
    fields = READINGS[42](Structure(42, 0, bytes(4) + body, ()))
    assert fields["redfish_ip"] == fields["redfish_port"] == Missing(ABSENT)


def test_a_redfish_record_that_claims_more_than_there_is_is_not_read():
    body = bytes([0x40, 0, 1, 4, 255]) + bytes(60)
    fields = READINGS[42](Structure(42, 0, bytes(4) + body, ()))
    assert fields["redfish_ip"] == Missing(ABSENT)


def test_a_tpm_has_its_vendor_and_version():
    fields = read_one(43, 0x1F, (0x04, "4s", b"IFX\0"), (0x08, "B", 2))
    assert fields == {"vendor": "IFX", "version": "2.0"}


def test_a_firmware_component_has_its_state():
    fields = read_one(45, 0x18, (0x0C, "Q", 1 << 20), (0x16, "B", 4))
    assert fields == {"image_bytes": 1 << 20, "state": "enabled"}
