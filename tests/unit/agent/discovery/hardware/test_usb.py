from roost_agent.discovery.usb import usb

HUB = "sys/devices/pci0000:00/0000:00:14.0/usb1"
USB = "sys/bus/usb/devices"


def stick(machine, name="1-1.4", hub=HUB, **files):
    ids = {"idVendor": "0781", "idProduct": "5581", "bDeviceClass": "00", "product": "Ultra"}
    place = f"{hub}/1-1/{name}"
    return machine.device(f"{USB}/{name}", place, **ids | files)


def test_a_device_is_known_by_its_controller_and_the_ports_it_hangs_on(machine):
    machine.device(f"{USB}/usb1", HUB, idVendor="1d6b", version=" 2.00")
    place = stick(machine, serial="4C53")
    machine.link(f"{place}/1-1.4:1.0/driver", "sys/bus/usb/drivers/usb-storage")
    machine.plant({f"{place}/1-1.4:1.0/bInterfaceClass": "08"})
    assert usb(machine.reader()).items == {
        "pci-0000:00:14.0-usbv2-0:1.4": {
            "vendor_id": "0781",
            "product_id": "5581",
            "class_id": "00",
            "manufacturer": None,
            "product": "Ultra",
            "serial": "4C53",
            "driver": "usb-storage",
        }
    }


def test_the_number_of_the_bus_is_no_part_of_the_identity(machine):
    stick(machine, "1-1")
    stick(machine, "2-3", HUB.replace("usb1", "usb2"))
    assert list(usb(machine.reader()).items) == [
        "pci-0000:00:14.0-usb-0:1",
        "pci-0000:00:14.0-usb-0:3",
    ]


def test_a_controller_that_is_not_on_pci_is_known_by_its_place(machine):
    stick(machine, "1-1", "sys/devices/platform/soc/fe980000.usb/usb1")
    assert list(usb(machine.reader()).items) == ["platform/soc/fe980000.usb-usb-0:1"]


def test_a_device_that_lies_in_every_string_is_listed(machine):
    stick(machine, product=b"\x1b]0;x\x07\xff", serial="s" * (1 << 20), idVendor="zzzz")
    section = usb(machine.reader())
    ((item, fields),) = section.items.items()
    assert fields["product"] == "\ufffd]0;x\ufffd\ufffd"
    assert (fields["serial"], section.missing[f"{item}.serial"]) == (None, "too-big")
    assert fields["vendor_id"] is None


def test_a_machine_without_usb_says_why(machine):
    assert usb(machine.reader()).missing == {"*": "absent"}
