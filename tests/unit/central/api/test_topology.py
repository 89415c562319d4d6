"""A site's topology over HTTP."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from inventories import keep

SWITCH = "00:1b:21:00:00:01"
NIC = {"ifname": "eno1", "mac": "02:00:00:00:00:01", "speed_mbps": 10_000}
SPARE = {"ifname": "eno2", "mac": "02:00:00:00:00:02", "speed_mbps": None}
HEARD = {
    "ifname": "eno1", "chassis_id": SWITCH, "port_id": "Gi1/0/1", "system_name": "sw1",
    "capabilities": ["bridge"], "management_addresses": ["192.0.2.9"], "pvid": 10,
}  # fmt: skip


@pytest.fixture
async def heard(central, clock):
    trees = {
        "alpha.n1": {"nic": {"a": NIC, "b": SPARE}, "lldp": {"x": HEARD}},
        "alpha.n2": {"lldp": ({}, {"*": "denied"})},
    }
    await keep(central.database, trees, now_ms=clock.now_ms - 7_000)


@pytest.mark.usefixtures("heard")
async def test_a_site_has_nodes_devices_and_cables(get):
    status, found = await get("/api/v1/sites/alpha/topology")
    assert status == 200
    assert found["devices"] == [
        {"device": SWITCH, "name": "sw1", "description": "", "capabilities": ["bridge"],
         "addresses": ["192.0.2.9"]},
    ]  # fmt: skip
    (cable,) = found["cables"]
    assert (cable["node"], cable["port"], cable["speed_mbps"]) == ("alpha.n1", "eno1", 10_000)
    assert (cable["peer"], cable["peer_kind"], cable["told_by"]) == (SWITCH, "device", "one")
    first, second = found["nodes"]
    assert [(port["port"], port["neighbours"]) for port in first["ports"]] == [
        ("eno1", 1),
        ("eno2", 0),
    ]
    assert (first["missing"], first["age_s"]) == ("", 7)
    assert second["missing"] == "denied"


async def test_a_node_that_never_told_says_so(get):
    _, found = await get("/api/v1/sites/beta/topology")
    assert [node["missing"] for node in found["nodes"]] == ["never told"]
    assert (found["devices"], found["cables"]) == ([], [])


async def test_there_is_no_topology_of_a_site_that_is_not_there(get):
    status, problem = await get("/api/v1/sites/omega/topology")
    assert (status, problem["code"]) == (404, "not-found")
