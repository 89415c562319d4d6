"""The kernel's own network: read, changed and changed back inside a network namespace.

What the kernel makes of each step is asked here, which the drawn networks only suppose. A kernel
without bonds or VLANs skips those, with the reason.
"""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.netns
SCENE = """
ip link add name e0 type veth peer name p0
ip link add name e1 type veth peer name p1
for each in lo p0 p1 e0; do ip link set $each up; done
ip addr add 192.0.2.7/24 brd + dev e0
ip addr add 192.0.2.8/24 brd + dev e0
ip -6 addr add 2001:db8::7/64 dev e0 nodad
ip route add default via 192.0.2.1
ip route add 203.0.113.0/24 via 192.0.2.10 proto 16 metric 7
ip -6 route add default via 2001:db8::1
"""
ADDRESSES = ["192.0.2.8/24", "192.0.2.9/24", "198.51.100.7/24"]
PROGRAM = """
import json, subprocess, sys
from roost_agent.config_apply.network import kernel
from roost_agent.config_apply.network.difference import difference, ends
from roost_agent.config_apply.network.state import state
from roost_agent.config_apply.network.target import target
def told():
    words = ("ip", "-4", "-j", "addr")
    found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return sorted((each["ifname"], info["local"]) for each in found for info in each["addr_info"])
wanted = json.loads(sys.argv[1])
before, told_before = kernel.read(), told()
aimed = target(wanted, before)
steps = difference(before, aimed)
one, other = ends(before, aimed)
kernel.put(other, one)
there = kernel.read()
again = difference(there, target(wanted, there))
kernel.put(one, other)
shown = {name: sorted(each.addresses) for name, each in there.interfaces.items()}
print(json.dumps({
    "steps": [type(step).__name__ for step in steps],
    "again": [str(step) for step in again],
    "is_back": kernel.read() == before and told() == told_before,
    "addresses": shown,
    "masters": {name: each.master for name, each in there.interfaces.items()},
    "mtu": {name: each.mtu for name, each in there.interfaces.items()},
    "routes": {key: [each.interface, each.via] for key, each in there.routes.items()},
}))
"""


def tried(wanted, *needed):
    """Put what is wanted and take it back, in a namespace that ends with it."""
    if os.geteuid() != 0:
        pytest.skip("kernel lacks network namespaces for this user: not root")
    for kind in needed:
        where = "link lo" if kind.startswith("vlan") else ""
        if run(f"ip link add {where} name t0 type {kind}").returncode:
            pytest.skip(f"kernel lacks {kind.split()[0]} links")
    done = run(f'{SCENE}\nexec "$@"', sys.executable, "-c", PROGRAM, json.dumps(wanted))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(script, *words):
    command = ["unshare", "-n", "sh", "-ec", script, "sh", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_an_interface_gets_other_addresses_and_its_routes_and_then_its_old_ones():
    seen = tried(
        {
            "interfaces": {"e0": {"addresses": ADDRESSES, "mtu": 1400}},
            "routes": {
                "wan": {"to": "0.0.0.0/0", "via": "198.51.100.1", "interface": "e0", "metric": 5},
                "link": {"to": "10.0.0.0/8", "interface": "e0", "table": 9},
            },
        }
    )
    assert seen["again"] == []
    assert seen["addresses"]["e0"] == ADDRESSES
    assert seen["mtu"]["e0"] == 1400
    assert seen["routes"] == {
        "0.0.0.0/0 metric 0 table 254": ["e0", "192.0.2.1"],  # not named: it stays
        "203.0.113.0/24 metric 7 table 254": ["e0", "192.0.2.10"],
        "0.0.0.0/0 metric 5 table 254": ["e0", "198.51.100.1"],
        "10.0.0.0/8 metric 0 table 9": ["e0", ""],
    }
    assert seen["is_back"]


def test_a_bridge_takes_two_interfaces_and_the_addresses_of_one():
    seen = tried(
        {
            "interfaces": {
                "br0": {
                    "bridge": {"members": ["e0", "e1"]},
                    "addresses": ["192.0.2.7/24", "2001:db8::7/64"],
                    "mtu": 1400,
                }
            },
            "routes": {
                "wan": {"to": "0.0.0.0/0", "via": "192.0.2.1", "interface": "br0"},
                "wan-6": {"to": "::/0", "via": "fe80::1", "interface": "br0", "metric": 77},
            },
        }
    )
    assert seen["again"] == []
    assert seen["masters"] == {"e0": "br0", "e1": "br0", "p0": "", "p1": "", "br0": ""}
    assert seen["addresses"]["e0"] == []
    assert seen["routes"]["::/0 metric 77 table 254"] == ["br0", "fe80::1"]
    assert seen["is_back"]


@pytest.mark.parametrize("mode", ["active-backup", "802.3ad"])
def test_a_bond_and_a_vlan_on_it(mode):
    seen = tried(
        {
            "interfaces": {
                "b0": {"bond": {"mode": mode, "members": ["e0", "e1"]}, "mtu": 9000},
                "b0.5": {"vlan": {"parent": "b0", "id": 5}, "addresses": ["192.0.2.7/24"]},
            },
            "routes": {"wan": {"to": "0.0.0.0/0", "via": "192.0.2.1", "interface": "b0.5"}},
        },
        "bond",
        "vlan id 5",
    )
    assert seen["again"] == []
    assert seen["masters"]["e0"] == "b0"
    assert seen["mtu"]["b0"] == seen["mtu"]["e1"] == 9000
    assert seen["is_back"]


def test_a_vlan_on_a_device():
    seen = tried(
        {"interfaces": {"e1.7": {"vlan": {"parent": "e1", "id": 7}, "mtu": 1400}}}, "vlan id 7"
    )
    assert seen["again"] == []
    assert seen["is_back"]


REFUSED = """
from roost_agent.config_apply.network import kernel
from roost_agent.config_apply.network.difference import ends
from roost_agent.config_apply.network.target import target
before = kernel.read()
wanted = {"interfaces": {"e1": {"addresses": ["10.0.0.7/8", "2001:db8:7::7/64"], "mtu": 1400}}}
one, other = ends(before, target(wanted, before))
try:
    kernel.put(other, one)
except kernel.NetworkError as err:
    print(err)
assert kernel.read() != before
kernel.put(one, other)
assert kernel.read() == before
"""


def test_what_the_kernel_refuses_halfway_is_told_and_undone():
    scene = f"{SCENE}\necho 1 > /proc/sys/net/ipv6/conf/e1/disable_ipv6\n"
    if os.geteuid() != 0:
        pytest.skip("kernel lacks network namespaces for this user: not root")
    done = run(f'{scene}exec "$@"', sys.executable, "-c", REFUSED)
    assert done.returncode == 0, done.stderr
    assert "AddAddress(name='e1', address='2001:db8:7::7/64')" in done.stdout
