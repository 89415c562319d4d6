"""Interfaces and routes that are well alone and not with each other."""

import pytest

from roost_protocol.profile.check import faults
from roost_protocol.profile.rules import together

BOND = {"mode": "802.3ad", "members": ["eth2", "eth3"]}
ETH0 = {"addresses": ["192.0.2.7/24"]}


def vlan(parent, tag=5, **more):
    return {"vlan": {"parent": parent, "id": tag}, **more}


def bridge(*members, **more):
    return {"bridge": {"members": list(members)}, **more}


def default(via="192.0.2.1", interface="eth0", to="0.0.0.0/0", **more):
    return {"to": to, "via": via, "interface": interface, **more}


@pytest.mark.parametrize(
    ("interfaces", "where", "said"),
    [
        ({"b": {"bond": BOND, "vlan": {"parent": "eth0", "id": 5}}}, "b.bond", "a vlan already"),
        ({"b": {"bond": BOND, "mac": "02:00:5e:00:53:01"}}, "b.mac", "is made"),
        ({"v": {"vlan": {"parent": "eth0"}}}, "v.vlan", "vlan.id as well"),
        ({"v": {"vlan": {"id": 5}}}, "v.vlan", "vlan.parent as well"),
        ({"b": {"bond": {"mode": "802.3ad"}}}, "b.bond", "bond.members as well"),
        ({"b": {"bond": {"members": ["eth2"]}}}, "b.bond", "bond.mode as well"),
        ({"v": vlan("v")}, "v.vlan.parent", "v itself"),
        ({"v": vlan("w"), "w": vlan("eth0")}, "v.vlan.parent", "VLAN on a VLAN"),
        ({"v": vlan("b"), "b": bridge("v")}, "v.vlan.parent", "made of v itself"),
        ({"eth0": {"mtu": 1500}, "v": vlan("eth0", mtu=9000)}, "v.mtu", "which is 1500"),
        ({"b": bridge("eth2"), "c": bridge("eth2")}, "c.bridge.members", "a member of b already"),
        ({"b": bridge("b")}, "b.bridge.members", "of itself"),
        ({"b": bridge("c"), "c": bridge("eth1")}, "b.bridge.members", "c is a bridge"),
        (
            {"b": {"bond": {**BOND, "members": ["v"]}}, "v": vlan("eth0")},
            "b.bond.members",
            "v is a vlan",
        ),
        ({"b": bridge("eth0"), "eth0": ETH0}, "b.bridge.members", "a member has none"),
        ({"v": vlan("eth0"), "w": vlan("eth0")}, "w.vlan.id", "v has it on eth0"),
        ({"eth0": ETH0, "eth1": {"addresses": ["192.0.2.7/32"]}}, "eth1.addresses", "eth0"),
        ({"eth0": {"addresses": ["192.0.2.7/24", "192.0.2.7/25"]}}, "eth0.addresses", "too"),
        (
            {"eth0": ETH0, "eth1": {"addresses": ["192.0.2.200/25"]}},
            "eth1.addresses",
            "one network",
        ),
        (
            {"eth0": {"mac": "02:00:5e:00:53:01"}, "eth1": {"mac": "02:00:5e:00:53:01"}},
            "eth1.mac",
            "eth0",
        ),
    ],
)
def test_interfaces_that_cannot_be_together_are_refused(interfaces, where, said):
    sections = {"network": {"interfaces": interfaces}}
    assert faults(sections) == []
    (fault,) = together(sections)
    assert fault.code == "together"
    assert fault.where == f"network.interfaces.{where}"
    assert said in fault.sentence


@pytest.mark.parametrize(
    ("routes", "where", "said"),
    [
        ({"r": {"via": "192.0.2.1", "interface": "eth0"}}, "r", "r.to as well"),
        ({"r": {"to": "0.0.0.0/0", "via": "192.0.2.1"}}, "r", "r.interface as well"),
        ({"r": default("2001:db8::1")}, "r.via", "IPv6"),
        ({"r": default("192.0.2.7")}, "r.via", "the node itself"),
        ({"r": default("198.51.100.1")}, "r.via", "nobody finds it"),
        ({"r": default(), "s": default("192.0.2.2")}, "s.to", "routes.r leads there"),
        (
            {"r": default(metric=5, table=9), "s": default(interface="eth1", metric=5, table=9)},
            "s.to",
            "same metric and table",
        ),
    ],
)
def test_routes_that_cannot_be_together_are_refused(routes, where, said):
    sections = {"network": {"interfaces": {"eth0": ETH0}, "routes": routes}}
    assert faults(sections) == []
    (fault,) = together(sections)
    assert (fault.code, fault.where) == ("together", f"network.routes.{where}")
    assert said in fault.sentence


@pytest.mark.parametrize(
    "network",
    [
        {"interfaces": {"v": vlan("eth0", mtu=9000)}},
        {"interfaces": {"v": vlan("eth0"), "w": vlan("eth0", 6), "b": bridge("v")}},
        {"interfaces": {"b": {"bond": BOND}, "v": vlan("b"), "c": bridge("v", "eth9")}},
        {"interfaces": {"eth0": ETH0, "eth1": {"addresses": ["192.0.2.8/32", "10.0.0.1/8"]}}},
        {"interfaces": {"eth0": {"addresses": ["192.0.2.7/24", "192.0.2.8/24"]}}},
        {"routes": {"r": default(), "s": default("192.0.2.2", metric=7), "t": default(table=7)}},
        {"routes": {"r": default("fe80::1", to="::/0")}, "interfaces": {"eth0": ETH0}},
    ],
)
def test_those_that_can_are_not(network):
    assert faults({"network": network}) == []
    assert together({"network": network}) == []
