"""Whether a change would cut the last way."""

import pytest

from roost_agent.config_apply.network.state import Interface, Route, state
from roost_agent.config_apply.network.ways import cut, way_to

ETH0 = Interface("eth0", is_up=True, addresses=frozenset({"192.0.2.7/24", "2001:db8::7/64"}))
ETH1 = Interface("eth1", is_up=True, addresses=frozenset({"10.0.0.7/8"}))
DEFAULT = Route("0.0.0.0/0", "eth0", "192.0.2.1", protocol=3)
DEFAULT_6 = Route("::/0", "eth0", "fe80::1", metric=1024)
FOUND = state([ETH0, ETH1], [DEFAULT, DEFAULT_6])
CENTRE, PEER = "203.0.113.9", "10.0.0.8"


def without(name, *routes):
    down = Interface(name, is_up=False)
    return state([down if each.name == name else each for each in (ETH0, ETH1)], routes)


@pytest.mark.parametrize(
    ("aimed", "remotes", "said"),
    [
        (without("eth0"), {CENTRE}, "203.0.113.9 is reached over eth0 by 192.0.2.1 now"),
        (state([ETH0, ETH1], []), {CENTRE}, "by nothing then"),
        (state([ETH0, ETH1], []), {CENTRE, PEER}, "203.0.113.9"),  # a peer is not the centre
        (without("eth1"), {PEER}, "10.0.0.8 is reached over eth1 now"),
        (state([ETH0, ETH1], [DEFAULT]), {"2001:db8:9::1"}, "2001:db8:9::1"),
    ],
)
def test_the_last_way_is_not_cut(aimed, remotes, said):
    why = cut(FOUND, aimed, remotes)
    assert "would cut the last path" in why
    assert said in why


@pytest.mark.parametrize(
    ("aimed", "remotes"),
    [
        (FOUND, {CENTRE}),
        (without("eth0"), set()),
        (without("eth1", DEFAULT), {CENTRE, PEER}),
        (without("eth0", Route("0.0.0.0/0", "eth1", "10.0.0.1")), {CENTRE}),
        (state([ETH0, ETH1], [DEFAULT]), {CENTRE, "2001:db8:9::1"}),
    ],
)
def test_another_way_or_nobody_to_reach_is_enough(aimed, remotes):
    assert cut(FOUND, aimed, remotes) == ""


def test_who_was_not_reached_before_cannot_be_cut_off():
    assert cut(without("eth0"), state([], []), {CENTRE}) == ""


def test_the_longest_prefix_is_the_way_then_the_least_metric():
    near = Route("203.0.113.0/24", "eth1", "10.0.0.1", metric=9)
    far = Route("203.0.113.0/24", "eth0", "192.0.2.1", metric=50)
    other = Route("203.0.113.9/32", "eth1", "10.0.0.2", table=9)
    assert way_to(CENTRE, state([ETH0, ETH1], [DEFAULT, far, near, other])) == near
    assert way_to(CENTRE, state([ETH0, ETH1], [DEFAULT])) == DEFAULT
    assert way_to("192.0.2.9", FOUND).interface == "eth0"
