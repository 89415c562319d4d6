"""What the kernel says of interfaces is what psutil reads otherwise."""

import socket

import psutil

from roost_agent.ha.interfaces import has_carrier, interfaces

FAMILIES = {socket.AF_INET, socket.AF_INET6}


def test_every_address_has_the_interface_that_psutil_knows_too():
    told = {
        each.address.partition("%")[0]: name
        for name, many in psutil.net_if_addrs().items()
        for each in many
        if each.family in FAMILIES
    }
    assert "127.0.0.1" in told
    assert interfaces() == told


def test_an_interface_that_runs_has_a_carrier_and_an_address_of_nobody_has_none():
    assert has_carrier(["192.0.2.9", "127.0.0.1"])
    assert not has_carrier(["192.0.2.9"])
    assert not has_carrier([])
