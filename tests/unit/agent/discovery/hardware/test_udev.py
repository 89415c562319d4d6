from roost_agent.discovery.section import Missing
from roost_agent.discovery.udev import Udev


def test_properties_are_found_by_the_first_of_several_names(tree):
    reader = tree.plant({"run/udev/data/b8:0": "S:disk/x\nE:ID_WWN=0x5\nE:EMPTY=\nV:1"}).reader()
    udev = Udev(reader, "8:0")
    assert udev.text("ID_WWN_WITH_EXTENSION", "ID_WWN") == "0x5"
    assert udev.text("EMPTY") == Missing("absent")


def test_a_number_is_decimal_or_missing(tree):
    reader = tree.plant({"run/udev/data/b8:0": "E:RPM=7200\nE:BAD=-1\nE:WORSE=\u0661"}).reader()
    udev = Udev(reader, "8:0")
    assert udev.number("RPM") == 7200
    assert udev.number("BAD") == udev.number("WORSE") == Missing("unsupported")


def test_a_device_number_that_is_none_opens_nothing(tree):
    reader = tree.plant({"etc/secret": "E:ID_WWN=0x5"}).reader()
    assert Udev(reader, "/../../../etc/secret").text("ID_WWN") == Missing("absent")


def test_a_database_that_cannot_be_read_says_why_for_each_property(tree):
    reader = tree.plant({"run/udev/data/b8:0": "E:X=" + "y" * (1 << 20)}).reader()
    assert Udev(reader, "8:0").text("ID_WWN") == Missing("too-big")
