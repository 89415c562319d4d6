"""The fleet's inventory over HTTP: items of a class, a search, a part's life, differences."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from inventories import keep

from roost_central.access.core import Grant
from roost_central.api import fleet_inventory
from roost_central.api.instants import instant

CLASSES = "/api/v1/inventory/classes"
ICE = {"ifname": "ens1", "driver": "ice", "firmware": "4.10", "mac": "b8:83:03:00:00:01"}
I40 = {"ifname": "eno1", "driver": "i40e", "firmware": None, "mac": "b8:83:03:00:00:02"}
DISK = {"name": "nvme0n1", "type": "nvme", "serial": "S4EVNX0R", "model": "=cmd|' /C calc'!A0"}
CARD = {"vendor_id": "8086", "device_id": "1592", "driver": "ice"}
TREES = {
    "alpha.n1": {
        "nic": ({"x1": ICE, "x2": I40}, {"x2.firmware": "denied"}),
        "disk": {"eui.1": DISK},
        "pci": {"0000:17:00.0": CARD},
        "package": {"openssl:amd64": {"version": "3.0.15-1"}},
    },
    "alpha.n2": {"nic": {"y1": {**ICE, "mac": "b8:83:03:00:00:03"}}, "disk": {}},
    "beta.n1": {"nic": {"z1": {**I40, "firmware": "9.2"}}},
}


@pytest.fixture
async def stocked(central):
    await keep(central.database, TREES)


async def items(get, path, **asked):
    found, cursor = [], None
    while True:
        status, page = await get(path, **asked, **({"cursor": cursor} if cursor else {}))
        assert status == 200, page
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["alpha.n1 x1", "alpha.n1 x2", "alpha.n2 y1", "beta.n1 z1"]),
        ({"where": "driver=ice"}, ["alpha.n1 x1", "alpha.n2 y1"]),
        ({"filter": "region=r02"}, ["beta.n1 z1"]),
        ({"filter": "site=alpha", "where": "firmware=null"}, ["alpha.n1 x2"]),
        ({"where": "firmware.reason=denied"}, ["alpha.n1 x2"]),
        ({"where": "driver=e1000"}, []),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_items_of_a_class_are_listed_page_by_page(get, asked, expected, limit):
    found = await items(get, f"{CLASSES}/nic", **asked, limit=limit)
    assert [f"{item['node']} {item['id']}" for item in found] == expected


@pytest.mark.usefixtures("stocked")
async def test_a_page_ends_with_the_node_that_fills_it(get, monkeypatch):
    monkeypatch.setattr(fleet_inventory, "ITEMS_MAX", 2)
    status, page = await get(f"{CLASSES}/nic")
    assert (status, len(page["items"])) == (200, 2)
    assert len(await items(get, f"{CLASSES}/nic")) == 4


@pytest.mark.usefixtures("stocked")
async def test_a_missing_value_has_its_reason(get):
    (item,) = await items(get, f"{CLASSES}/nic", where="ifname=eno1", filter="site=alpha")
    assert (item["fields"]["firmware"], item["missing"]) == (None, {"firmware": "denied"})


@pytest.mark.usefixtures("stocked")
async def test_all_items_come_as_one_stream(central):
    headers = central.bearer | {"Accept": "application/x-ndjson"}
    answer = await central.client.get(f"{CLASSES}/nic", headers=headers)
    lines = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert [line["id"] for line in lines] == ["x1", "x2", "y1", "z1"]
    headers = central.bearer | {"Accept": "text/csv"}
    answer = await central.client.get(f"{CLASSES}/disk", headers=headers)
    rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [(row["node"], row["id"], row["serial"]) for row in rows] == [
        ("alpha.n1", "eui.1", "S4EVNX0R")
    ]
    assert rows[0]["model"] == "'=cmd|' /C calc'!A0", "a spreadsheet runs nothing"


@pytest.mark.parametrize(
    ("path", "asked", "status", "field"),
    [
        (f"{CLASSES}/nik", {}, 404, None),
        (f"{CLASSES}/nic", {"where": "drivr=ice"}, 400, "where"),
        (f"{CLASSES}/nic", {"where": "driver=ice} OR inv.disk{type=hdd"}, 400, "where"),
        (f"{CLASSES}/nic", {"where": "driver=ice} site=a"}, 400, "where"),
        (f"{CLASSES}/nic", {"filter": "drivr=ice"}, 400, "filter"),
        ("/api/v1/inventory/search", {"text": ""}, 400, "text"),
        ("/api/v1/inventory/part", {"class": "disk", "item": "none"}, 404, None),
        ("/api/v1/inventory/compare", {"a": "alpha.n1", "b": "gone.n1"}, 404, None),
        (
            "/api/v1/inventory/compare",
            {"a": "alpha.n1", "b": "alpha.n2", "b_at": "soon"},
            400,
            "b_at",
        ),
    ],
)
async def test_what_cannot_be_answered_is_refused_by_name(get, path, asked, status, field):
    answered, problem = await get(path, **asked)
    assert answered == status, problem
    if field is not None:
        assert problem["errors"][0]["field"] == field


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S4EVNX0R", ["alpha.n1 disk eui.1 serial"]),
        ("s4evnx0r", ["alpha.n1 disk eui.1 serial"]),
        ("B8:83:03:00:00:03", ["alpha.n2 nic y1 mac"]),
        ("eui.1", ["alpha.n1 disk eui.1 id"]),
        ("4.10", ["alpha.n1 nic x1 firmware", "alpha.n2 nic y1 firmware"]),
        ("8086:1592", ["alpha.n1 pci 0000:17:00.0 device_id"]),
        ("0x8086:0x1592", ["alpha.n1 pci 0000:17:00.0 device_id"]),
        ("openssl", ["alpha.n1 package openssl:amd64 id"]),
        ("3.0.15-1", ["alpha.n1 package openssl:amd64 version"]),
        ("open", []),
        ("' OR 1=1 --", []),
    ],
)
async def test_a_part_is_found_by_what_is_written_on_it(get, text, expected):
    status, found = await get("/api/v1/inventory/search", text=text)
    assert (status, found["more"]) == (200, False)
    assert [
        f"{hit['node']} {hit['class']} {hit['item']} {hit['field']}" for hit in found["items"]
    ] == expected


@pytest.mark.usefixtures("stocked")
async def test_a_disk_that_moved_is_followed_from_node_to_node(get, central):
    await keep(central.database, {"alpha.n1": {**TREES["alpha.n1"], "disk": {}}}, gen=2, now_ms=50)
    moved = {**TREES["alpha.n2"], "disk": {"eui.1": {**DISK, "name": "nvme1n1"}}}
    await keep(central.database, {"alpha.n2": moved}, gen=2, now_ms=60)
    changed = {**moved, "disk": {"eui.1": {**DISK, "name": "nvme1n1", "firmware": "2"}}}
    await keep(central.database, {"alpha.n2": changed}, gen=3, now_ms=70)

    asked = {"class": "disk", "item": "eui.1"}
    status, part = await get("/api/v1/inventory/part", **asked)

    assert (status, part["nodes"]) == (200, ["alpha.n2"])
    assert [(step["node"], step["what"], step["field"]) for step in part["steps"]] == [
        ("alpha.n2", "changed", "firmware"),
        ("alpha.n2", "came", ""),
        ("alpha.n1", "went", ""),
    ]


@pytest.mark.usefixtures("stocked")
async def test_one_node_is_compared_at_two_moments_by_what_its_parts_are(get, central, clock):
    now = {**TREES["alpha.n1"], "disk": {"eui.9": {**DISK, "serial": "OTHER"}}}
    await keep(central.database, {"alpha.n1": now}, gen=2, now_ms=clock.now_ms - 1000)

    asked = {"a": "alpha.n1", "b": "alpha.n1", "a_at": "2026-10-01T00:00:00Z", "section": "disk"}
    status, found = await get("/api/v1/inventory/compare", **asked)

    assert (status, found["more"]) == (200, False)
    serials = {
        (each["item"], each["a"], each["b"]) for each in found["items"] if each["field"] == "serial"
    }
    assert serials == {("eui.1", "S4EVNX0R", None), ("eui.9", None, "OTHER")}


@pytest.mark.usefixtures("stocked")
async def test_a_time_to_come_is_refused_with_the_bound(get, clock):
    now, later = instant(clock.now_ms), instant(clock.now_ms + 61_000)
    asked = {"a": "alpha.n1", "b": "alpha.n1", "b_at": later}
    for path, field, given in (
        ("/api/v1/nodes/alpha.n1/inventory", "at", {"at": later}),
        ("/api/v1/inventory/compare", "b_at", asked),
    ):
        status, problem = await get(path, **given)
        assert (status, problem["errors"][0]["field"]) == (400, field)
        assert problem["errors"][0]["bound"] == now
        assert problem["detail"].endswith(f"at most {now}")
    soon = instant(clock.now_ms + 59_000)  # by a clock that goes ahead a little
    assert (await get("/api/v1/nodes/alpha.n1/inventory", at=soon))[0] == 200


@pytest.mark.usefixtures("stocked")
async def test_two_nodes_are_compared_by_the_places_of_their_parts(get):
    asked = {"a": "alpha.n1", "b": "alpha.n2", "section": "nic"}
    _, found = await get("/api/v1/inventory/compare", **asked)
    assert {(each["item"], each["field"]) for each in found["items"]} == {
        ("ens1", "mac"),
        ("eno1", "driver"),
        ("eno1", "firmware"),
        ("eno1", "ifname"),
        ("eno1", "mac"),
        ("eno1.firmware", "?"),
    }


@pytest.mark.usefixtures("stocked")
async def test_nobody_sees_parts_of_sites_that_are_not_theirs(ask, person):
    who = await person("eve", Grant("viewer", "site:beta"))
    status, found = await ask(who, "GET", "/api/v1/inventory/search?text=S4EVNX0R")
    assert (status, found["items"]) == (200, [])
    status, found = await ask(who, "GET", f"{CLASSES}/nic")
    assert [item["node"] for item in found["items"]] == ["beta.n1"]
    for path in ("part?class=disk&item=eui.1", "compare?a=alpha.n1&b=alpha.n2"):
        status, _ = await ask(who, "GET", f"/api/v1/inventory/{path}")
        assert status == 404


async def test_who_asks_items_for_what_nodes_have_is_told_where_that_stands(get):
    _, problem = await get(f"{CLASSES}/nic", where="label.carrier=carB inv.nic.firmware<22.1")
    said = str(problem)
    assert "label.carrier" in said
    assert "it is the filter (-q of the CLI)" in said
    _, problem = await get(f"{CLASSES}/nic", where="drivr=ice")
    assert "-q of the CLI" not in str(problem)
