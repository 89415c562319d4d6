import pytest
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from roost_agent.discovery import netlink
from roost_agent.discovery.sriov import sriov

PF = "0000:45:00.0"
VF = "0000:45:10.0"


@pytest.fixture
def ported(machine):
    """A physical function with one VF, which has an interface."""
    place = machine.pci(
        PF,
        sriov_totalvfs=7,
        sriov_numvfs=1,
        sriov_offset=128,
        sriov_stride=4,
        sriov_vf_device="1520",
        sriov_drivers_autoprobe=0,
    )
    machine.link(f"{place}/virtfn0", f"sys/devices/pci0000:00/{VF}")
    machine.driver(machine.pci(VF), "igbvf")
    machine.plant({f"sys/bus/pci/devices/{VF}/net/eth9/ifindex": 9})
    return machine


def test_a_physical_function_tells_how_many_vfs_it_has_and_could_have(ported):
    assert sriov(ported.reader()).items[PF] == {
        "total_vfs": 7,
        "num_vfs": 1,
        "offset": 128,
        "stride": 4,
        "vf_device": "1520",
        "autoprobe": False,
    }


def test_a_vf_names_its_physical_function_driver_and_interface(ported):
    section = sriov(ported.reader())
    vf = section.items[VF]
    assert (vf["pf"], vf["index"], vf["driver"], vf["netdev"]) == (PF, 0, "igbvf", "eth9")
    assert section.missing[f"{VF}.trust"] == "absent"  # the kernel of that tree is not running


def test_functions_that_cannot_have_vfs_are_left_out(machine):
    machine.pci("0000:00:01.0", sriov_totalvfs=0)
    machine.pci("0000:00:02.0")
    assert sriov(machine.reader()).missing == {"*": "absent"}


def test_a_vf_link_that_leads_nowhere_leaves_the_physical_function(ported):
    ported.at(f"sys/devices/pci0000:00/{PF}/virtfn1").symlink_to("virtfn1")
    ported.fifo(f"sys/devices/pci0000:00/{PF}/virtfn2")
    section = sriov(ported.reader())
    assert section.items[PF]["num_vfs"] == 1
    assert section.items[VF]["pf"] == PF


def message_of(*vfs):
    """Encode RTM_NEWLINK with these VFs and decode it again, as from the kernel."""
    infos = [["IFLA_VF_INFO", {"attrs": attributes}] for attributes in vfs]
    sent = ifinfmsg()
    sent["attrs"] = [["IFLA_IFNAME", "eth0"], ["IFLA_VFINFO_LIST", {"attrs": infos}]]
    sent.encode()
    received = ifinfmsg(sent.data)
    received.decode()
    return received


def test_the_rules_of_each_vf_are_read_from_the_routing_socket():
    rules = netlink.vf_rules_of(
        message_of(
            [
                ["IFLA_VF_MAC", {"vf": 1, "mac": "02:00:00:00:00:05"}],
                ["IFLA_VF_VLAN", {"vf": 1, "vlan": 12, "qos": 0}],
                ["IFLA_VF_SPOOFCHK", {"vf": 1, "spoofchk": 1}],
                ["IFLA_VF_TRUST", {"vf": 1, "trust": 0}],
                ["IFLA_VF_RATE", {"vf": 1, "min_tx_rate": 0, "max_tx_rate": 500}],
                ["IFLA_VF_LINK_STATE", {"vf": 1, "link_state": 2}],
            ]
        )
    )
    assert rules == {
        1: {
            "mac": "02:00:00:00:00:05",
            "vlan": 12,
            "spoofchk": True,
            "trust": False,
            "max_tx_mbps": 500,
            "link_state": "disable",
        }
    }


def test_a_rule_that_the_driver_does_not_know_is_missing_and_not_true():
    mac = ["IFLA_VF_MAC", {"vf": 0, "mac": "02:00:00:00:00:05"}]
    trust = ["IFLA_VF_TRUST", {"vf": 0, "trust": 0xFFFFFFFF}]
    rules = netlink.vf_rules_of(message_of([mac, trust]))
    assert rules[0]["trust"] == netlink.Missing("unsupported")
    assert rules[0]["vlan"] == netlink.Missing("absent")
