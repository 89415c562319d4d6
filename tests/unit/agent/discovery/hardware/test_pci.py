import pytest

from roost_agent.discovery.pci import pci, vpd_serial
from roost_agent.discovery.section import Missing

IDS = """# a comment
8086  Intel Corporation
\t1521  I350 Gigabit Network Connection
\t\t8086 00a3  Ethernet Network Adapter I350-T4
\t\t17aa 1074  ThinkServer I350-T4
\t1522  I350 Fiber
8087  Another maker
\t1523  Not of Intel
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t02  3D controller
C 08  Generic system peripheral
\t01  DMA controller
\t\t02  EISA DMA
"""
ADDRESS = "0000:45:00.0"


@pytest.fixture
def named(machine):
    return machine.plant({"usr/share/misc/pci.ids": IDS})


def test_a_function_is_described_by_ids_names_place_and_link(named):
    place = named.pci(
        ADDRESS,
        subsystem_vendor="0x8086",
        subsystem_device="0x00a3",
        revision="0x01",
        numa_node=1,
        enable=1,
        current_link_speed="5.0 GT/s PCIe",
        current_link_width=4,
        max_link_speed="16.0 GT/s PCIe",
        max_link_width=8,
    )
    named.driver(place, "igb").link(f"{place}/iommu_group", "sys/kernel/iommu_groups/25")
    section = pci(named.reader())
    assert section.items[ADDRESS] == {
        "vendor_id": "8086",
        "device_id": "1521",
        "subsystem_vendor_id": "8086",
        "subsystem_device_id": "00a3",
        "class_id": "020000",
        "vendor_name": "Intel Corporation",
        "device_name": "I350 Gigabit Network Connection",
        "subsystem_name": "Ethernet Network Adapter I350-T4",
        "class_name": "Ethernet controller",
        "revision": "01",
        "driver": "igb",
        "numa": 1,
        "iommu_group": 25,
        "enabled": True,
        "link_cur_speed_mts": 5000,
        "link_cur_width": 4,
        "link_max_speed_mts": 16000,
        "link_max_width": 8,
    }
    assert section.missing == {}


def test_without_pci_ids_the_names_are_absent_and_the_rest_stands(machine):
    machine.pci(ADDRESS)
    section = pci(machine.reader())
    assert section.items[ADDRESS]["vendor_id"] == "8086"
    assert section.missing[f"{ADDRESS}.device_name"] == "absent"


@pytest.mark.parametrize(
    ("device", "class_id", "device_name", "class_name"),
    [
        ("0x1522", "0x030200", "I350 Fiber", "3D controller"),
        ("0x1523", "0x030000", None, "Display controller"),  # the device of the next vendor
        ("0x9999", "0x080102", None, "EISA DMA"),
        ("0x9999", "0xff0000", None, None),
    ],
)
def test_a_name_is_looked_for_inside_its_own_block(
    named, device, class_id, device_name, class_name
):
    named.pci(ADDRESS, device=device, class_=class_id)
    item = pci(named.reader()).items[ADDRESS]
    assert (item["device_name"], item["class_name"]) == (device_name, class_name)


def test_unknown_numa_speed_and_width_are_null_and_not_a_number(machine):
    machine.pci(
        ADDRESS,
        numa_node=-1,
        current_link_speed="Unknown",
        current_link_width=255,
        max_link_speed="2.5 GT/s PCIe",
        max_link_width=0,
    )
    item = pci(machine.reader()).items[ADDRESS]
    assert item["numa"] is None
    assert (item["link_cur_speed_mts"], item["link_cur_width"]) == (None, None)
    assert (item["link_max_speed_mts"], item["link_max_width"]) == (2500, None)


def test_a_virtual_function_names_its_physical_one(machine):
    place = machine.pci(ADDRESS)
    machine.link(f"{place}/physfn", "sys/devices/pci0000:00/0000:45:01.0")
    assert pci(machine.reader()).items[ADDRESS]["physfn"] == "0000:45:01.0"


VPD = b"\x82\x04\x00I350" + b"\x90\x0e\x00" + b"PN\x02X1" + b"SN\x04\x41\x42\x43 " + b"RV" + b"\x78"


def test_the_serial_is_read_from_vital_product_data(machine):
    assert vpd_serial(VPD) == "ABC"
    machine.pci(ADDRESS, vpd=VPD)
    assert pci(machine.reader()).items[ADDRESS]["serial"] == "ABC"


def test_broken_product_data_never_reads_past_its_end():
    for length in range(len(VPD)):
        assert vpd_serial(VPD[:length]) in {Missing("absent"), "ABC", "AB", "A"}
    assert vpd_serial(b"\xff" * 64) == Missing("absent")


def test_one_broken_function_leaves_the_others(machine):
    machine.fifo("sys/bus/pci/devices/0000:00:00.0/vendor")
    machine.plant(
        {
            "sys/bus/pci/devices/0000:00:01.0/vendor": "0x" + "8" * (1 << 20),
            "sys/bus/pci/devices/0000:00:02.0/vendor": b"\xff\xfe\0\x1b[2J",
        }
    )
    machine.at("sys/bus/pci/devices/0000:00:03.0").symlink_to("0000:00:03.0")
    machine.pci(ADDRESS)
    section = pci(machine.reader())
    assert [section.items[f"0000:00:0{number}.0"]["vendor_id"] for number in range(4)] == [None] * 4
    assert section.missing["0000:00:01.0.vendor_id"] == "too-big"
    assert section.items[ADDRESS]["vendor_id"] == "8086"


def test_a_machine_without_pci_says_why_the_class_is_empty(machine):
    assert pci(machine.reader()).missing == {"*": "absent"}
