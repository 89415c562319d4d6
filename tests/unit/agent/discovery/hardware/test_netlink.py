"""Decoding on messages that are encoded here: bonds and VLANs need modules a kernel may lack."""

import pytest
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from roost_agent.discovery import netlink


def received(*attributes):
    """Return RTM_NEWLINK as it is after its way over a socket."""
    sent = ifinfmsg()
    sent["index"] = 7
    sent["attrs"] = [list(attribute) for attribute in attributes]
    sent.encode()
    message = ifinfmsg(sent.data)
    message.decode()
    return message


def info(kind, *details):
    attributes = [["IFLA_INFO_KIND", kind]]
    if details:
        attributes.append(["IFLA_INFO_DATA", {"attrs": [list(detail) for detail in details]}])
    return "IFLA_LINKINFO", {"attrs": attributes}


def test_a_vlan_is_read_with_the_interface_it_rides_on():
    link = netlink.link_of(received(("IFLA_LINK", 3), info("vlan", ("IFLA_VLAN_ID", 12))))
    assert (link.kind, link.vlan_id, link.lower, link.index) == ("vlan", 12, 3, 7)


@pytest.mark.parametrize(("mode", "name"), [(1, "active-backup"), (4, "802.3ad"), (99, None)])
def test_a_bond_is_read_with_the_name_of_its_mode(mode, name):
    link = netlink.link_of(received(info("bond", ("IFLA_BOND_MODE", mode))))
    assert (link.kind, link.bond_mode, link.lacp_partner) == ("bond", name, None)


def test_the_burnt_in_address_is_not_the_one_in_use():
    burnt_in = "\x02\0\0\0\0\x02"  # pyroute2 writes this attribute raw and reads it as hex
    message = received(("IFLA_ADDRESS", "02:00:00:00:00:01"), ("IFLA_PERM_ADDRESS", burnt_in))
    link = netlink.link_of(message)
    assert link.permanent_mac == "02:00:00:00:00:02"


def test_a_plain_device_has_no_kind_and_no_other_names():
    link = netlink.link_of(received(("IFLA_IFNAME", "eth0")))
    assert (link.kind, link.altnames, link.is_peer_elsewhere) == (None, [], False)


def test_a_dump_that_the_kernel_refuses_is_a_reason_and_no_exception():
    from pyroute2 import NetlinkError  # noqa: PLC0415 - as the module itself does

    def refuse(_ip):
        raise NetlinkError(1, "not permitted")

    def fail(_ip):
        raise ConnectionResetError

    assert netlink._dump(refuse) == netlink.Missing("denied")
    assert netlink._dump(fail) == netlink.Missing("io-error")


def test_the_running_kernel_tells_its_loopback():
    links = netlink.links()
    assert isinstance(links, dict)
    assert links["lo"].permanent_mac is None
    assert "127.0.0.1/8" in netlink.addresses()[links["lo"].index]
