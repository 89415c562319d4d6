"""Interfaces and virtual functions that a machine has not."""

import pytest

from roost_central.profiles.possible import impossible, machine_of
from roost_central.profiles.possible_network import Ports, impossible_network, needs_ports, ports_of

MAC = "02:00:5e:00:53:01"
PORTS = Ports(
    frozenset({"eth0", "eth1", "bond7"}), frozenset({MAC}), {"0000:3b:00.0": 8, "eth1": 8}
)
INVENTORY = {
    "nic": {
        "a": {
            "ifname": "eth0",
            "altnames": ["enp1s0"],
            "permanent_mac": MAC,
            "pci": "0000:01:00.0",
        },
        "b": {"ifname": "eth1", "permanent_mac": None, "pci": "0000:3b:00.0"},
    },
    "link": {"bond7": {}, "eth0": {}},
    "sriov": {"0000:3b:00.0": {"total_vfs": 8}, "0000:3b:02.0": {"pf": "0000:3b:00.0"}},
}


def network(routes=None, **interfaces):
    return {"network": {"interfaces": interfaces, "routes": routes or {}}}


@pytest.mark.parametrize(
    ("sections", "where", "said"),
    [
        (network(eth5={"mtu": 1500}), "network.interfaces.eth5", "bond7, eth0, eth1"),
        (network(v={"vlan": {"parent": "eth5", "id": 1}}), "network.interfaces.v.vlan", "eth5"),
        (network(b={"bond": {"members": ["eth0", "eth5"]}}), "network.interfaces.b.bond", "eth5"),
        (network({"r": {"interface": "eth5"}}), "network.routes.r.interface", "eth5"),
        (
            network(up={"mac": "02:00:5e:00:53:09"}),
            "network.interfaces.up.mac",
            "02:00:5e:00:53:09 burnt in",
        ),
        ({"sriov": {"vfs": {"eth1": 9}}}, "sriov.vfs.eth1", "can have 8"),
        ({"sriov": {"vfs": {"eth0": 1}}}, "sriov.vfs.eth0", "can have 0"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(sections, where, said):
    (fault,) = impossible_network(sections, PORTS)
    assert (fault.where, fault.code) == (where, "impossible")
    assert said in fault.bound
    assert needs_ports(sections)


@pytest.mark.parametrize(
    "sections",
    [
        {},
        network(v={"vlan": {"parent": "up", "id": 1}}, up={"mac": MAC}),
        network({"r": {"interface": "v"}}, v={"vlan": {"parent": "eth0", "id": 1}}),
        {"sriov": {"vfs": {"0000:3b:00.0": 8}}, **network(eth1v0={"mtu": 1500})},
        {"sriov": {"vfs": {"0000:5e:00.0": 0}}},
    ],
)
def test_what_is_there_or_will_be_is_not(sections):
    assert list(impossible_network(sections, PORTS)) == []


def test_what_is_not_known_is_not_guessed():
    wrong = {"sriov": {"vfs": {"eth5": 9}}, **network(eth5={"mac": "02:00:5e:00:53:09"})}
    assert list(impossible_network(wrong, Ports())) == []


def test_interfaces_are_read_from_the_inventory():
    assert ports_of(INVENTORY) == Ports(
        frozenset({"eth0", "enp1s0", "eth1", "bond7"}),
        frozenset({MAC}),
        {"0000:3b:00.0": 8, "eth1": 8},
    )
    assert ports_of({}) == Ports()
    assert not needs_ports({"dns": {"attempts": 1}})


def test_a_document_is_asked_of_its_interfaces_with_all_else():
    (fault,) = impossible(network(eth5={"mtu": 1500}), machine_of(INVENTORY))
    assert fault.where == "network.interfaces.eth5"
