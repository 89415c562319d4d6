"""From a network as it is to one as it should be, and back, whatever the two are."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from networks import networks, sections

from roost_agent.config_apply.network.difference import difference, ends, toward
from roost_agent.config_apply.network.names import RefusedError
from roost_agent.config_apply.network.state import Interface, Route, State, passes, state
from roost_agent.config_apply.network.steps import (
    AddAddress,
    Make,
    PutRoute,
    RemoveRoute,
    SetMaster,
    SetMtu,
    SetUp,
    Unmake,
    after,
)
from roost_agent.config_apply.network.target import target

ETH0 = Interface("eth0", mtu=1500, is_up=True, addresses=frozenset({"192.0.2.7/24"}))
ETH1 = Interface("eth1", mtu=1500)
DEFAULT = Route("0.0.0.0/0", "eth0", "192.0.2.1", protocol=3)
FOUND = state([ETH0, ETH1], [DEFAULT])


def plan(wanted, found):
    return difference(found, target(wanted, found))


def undo(before, aimed, now):
    whole = toward(before, aimed, now)
    assert toward(*ends(before, aimed), now) == whole  # a journal holds what is concerned alone
    return whole


def done(found, steps):
    for step in steps:
        check_allowed(found, step)
        found = after(found, step)
    return found


def check_allowed(now, step):
    """What the kernel would refuse."""
    match step:
        case Make(interface):
            assert interface.name not in now.interfaces
            assert not interface.parent or interface.parent in now.interfaces
        case SetMaster(name, master):
            assert not master or not now.interfaces[name].master
            if master and now.interfaces[master].kind == "bond":
                assert not now.interfaces[name].is_up
        case SetMtu(name, mtu):
            parent = now.interfaces.get(now.interfaces[name].parent)
            assert parent is None or mtu <= parent.mtu
        case SetUp(name, True):
            parent = now.interfaces.get(now.interfaces[name].parent)
            assert parent is None or parent.is_up
        case PutRoute(route):
            assert passes(route, now.interfaces)
        case AddAddress(name, address):
            assert ":" not in address or now.interfaces[name].is_up
        case Unmake(name):
            assert now.interfaces[name].kind != "device"


def sized(aimed, there):
    """What is aimed at, with the sizes that were left open as they came."""
    interfaces = {
        name: replace(each, mtu=there.interfaces[name].mtu if each.mtu is None else each.mtu)
        for name, each in aimed.interfaces.items()
    }
    return State(interfaces, aimed.routes, aimed.several)


def aimed_at(wanted, found):
    try:
        return target(wanted, found)
    except RefusedError:
        assume(False)


@settings(deadline=None, max_examples=80)
@given(networks(), sections())
def test_all_steps_make_it_what_is_wanted_and_then_there_are_none(found, wanted):
    aimed = aimed_at(wanted, found)
    there = done(found, plan(wanted, found))
    assert there == sized(aimed, there)
    assert plan(wanted, there) == ()


@settings(deadline=None, max_examples=80)
@given(networks(), sections())
def test_from_wherever_it_stopped_the_way_back_ends_where_it_began(found, wanted):
    aimed = aimed_at(wanted, found)
    now = found
    for step in plan(wanted, found):
        now = after(now, step)
        assert done(now, undo(found, aimed, now)) == found


@settings(deadline=None, max_examples=80)
@given(networks(), sections())
def test_what_is_not_named_is_as_it_was(found, wanted):
    there = done(found, plan(wanted, found)) if aimed_at(wanted, found) else found
    named = {*wanted["interfaces"]}
    for given_ in wanted["interfaces"].values():
        for kind in ("vlan", "bond", "bridge"):
            named |= {
                given_.get(kind, {}).get("parent", ""),
                *given_.get(kind, {}).get("members", []),
            }
    for name, old in found.interfaces.items():
        is_part = old.master in named or old.parent in named or old.is_ours
        owner = found.interfaces.get(old.master)
        if name not in named and not is_part and not (owner and owner.is_ours):
            assert there.interfaces[name] == old


def test_a_route_comes_after_the_address_that_its_gateway_needs():
    wanted = {
        "interfaces": {"eth1": {"addresses": ["198.51.100.7/24"]}},
        "routes": {"lab": {"to": "10.0.0.0/8", "via": "198.51.100.1", "interface": "eth1"}},
    }
    lab = Route("10.0.0.0/8", "eth1", "198.51.100.1")
    assert plan(wanted, FOUND) == (
        SetUp("eth1", is_up=True),
        AddAddress("eth1", "198.51.100.7/24"),
        PutRoute(lab),
    )


def test_an_address_that_moves_to_a_bond_takes_its_routes_along():
    wanted = {
        "interfaces": {
            "bond0": {
                "bond": {"mode": "active-backup", "members": ["eth0", "eth1"]},
                "addresses": ["192.0.2.7/24"],
            }
        },
        "routes": {"wan": {"to": "0.0.0.0/0", "via": "192.0.2.1", "interface": "bond0"}},
    }
    there = done(FOUND, plan(wanted, FOUND))
    assert there.interfaces["eth0"].master == there.interfaces["eth1"].master == "bond0"
    assert there.interfaces["eth0"].addresses == frozenset()
    assert there.routes == {DEFAULT.key: Route("0.0.0.0/0", "bond0", "192.0.2.1")}
    assert done(there, undo(FOUND, target(wanted, FOUND), there)) == FOUND


def test_a_vlan_that_is_not_wanted_any_more_goes_with_what_was_on_it():
    found = done(FOUND, plan({"interfaces": {"v5": {"vlan": {"parent": "eth0", "id": 5}}}}, FOUND))
    assert found.interfaces["v5"].is_ours
    assert plan({}, found) == (Unmake("v5"),)


def test_a_route_of_ours_that_is_not_wanted_any_more_goes():
    ours = Route("10.0.0.0/8", "eth0", "192.0.2.1")
    found = state([ETH0], [DEFAULT, ours])
    assert plan({}, found) == (RemoveRoute(ours),)


def test_what_others_did_meanwhile_elsewhere_stays_when_it_is_undone():
    wanted = {"interfaces": {"eth1": {"addresses": ["198.51.100.7/24"]}}}
    aimed = target(wanted, FOUND)
    now = done(FOUND, plan(wanted, FOUND))
    now = after(now, AddAddress("eth0", "192.0.2.8/24"))
    back = done(now, undo(FOUND, aimed, now))
    assert back.interfaces["eth0"].addresses == {"192.0.2.7/24", "192.0.2.8/24"}
    assert back.interfaces["eth1"] == ETH1


def test_a_card_that_was_pulled_meanwhile_is_not_made():
    wanted = {"interfaces": {"eth1": {"addresses": ["198.51.100.7/24"]}}}
    aimed = target(wanted, FOUND)
    assert undo(FOUND, aimed, state([ETH0], [DEFAULT])) == ()


def test_a_switch_that_somebody_else_has_not_made_yet_is_no_obstacle():
    """After a power cut the journal is undone before Open vSwitch, a team or a VRF is there."""
    switch = Interface("ovs0", mtu=1500, is_up=True)
    before = state([switch, replace(ETH1, master="ovs0")], [])
    aimed = state([switch, replace(ETH1, master="ovs0", mtu=9000)], [])
    assert undo(before, aimed, state([replace(ETH1, mtu=9000)], [])) == (SetMtu("eth1", 1500),)
    assert undo(before, aimed, aimed) == (SetMtu("eth1", 1500),)


@pytest.mark.parametrize("name", ["eth0", "eth1"])
def test_no_difference_no_step(name):
    assert difference(FOUND, FOUND) == ()
    assert plan({"interfaces": {"eth0": {"mtu": 1500}}}, FOUND) == ()
