"""What a network is made of."""

import pytest

from roost_agent.config_apply.network.state import Interface, Route, above, passes

ETH0 = Interface("eth0", is_up=True, addresses=frozenset({"192.0.2.7/24"}))
OVER = {"to": "198.51.100.0/24", "interface": "eth0"}


@pytest.mark.parametrize(
    ("via", "eth0", "is_usable"),
    [
        ("192.0.2.1", ETH0, True),
        ("", ETH0, True),
        ("198.51.100.1", ETH0, False),
        ("fe80::1", ETH0, True),
        ("192.0.2.1", Interface("eth0", addresses=ETH0.addresses), False),
        ("192.0.2.1", Interface("eth0", is_up=True, leased=ETH0.addresses), True),
        ("", Interface("eth0", is_up=True, master="b0"), False),
    ],
)
def test_a_route_needs_an_interface_that_is_up_and_a_gateway_in_its_networks(via, eth0, is_usable):
    assert passes(Route(via=via, **OVER), {"eth0": eth0}) is is_usable
    assert not passes(Route(via=via, **OVER), {})


def test_what_is_built_on_an_interface_is_found_over_any_number_of_others():
    there = {
        "eth0": Interface("eth0", master="b0"),
        "eth1": Interface("eth1"),
        "b0": Interface("b0", "bond"),
        "v5": Interface("v5", "vlan", parent="b0", master="br0"),
        "br0": Interface("br0", "bridge"),
    }
    assert above(["eth0"], there) == {"eth0", "b0", "v5", "br0"}
    assert above(["eth1"], there) == {"eth1"}


def test_a_route_is_known_by_where_it_leads_its_metric_and_its_table():
    one = Route("0.0.0.0/0", "eth0", "192.0.2.1", metric=5)
    assert one.key == Route("0.0.0.0/0", "eth1", "10.0.0.1", metric=5, protocol=3).key
    assert one.key != Route("0.0.0.0/0", "eth0", "192.0.2.1").key
    assert one.is_ours
    assert not Route("0.0.0.0/0", "eth0", protocol=3).is_ours
