import pytest

from roost_agent.discovery.network import link

NET = "sys/class/net"


def interface(machine, name, **files):
    place = f"sys/devices/virtual/net/{name}"
    machine.device(f"{NET}/{name}", place, ifindex=5, type=1, mtu=1500)
    machine.plant({f"{place}/{path}": value for path, value in files.items()})
    return place


def test_a_bond_tells_its_mode_members_and_partner(machine):
    place = interface(machine, "bond0")
    machine.plant(
        {
            f"{place}/bonding/mode": "802.3ad 4",
            f"{place}/bonding/slaves": "eth1 eth0",
            f"{place}/bonding/ad_partner_mac": "00:11:22:33:44:55",
        }
    )
    machine.link(f"{interface(machine, 'eth0')}/master", place)
    items = link(machine.reader()).items
    assert items["bond0"]["bond_mode"] == "802.3ad"
    assert items["bond0"]["bond_members"] == ["eth0", "eth1"]
    assert items["bond0"]["lacp_partner"] == "00:11:22:33:44:55"
    assert items["eth0"]["master"] == "bond0"


def test_a_bond_without_members_has_an_empty_list_and_not_a_null(machine):
    machine.plant({f"{interface(machine, 'bond0')}/bonding/slaves": ""})
    assert link(machine.reader()).items["bond0"]["bond_members"] == []


def test_a_bridge_and_its_ports_name_each_other(machine):
    bridge = interface(machine, "br0", uevent="DEVTYPE=bridge")
    member = interface(machine, "eth0")
    machine.link(f"{bridge}/brif/eth0", f"{member}/brport").link(f"{member}/master", bridge)
    machine.plant({f"{member}/brport/state": 3})
    items = link(machine.reader()).items
    assert (items["br0"]["kind"], items["br0"]["bridge_ports"]) == ("bridge", ["eth0"])
    assert items["eth0"]["bridge"] == "br0"


def test_a_vlan_tells_its_id_and_carrier(machine):
    interface(machine, "eth0.12", uevent="DEVTYPE=vlan")
    machine.plant(
        {
            "proc/net/vlan/config": "VLAN Dev name    | VLAN ID\n"
            "Name-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n"
            "eth0.12        | 12  | eth0\n"
            "evil | \u0661\u0662 | eth0\n| |\n"
        }
    )
    item = link(machine.reader()).items["eth0.12"]
    assert (item["kind"], item["vlan_id"], item["vlan_device"]) == ("vlan", 12, "eth0")


def test_an_interface_that_is_nothing_special_has_no_empty_fields(machine):
    interface(machine, "lo", type=772)
    machine.plant({f"{NET}/bonding_masters": "bond0"})
    section = link(machine.reader())
    assert section.items == {"lo": {"kind": "loopback", "mac": None, "mtu": 1500}}


@pytest.mark.timeout(60)
def test_ten_thousand_interfaces_are_cut_at_what_a_section_may_hold(machine):
    for number in range(10_000):
        machine.tree.root.joinpath(NET, f"veth{number}").mkdir(parents=True)
    machine.plant({f"{NET}/veth0/ifindex": 1, f"{NET}/veth9999/ifindex": 2})
    section = link(machine.reader())
    assert "veth0" in section.items
    assert section.missing["*"] == "too-big"
