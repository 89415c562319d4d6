"""The inventory as a field on every list, together with what the fleet in memory knows."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from inventories import keep

ICE = {"driver": "ice", "firmware": "4.10", "mtu": 9000}


@pytest.fixture
async def stocked(central):
    await keep(
        central.database,
        {
            "alpha.n1": {"nic": {"x": ICE}},
            "alpha.n2": {"nic": {"x": {**ICE, "mtu": 1500}}},
            "beta.n1": {"nic": {"x": {"driver": "i40e", "mtu": 9000}}},
        },
    )


async def names(get, path, text, field):
    status, page = await get(path, filter=text, count="exact")
    assert status == 200, page
    assert page["count"] == len(page["items"])
    return [item[field] for item in page["items"]]


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inv.nic.driver=ice", ["alpha.n1", "alpha.n2"]),
        ("!inv.nic.driver=ice", ["beta.n1", "gamma.n1"]),
        ("inv.nic.mtu=9000", ["alpha.n1", "beta.n1"]),
        ("inv.nic.mtu=9000 region=r01", ["alpha.n1"]),
        ("inv.nic.mtu=9000 OR region=r02", ["alpha.n1", "beta.n1", "gamma.n1"]),
        ("count(inv.nic{driver=ice})=0 age<1h", ["beta.n1"]),
    ],
)
async def test_nodes_are_found_by_their_inventory_and_all_else(get, text, expected):
    assert await names(get, "/api/v1/nodes", text, "node") == expected


@pytest.mark.usefixtures("stocked")
async def test_a_site_has_what_any_of_its_nodes_has_and_a_path_what_its_node_has(get):
    assert await names(get, "/api/v1/sites", "inv.nic.mtu=1500", "site") == ["alpha"]
    assert await names(get, "/api/v1/paths", "inv.nic.mtu=1500", "node") == ["alpha.n2"]
    for path in ("/api/v1/events", "/api/v1/alarms", "/api/v1/alarms/history"):
        for text in ("inv.nic.driver=ice", "inv.nic.mtu=1500"):
            status, page = await get(path, filter=text)
            assert (status, page["items"]) == (200, []), path


async def test_what_is_asked_again_and_again_takes_no_inventory(post):
    body = {"type": "100.101", "filter": "inv.nic.driver=ice", "reason": "their drivers are new"}
    status, problem = await post("/api/v1/suppressions", body)
    assert status == 400
    (error,) = problem["errors"]
    assert (error["code"], error["offset"], error["length"]) == ("not-here", 0, 14)


@pytest.mark.usefixtures("stocked")
async def test_a_query_is_explained(get):
    text = "inv.nic{mtu>1500}  region=r01 count(inv.nic{driver=ice})>=1"
    status, told = await get("/api/v1/query/explain", filter=text, on="node")
    assert status == 200
    assert told["canonical"] == "inv.nic.mtu>1500 region=r01 count(inv.nic.driver=ice)>=1".replace(
        "inv.nic.driver=ice)", "inv.nic{driver=ice})"
    )
    assert told["slow"] is True
    assert [(part["text"], part["where"]) for part in told["parts"]] == [
        ("region=r01", "memory"),
        ("count(inv.nic{driver=ice})>=1", "index"),
        ("inv.nic.mtu>1500", "documents"),
    ]
    fields = {field["name"]: field for field in told["fields"]}
    assert fields["inv.nic.mtu"]["kind"] == "number"
    assert fields["inv.nic.mtu"]["indexed"] is False
    assert fields["inv.nic.driver"]["indexed"] is True
    (index,) = [part for part in told["parts"] if part["where"] == "index"]
    (asked,) = index["statements"]
    assert "ice" not in asked["sql"], "what was asked is a parameter"
    assert "ice" in asked["parameters"]
    assert any("ix_inventory_value" in line for line in asked["plan"])


async def test_a_length_of_time_is_explained_in_ms_and_a_moment_since_when(get):
    _, told = await get("/api/v1/query/explain", filter="age<1h boot-age>7d enrolled=null")
    units = {field["name"]: field["unit"] for field in told["fields"]}
    assert units == {"age": "ms", "boot-age": "ms", "enrolled": "ms since 1970"}


async def test_what_is_no_query_is_refused_with_its_place(get):
    status, problem = await get("/api/v1/query/explain", filter="inv.nic.drivr=ice")
    assert (status, problem["errors"][0]["suggestion"]) == (400, "inv.nic.driver")
    status, _ = await get("/api/v1/query/explain", filter="nodes>1", on="node")
    assert status == 400
