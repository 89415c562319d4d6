"""The kernel's own answers: interfaces made inside a network namespace, against iproute2's."""

import json
import os
import subprocess
import sys
from itertools import count

import pytest

pytestmark = pytest.mark.netns
NUMBER = count()
PROBE = """
import json
from roost_agent.discovery.network import link
from roost_agent.discovery.nic import nic
from roost_agent.discovery.reader import Reader
reader = Reader()
print(json.dumps({"link": link(reader).items, "nic": nic(reader).items}))
"""


class Namespace:
    """A network namespace of our own; ``ip netns exec`` gives it a sysfs that shows it."""

    def __init__(self, name):
        self.name = name

    def ip(self, *arguments):
        return subprocess.run(
            ["ip", "-n", self.name, *arguments], check=True, capture_output=True, text=True
        ).stdout

    def add(self, name, *arguments):
        try:
            self.ip("link", "add", *arguments)
        except subprocess.CalledProcessError as err:
            pytest.skip(f"kernel lacks {name}: {err.stderr.strip()}")

    def probe(self):
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, sys.executable, "-c", PROBE],
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout)


@pytest.fixture
def namespace():
    if os.geteuid() != 0:
        pytest.skip("kernel lacks network namespaces for this user: not root")
    made = Namespace(f"roost-test-{os.getpid()}-{next(NUMBER)}")
    subprocess.run(["ip", "netns", "add", made.name], check=True)
    yield made
    subprocess.run(["ip", "netns", "del", made.name], check=True)


def test_every_interface_and_address_of_a_namespace_agrees_with_iproute2(namespace):
    namespace.ip("link", "add", "v0", "type", "veth", "peer", "v1")
    namespace.ip("addr", "add", "192.0.2.9/24", "dev", "v0")
    namespace.ip("addr", "add", "192.0.2.10/24", "dev", "v0")  # a secondary one
    namespace.ip("addr", "add", "2001:db8::9/64", "dev", "v0", "nodad")
    for name in ("lo", "v0", "v1"):
        namespace.ip("link", "set", name, "up")
    namespace.ip("route", "add", "default", "via", "192.0.2.1", "metric", "50")
    found = namespace.probe()["link"]
    told = json.loads(namespace.ip("-j", "-d", "addr"))
    assert set(found) == {entry["ifname"] for entry in told}
    for entry in told:
        item = found[entry["ifname"]]
        assert (item["mac"], item["mtu"]) == (entry["address"], entry["mtu"])
        assert item["addresses"] == sorted(
            f"{info['local']}/{info['prefixlen']}" for info in entry["addr_info"]
        )
    assert found["v0"]["kind"] == "veth"
    assert found["v0"]["default_routes"] == ["192.0.2.1 metric 50"]


def test_a_bridge_shows_its_ports(namespace):
    namespace.add("bridge", "br0", "type", "bridge")
    namespace.ip("link", "add", "v0", "type", "veth", "peer", "v1")
    namespace.ip("link", "set", "v0", "master", "br0")
    found = namespace.probe()["link"]
    assert (found["br0"]["kind"], found["br0"]["bridge_ports"]) == ("bridge", ["v0"])
    assert found["v0"]["bridge"] == "br0"


def test_a_bond_shows_mode_and_members(namespace):
    namespace.add("bond", "bond0", "type", "bond", "mode", "active-backup")
    namespace.ip("link", "add", "v0", "type", "veth", "peer", "v1")
    namespace.ip("link", "set", "v0", "master", "bond0")
    item = namespace.probe()["link"]["bond0"]
    assert (item["kind"], item["bond_mode"]) == ("bond", "active-backup")
    assert item["bond_members"] == ["v0"]


def test_a_vlan_shows_id_and_carrier(namespace):
    namespace.ip("link", "add", "v0", "type", "veth", "peer", "v1")
    namespace.add("vlan", "link", "v0", "name", "v0.12", "type", "vlan", "id", "12")
    item = namespace.probe()["link"]["v0.12"]
    assert (item["kind"], item["vlan_id"], item["vlan_device"]) == ("vlan", 12, "v0")


def test_the_end_of_a_veth_that_belongs_to_a_container_is_left_out(namespace):
    inner = f"{namespace.name}-c"
    subprocess.run(["ip", "netns", "add", inner], check=True)
    try:
        namespace.ip("link", "add", "v0", "type", "veth", "peer", "v1", "netns", inner)
        assert set(namespace.probe()["link"]) == {"lo"}
    finally:
        subprocess.run(["ip", "netns", "del", inner], check=True)


def test_no_interface_of_a_namespace_without_devices_is_a_nic(namespace):
    namespace.ip("link", "add", "v0", "type", "veth", "peer", "v1")
    assert namespace.probe()["nic"] == {}
