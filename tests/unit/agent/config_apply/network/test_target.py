"""What a network should be, and what this node cannot be."""

import pytest

from roost_agent.config_apply.network.names import RefusedError
from roost_agent.config_apply.network.state import Interface, Route, State, state
from roost_agent.config_apply.network.target import target

MAC = "02:00:5e:00:53:01"
ETH0 = Interface("eth0", mtu=1500, is_up=True, addresses=frozenset({"192.0.2.7/24"}))
ETH1 = Interface("eth1", mtu=1500, permanent_mac=MAC)
DEFAULT = Route("0.0.0.0/0", "eth0", "192.0.2.1", protocol=3)
FOUND = state([ETH0, ETH1], [DEFAULT])
OURS = Interface("v5", "vlan", 1500, True, parent="eth0", tag=5, is_ours=True)
ALIEN = Interface("v6", "vlan", 1500, True, parent="eth0", tag=6)
BOND = Interface("b0", "bond", 1500, True, mode="802.3ad", miimon_ms=100)


def vlan(parent, tag, **more):
    return {"vlan": {"parent": parent, "id": tag}, **more}


def wan(**more):
    return {"wan": {"to": "0.0.0.0/0", "via": "192.0.2.1", "interface": "eth0", **more}}


@pytest.mark.parametrize(
    ("wanted", "found", "said"),
    [
        ({"interfaces": {"eth5": {"mtu": 1500}}}, FOUND, "eth5: there is no such interface"),
        ({"interfaces": {"v": vlan("eth5", 1)}}, FOUND, "there is no eth5; there is eth0, eth1, v"),
        ({"interfaces": {"b": {"bridge": {"members": ["eth5"]}}}}, FOUND, "there is no eth5"),
        ({"interfaces": {"up": {"mac": "02:00:5e:00:53:09"}}}, FOUND, "no interface with"),
        (
            {"interfaces": {"up": {"mac": MAC}, "eth1": {"mtu": 1500}}},
            FOUND,
            "up.mac: eth1 is named twice",
        ),
        ({"interfaces": {"v6": vlan("eth0", 7)}}, state([ETH0, ALIEN], []), "not roost's"),
        ({"interfaces": {"eth1": vlan("eth0", 7)}}, FOUND, "not roost's"),
        (
            {"interfaces": {"v5": {"bridge": {"members": ["eth1"]}}}},
            state([ETH0, ETH1, OURS, Interface("v7", "vlan", 1500, parent="v5", tag=7)], []),
            "v7 is on it",
        ),
        (
            {"interfaces": {"v": vlan("eth0", 7, mtu=9000)}},
            FOUND,
            "v.mtu: 9000 bytes, and eth0 has 1500",
        ),
        (
            {
                "interfaces": {
                    "c0": {"bond": {"mode": "802.3ad", "members": ["eth1"]}},
                    "v": vlan("c0", 7, mtu=9000),
                }
            },
            FOUND,
            "v.mtu: 9000 bytes, and c0 has 1500",
        ),
        (
            {"interfaces": {"c0": {"bridge": {"members": ["eth1"]}}}},
            state([ETH0, BOND, Interface("eth1", mtu=1500, master="b0")], []),
            "eth1 is a member of b0 already",
        ),
        (
            {"interfaces": {"c0": {"bridge": {"members": ["eth0"]}}}},
            state([ETH0, ALIEN], []),
            "eth0 cannot be a member: v6 is on it",
        ),
        ({"routes": wan(interface="eth5")}, FOUND, "wan: there is no interface eth5"),
        ({"routes": wan(via="198.51.100.1")}, FOUND, "198.51.100.1 is in no network of eth0"),
        (
            {"routes": wan()},
            State(FOUND.interfaces, {}, frozenset({DEFAULT.key})),
            "several next hops",
        ),
    ],
)
def test_what_a_node_cannot_be_is_refused_with_the_setting_and_what_is_in_its_way(
    wanted, found, said
):
    with pytest.raises(RefusedError) as refused:
        target(wanted, found)
    assert said in str(refused.value)


def test_nothing_wanted_is_the_network_as_it_is():
    assert target({}, FOUND) == FOUND


def test_routes_and_vlans_follow_an_interface_that_is_found_by_its_mac():
    wanted = {
        "interfaces": {"up": {"mac": MAC, "addresses": ["10.0.0.1/8"]}, "v": vlan("up", 9)},
        "routes": {"lab": {"to": "198.51.100.0/24", "via": "10.0.0.2", "interface": "up"}},
    }
    aimed = target(wanted, FOUND)
    assert aimed.interfaces["eth1"].addresses == {"10.0.0.1/8"}
    assert aimed.interfaces["v"].parent == "eth1"
    assert Route("198.51.100.0/24", "eth1", "10.0.0.2") in aimed.routes.values()


def test_addresses_that_are_listed_are_all_and_without_a_list_they_stay():
    assert target({"interfaces": {"eth0": {"mtu": 9000}}}, FOUND).interfaces["eth0"].addresses == {
        "192.0.2.7/24"
    }
    empty = target({"interfaces": {"eth0": {"addresses": []}}}, FOUND)
    assert empty.interfaces["eth0"].addresses == frozenset()
    assert empty.routes == {}  # its gateway is in no network any more


def test_a_vlan_of_somebody_elses_that_is_as_it_should_be_stays_somebody_elses():
    aimed = target({"interfaces": {"v6": vlan("eth0", 6)}}, state([ETH0, ALIEN], []))
    assert not aimed.interfaces["v6"].is_ours
    assert target({}, aimed).interfaces["v6"] == aimed.interfaces["v6"]


def test_a_default_route_that_is_as_it_should_be_stays_whose_it_is():
    """Else it would go with the profile, and the node with it."""
    assert target({"routes": wan()}, FOUND).routes == {DEFAULT.key: DEFAULT}


def test_a_vlan_of_ours_stays_as_long_as_somebody_elses_is_on_it():
    above = Interface("v7", "vlan", 1500, True, parent="v5", tag=7)
    found = state([ETH0, OURS, above], [])
    assert target({}, found) == found
    assert set(target({}, state([ETH0, OURS], [])).interfaces) == {"eth0"}


def test_an_interface_that_no_profile_names_any_more_is_as_before_the_first_one():
    named = {"interfaces": {"eth0": {"addresses": ["10.0.0.9/8"], "mtu": 9000}}}
    there = target(named, FOUND)
    back = target({}, there, {"eth0": ETH0})
    assert back.interfaces["eth0"] == ETH0
    assert target(named, there, {"eth0": ETH0}) == there


def test_a_member_of_somebody_elses_bond_stays_one_when_no_profile_names_it_any_more():
    member = Interface("eth1", mtu=1500, is_up=True, master="b0")
    found = state([ETH0, BOND, member], [])
    assert target({}, found, {"eth1": member}) == found


def test_a_parents_size_bounds_the_vlans_that_are_on_it():
    found = state([Interface("eth0", mtu=9000, is_up=True), ALIEN], [])
    big = state([found.interfaces["eth0"], Interface("v6", "vlan", 9000, parent="eth0", tag=6)], [])
    aimed = target({"interfaces": {"eth0": {"mtu": 1500}}}, big)
    assert aimed.interfaces["v6"].mtu == 1500
