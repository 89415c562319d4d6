"""Addresses, networks and gateways that a profile may name."""

import pytest

from roost_protocol.profile.addresses import Destination, Gateway, HostAddress


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            HostAddress(),
            ["192.0.2.7/24", "192.0.2.0/31", "192.0.2.1/32", "2001:db8::1/64", "2001:db8::/64"],
            [
                "192.0.2.7",
                "192.0.2.7/",
                "192.0.2.7/33",
                "192.0.2.7/255.255.255.0",
                "192.0.2.0/24",
                "192.0.2.255/24",
                "127.0.0.2/8",
                "0.0.0.0/0",
                "224.0.0.1/4",
                "250.0.0.1/8",
                "169.254.1.1/16",
                "fe80::1/64",
                "::1/128",
                "ff02::1/64",
                "2001:db8::1%eth0/64",
                "192.0.2.7/24 ",
                "192.0.2.7/2\u0664",
                "1" * 44,
                7,
                ["192.0.2.7/24"],
            ],
        ),
        (
            Destination(),
            ["0.0.0.0/0", "::/0", "198.51.100.0/24", "2001:db8::/32", "192.0.2.1/32"],
            ["198.51.100.1/24", "default", "127.0.0.0/8", "ff00::/8", "fe80::/10", "x", 1],
        ),
        (
            Gateway(),
            ["192.0.2.1", "2001:db8::1", "fe80::1"],
            ["192.0.2.1/24", "169.254.0.1", "0.0.0.0/0", "::1", "fe80::1%eth0", "gw", None],
        ),
    ],
)
def test_a_kind_holds_what_it_says_and_nothing_else(kind, good, bad):
    assert [each for each in good if not kind.holds(each)] == []
    assert [each for each in bad if kind.holds(each)] == []
    assert kind.bound
