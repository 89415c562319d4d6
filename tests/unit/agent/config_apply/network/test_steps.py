"""What the kernel makes of a step, as far as a plan must know."""

from roost_agent.config_apply.network.state import Interface, Route, state
from roost_agent.config_apply.network.steps import (
    AddAddress,
    Make,
    RemoveAddress,
    SetMaster,
    SetMiimon,
    SetMtu,
    SetUp,
    Unmake,
    after,
)

ETH0 = Interface(
    "eth0",
    mtu=9000,
    is_up=True,
    addresses=frozenset({"192.0.2.7/24", "192.0.2.8/24", "2001:db8::7/64"}),
    leased=frozenset({"2001:db8:9::7/64"}),
)
V5 = Interface("v5", "vlan", 9000, True, frozenset({"10.0.0.7/8"}), parent="eth0", tag=5)
WAN, LAB = Route("0.0.0.0/0", "eth0", "192.0.2.1"), Route("198.51.100.0/24", "v5", "10.0.0.1")
WAN_6 = Route("::/0", "eth0", "fe80::1", metric=1024)
FOUND = state([ETH0, V5, Interface("eth1", mtu=1500)], [WAN, LAB, WAN_6])


def test_an_interface_that_goes_down_loses_routes_and_ipv6_and_takes_its_vlans_along():
    there = after(FOUND, SetUp("eth0", is_up=False))
    assert there.interfaces["eth0"].addresses == {"192.0.2.7/24", "192.0.2.8/24"}
    assert there.interfaces["eth0"].leased == frozenset()
    assert not there.interfaces["v5"].is_up
    assert there.interfaces["v5"].addresses == {"10.0.0.7/8"}
    assert there.routes == {}
    assert after(there, SetUp("eth0", is_up=True)).interfaces["v5"].is_up


def test_with_the_first_address_of_a_network_the_others_go_and_with_the_last_the_routes():
    there = after(FOUND, RemoveAddress("eth0", "192.0.2.7/24"))
    assert there.interfaces["eth0"].addresses == {"2001:db8::7/64"}
    assert set(there.routes) == {LAB.key, WAN_6.key}
    assert after(FOUND, RemoveAddress("eth0", "2001:db8::7/64")).routes == FOUND.routes


def test_a_leased_address_that_is_given_is_lasting():
    there = after(FOUND, AddAddress("eth0", "2001:db8:9::7/64")).interfaces["eth0"]
    assert "2001:db8:9::7/64" in there.addresses
    assert there.leased == frozenset()


def test_what_is_made_is_down_and_has_its_parents_size():
    there = after(FOUND, Make(Interface("v6", "vlan", None, True, parent="eth0", tag=6)))
    assert there.interfaces["v6"] == Interface("v6", "vlan", 9000, parent="eth0", tag=6)
    bond = Make(Interface("b0", "bond", 9000, True, frozenset({"10.1.0.1/16"}), is_ours=True))
    assert after(FOUND, bond).interfaces["b0"] == Interface("b0", "bond", 1500, is_ours=True)


def test_what_is_unmade_takes_along_what_is_on_it_and_lets_its_members_down():
    found = state([Interface("b0", "bond", 1500), Interface("eth1", mtu=1500, is_up=True,
                   master="b0"), Interface("v7", "vlan", parent="b0")], [])  # fmt: skip
    there = after(found, Unmake("b0"))
    assert there.interfaces == {"eth1": Interface("eth1", mtu=1500)}


def test_a_member_of_a_bond_is_up_and_has_its_size_and_is_down_when_it_leaves():
    found = after(FOUND, Make(Interface("b0", "bond", mode="802.3ad")))
    there = after(after(found, SetMaster("eth1", "b0")), SetMtu("b0", 9000))
    assert there.interfaces["eth1"] == Interface("eth1", mtu=9000, is_up=True, master="b0")
    assert not after(there, SetMaster("eth1", "")).interfaces["eth1"].is_up
    assert after(there, SetMiimon("b0", 50)).interfaces["b0"].miimon_ms == 50


def test_a_vlan_is_cut_to_its_parents_size():
    there = after(FOUND, SetMtu("eth0", 1500))
    assert there.interfaces["v5"].mtu == 1500
    assert after(there, SetMtu("eth0", 9000)).interfaces["v5"].mtu == 1500
