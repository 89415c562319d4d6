"""Interfaces and routes that a profile may name."""

import pytest

from roost_protocol.profile.check import faults, mark_of
from roost_protocol.profile.field import Mark
from roost_protocol.profile.network import FUNCTIONS_MAX, INTERFACES_MAX, MEMBERS_MAX, ROUTES_MAX
from roost_protocol.profile.rules import together

WHOLE = {
    "sriov": {"vfs": {"0000:3b:00.0": 8, "eth5": 0}, "drift": "reapply"},
    "network": {
        "interfaces": {
            "uplink": {"mac": "02:00:5e:00:53:01", "mtu": 9000},
            "bond0": {
                "bond": {"mode": "802.3ad", "members": ["eth2", "eth3"], "miimon_ms": 100},
                "addresses": ["192.0.2.7/24", "2001:db8::7/64"],
            },
            "bond0.100": {"vlan": {"parent": "bond0", "id": 100}, "addresses": ["10.1.0.7/16"]},
            "br0": {"bridge": {"members": ["uplink"]}, "addresses": []},
        },
        "routes": {
            "wan": {"to": "0.0.0.0/0", "via": "192.0.2.1", "interface": "bond0", "metric": 100},
            "wan-6": {"to": "::/0", "via": "fe80::1", "interface": "bond0", "table": 254},
            "link": {"to": "198.51.100.0/24", "interface": "bond0.100"},
        },
        "drift": "report",
    },
}


def interfaces(**given):
    return {"network": {"interfaces": given}}


def test_settings_within_the_schema_have_no_fault():
    assert faults(WHOLE) == []
    assert together(WHOLE) == []


def test_virtual_functions_end_those_that_there_are():
    assert mark_of(("sriov", "vfs", "0000:3b:00.0")) is Mark.RESTART
    assert mark_of(("network", "interfaces", "eth0", "mtu")) is Mark.LIVE


@pytest.mark.parametrize(
    ("sections", "code", "bound"),
    [
        (interfaces(lo={"mtu": 1500}), "field", "eth0"),
        (interfaces(all={"mtu": 1500}), "field", "eth0"),
        (interfaces(**{"-x": {"mtu": 1500}}), "field", "eth0"),
        (interfaces(**{"..": {"mtu": 1500}}), "field", "eth0"),
        (interfaces(**{"a/b": {"mtu": 1500}}), "field", "eth0"),
        (interfaces(**{"a" * 16: {"mtu": 1500}}), "field", "eth0"),
        (interfaces(**{"eth0\n": {"mtu": 1500}}), "field", "eth0"),
        (interfaces(eth0={"mtu": 1279}), "value", "1280 to 9216"),
        (interfaces(eth0={"dhcp": True}), "field", "addresses"),
        (interfaces(eth0={"mac": "02:00:5E:00:53:01"}), "value", "MAC"),
        (interfaces(eth0={"addresses": ["192.0.2.7"]}), "value", "prefix"),
        (interfaces(eth0={"addresses": [f"10.0.0.{n}/8" for n in range(1, 18)]}), "value", "16"),
        (interfaces(v={"vlan": {"parent": "lo", "id": 5}}), "value", "interface"),
        (interfaces(v={"vlan": {"parent": "eth0", "id": 4095}}), "value", "4094"),
        (interfaces(b={"bond": {"mode": "6", "members": ["eth0"]}}), "value", "802.3ad"),
        (interfaces(b={"bridge": {"members": []}}), "value", f"1 to {MEMBERS_MAX}"),
        (
            interfaces(**{f"e{n}": {"mtu": 1500} for n in range(INTERFACES_MAX + 1)}),
            "value",
            f"at most {INTERFACES_MAX}",
        ),
        (
            {"network": {"routes": {f"r{n}": {} for n in range(ROUTES_MAX + 1)}}},
            "value",
            f"at most {ROUTES_MAX}",
        ),
        ({"network": {"routes": {"r": {"to": "10.0.0.1/8"}}}}, "value", "network"),
        ({"network": {"routes": {"r": {"table": 255}}}}, "value", "1 to 254"),
        ({"network": {"routes": {"r": {"metric": 0}}}}, "value", "1 to 65535"),
        ({"sriov": {"vfs": {"3b:00.0": 1}}}, "field", "0000:3b:00.0"),
        ({"sriov": {"vfs": {"0000:3b:00.0": 1025}}}, "value", "1024 functions"),
        (
            {"sriov": {"vfs": {f"e{n}": 1 for n in range(FUNCTIONS_MAX + 1)}}},
            "value",
            f"at most {FUNCTIONS_MAX}",
        ),
    ],
)
def test_anything_else_is_refused_with_its_bound(sections, code, bound):
    (fault,) = faults(sections)
    assert fault.code == code
    assert bound in fault.bound
