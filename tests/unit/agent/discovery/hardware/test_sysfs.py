import os

import pytest

from roost_agent.discovery import sysfs
from roost_agent.discovery.section import Missing, Section


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("a\0b", "a\ufffdb"),
        ("t10.ATA     MODEL  \t SERIAL ", "t10.ATA MODEL SERIAL"),
        (os.fsdecode(b"eth\xff0"), "eth\ufffd0"),
    ],
)
def test_text_that_a_terminal_would_obey_is_made_harmless(text, shown):
    assert sysfs.clean(text) == shown


def test_a_text_that_is_too_long_or_empty_says_so():
    assert sysfs.fitted("x" * 513) == Missing("too-big")
    assert sysfs.fitted(" \n") == Missing("absent")


def test_an_id_is_written_with_as_many_digits_as_its_field_has(tree):
    reader = tree.plant({"id": "0x86", "minus": "-1", "long": "0x10000"}).reader()
    assert sysfs.hex_id(reader, "id") == "0086"
    assert sysfs.hex_id(reader, "minus") == Missing("unsupported")
    assert sysfs.hex_id(reader, "long") == Missing("unsupported")


def test_a_link_that_would_leave_the_root_is_not_followed(machine):
    for name, target in {"up": "../../../etc", "absolute": "/etc", "loop": "loop"}.items():
        machine.at(f"sys/class/{name}").symlink_to(target)
    reader = machine.reader()
    assert sysfs.resolve(reader, "sys/class/up") == "sys/class/up"
    assert sysfs.resolve(reader, "sys/class/absolute") == "sys/class/absolute"
    assert sysfs.resolve(reader, "sys/class/loop") == "sys/class/loop"


def test_a_link_that_names_nothing_has_no_name(machine):
    machine.at("sys/class/driver").symlink_to("../../../..")
    machine.at("sys/class/group").symlink_to("../../kernel/iommu_groups/25/")
    reader = machine.reader()
    assert sysfs.target_name(reader, "sys/class/driver") == Missing("unsupported")
    assert sysfs.target_name(reader, "sys/class/group") == "25"


def test_the_most_telling_reason_wins_when_every_source_is_missing():
    found = sysfs.first(Missing("absent"), Missing("denied"), Missing("absent"))
    assert found == Missing("denied")


def test_two_devices_that_claim_one_identity_are_both_kept():
    section = Section()
    for _ in range(3):
        section.put(sysfs.unique(section, "S3RIAL"), "name", "x")
    assert list(section.items) == ["S3RIAL", "S3RIAL#2", "S3RIAL#3"]


def test_a_path_is_named_without_what_the_kernel_counts_up():
    place = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/hwmon3"
    assert sysfs.hardware_path(place) == "pci0000:00/0000:01:00.0"
    assert sysfs.pci_address(place) == "0000:01:00.0"
    assert sysfs.hardware_path("sys/class/hwmon/hwmon4") == ""


def test_a_class_with_more_devices_than_a_section_may_hold_is_cut_and_says_so():
    section = Section()
    assert len(sysfs.bounded([str(number) for number in range(5000)], section)) == 4096
    assert section.missing == {"*": "too-big"}
