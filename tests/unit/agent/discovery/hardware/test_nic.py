import pytest

from roost_agent.discovery.nic import nic
from roost_agent.discovery.section import Missing

PCI = "0000:60:00.0"
MAC = "ac:1f:6b:8a:5f:c8"


def port(machine, name, *, slot=PCI, **attributes):
    """Plant a PCI function with one interface on it."""
    place = f"sys/devices/pci0000:00/{slot}"
    if not (machine.tree.root / place).exists():
        machine.driver(machine.pci(slot, numa_node=1), "i40e")
    values = {"ifindex": 2, "address": MAC, "addr_assign_type": 0, "mtu": 1500, "type": 1}
    here = machine.device(f"sys/class/net/{name}", f"{place}/net/{name}", **values | attributes)
    return machine.link(f"{here}/device", place)


def test_an_interface_is_known_by_its_burnt_in_address_and_its_slot(machine):
    port(machine, "eth0", speed=25000, duplex="full")
    section = nic(machine.reader())
    assert section.items == {
        f"{MAC} {PCI}": {
            "ifname": "eth0",
            "ifindex": 2,
            "kind": "ether",
            "mac": MAC,
            "mtu": 1500,
            "driver": "i40e",
            "speed_mbps": 25000,
            "duplex": "full",
            "permanent_mac": MAC,
            "pci": PCI,
            "numa": 1,
        }
    }


def test_renaming_and_bonding_do_not_move_the_identity(machine):
    port(machine, "wan0", addr_assign_type=3)
    bonded = f"sys/devices/pci0000:00/{PCI}/net/wan0"
    machine.plant(
        {f"{bonded}/address": "02:00:00:00:00:01", f"{bonded}/bonding_slave/perm_hwaddr": MAC}
    )
    item = nic(machine.reader()).items[f"{MAC} {PCI}"]
    assert (item["ifname"], item["mac"], item["permanent_mac"]) == (
        "wan0",
        "02:00:00:00:00:01",
        MAC,
    )


def test_a_vf_is_known_by_its_slot_because_its_mac_is_given_to_it(machine):
    port(machine, "eth0")
    machine.link(f"sys/devices/pci0000:00/{PCI}/physfn", "sys/devices/pci0000:00/0000:60:01.0")
    assert list(nic(machine.reader()).items) == [PCI]


def test_two_ports_of_one_function_without_addresses_are_told_apart(machine):
    port(machine, "ib0", addr_assign_type=1, dev_port=0)
    port(machine, "ib1", addr_assign_type=1, dev_port=1)
    assert list(nic(machine.reader()).items) == [PCI, f"{PCI} port1"]


@pytest.mark.parametrize(("speed", "duplex"), [(-1, "unknown"), ("", "")])
def test_a_link_that_is_down_has_no_speed(machine, speed, duplex):
    port(machine, "eth0", speed=speed, duplex=duplex)
    item = nic(machine.reader()).items[f"{MAC} {PCI}"]
    assert (item["speed_mbps"], item["duplex"]) == (None, None)


def test_the_numa_node_behind_a_virtio_interface_is_its_pci_functions(machine):
    place = machine.pci(PCI, numa_node=3)
    here = machine.device("sys/class/net/eth0", f"{place}/virtio1/net/eth0", address=MAC)
    machine.link(f"{here}/device", f"{place}/virtio1")
    assert [item["numa"] for item in nic(machine.reader()).items.values()] == [3]


def test_an_interface_with_no_device_behind_it_is_no_nic(machine):
    machine.device("sys/class/net/lo", "sys/devices/virtual/net/lo", ifindex=1)
    machine.plant({"sys/class/net/bonding_masters": ""})
    assert nic(machine.reader()).missing == {"*": "absent"}


def test_thousands_of_virtual_interfaces_never_crowd_out_a_device(machine):
    for number in range(4_200):
        machine.tree.root.joinpath(f"sys/class/net/veth{number}").mkdir(parents=True)
    port(machine, "wan0")
    section = nic(machine.reader())
    assert [item["ifname"] for item in section.items.values()] == ["wan0"]
    assert section.missing == {
        f"{MAC} {PCI}.{field}": "absent" for field in ("speed_mbps", "duplex")
    }


def test_kind_comes_from_the_uevent_where_there_is_one(machine):
    port(machine, "wlan0", uevent="DEVTYPE=wlan\nINTERFACE=wlan0")
    assert [item["kind"] for item in nic(machine.reader()).items.values()] == ["wlan"]


def test_names_and_values_that_lie_are_made_harmless(machine):
    port(machine, "e\x1b[2J", uevent="x" * (1 << 20), mtu="1500; rm", address=b"\xff\xfe")
    (item,) = nic(machine.reader()).items.values()
    assert item["ifname"] == "e\ufffd[2J"
    assert (item["mtu"], item["mac"]) == (None, "\ufffd\ufffd")


def test_reasons_are_kept_for_what_is_null(machine):
    port(machine, "eth0")
    section = nic(machine.reader())
    nulls = {
        f"{item}.{field}"
        for item, row in section.items.items()
        for field, value in row.items()
        if value is None
    }
    assert nulls == set(section.missing)
    assert Missing("absent").reason in section.missing.values()
