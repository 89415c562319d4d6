"""What a box says it is made of, from the files of the kernel."""

from contextlib import closing

import pytest

from roost_agent.discovery.reader import Reader
from roost_agent.enrol.box import hardware

FILES = {
    "sys/class/dmi/id/sys_vendor": "Acme",
    "sys/class/dmi/id/product_uuid": "4c4c4544-0051",
    "sys/class/dmi/id/board_serial": "To be filled by O.E.M.",
    "sys/block/nvme0n1/device/serial": "S3Z8",
    "sys/class/net/eth0/address": "52:54:00:12:34:56",
    "sys/class/net/eth0/addr_assign_type": "0",
    "sys/class/net/eth0/device/vendor": "0x8086",
    "sys/class/net/br0/address": "52:54:00:12:34:57",
    "sys/class/net/br0/addr_assign_type": "3",
    "sys/class/net/veth1/address": "02:00:00:00:00:01",
    "sys/class/net/veth1/addr_assign_type": "0",
}


@pytest.fixture
def box(tmp_path):
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    with closing(Reader(str(tmp_path))) as reader:
        return hardware(reader)


def test_ports_of_the_box_are_told_and_no_bridge_or_container(box):
    assert box.macs == ("52:54:00:12:34:56",)


def test_numbers_are_told_and_what_vendors_ship_instead_of_one_is_not(box):
    assert (box.vendor, box.uuid, box.board, box.disks) == ("Acme", "4c4c4544-0051", "", ("S3Z8",))
