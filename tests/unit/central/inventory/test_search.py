"""Nodes by their inventory: the index and the documents answer what the language says."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from inventories import keep

from roost_central.fleet.fields import FIELDS
from roost_central.fleet.query import parse
from roost_central.fleet.query_plan import is_indexed
from roost_central.inventory import search
from roost_central.inventory.search import by_documents, by_index
from roost_central.ports import SystemClock
from roost_central.storage.engine import Database

ICE = {"driver": "ice", "firmware": "4.10", "mtu": 9000, "offloads": ["tso", "gro"]}
OLD = {"driver": "ice", "firmware": "3.2", "mtu": 1500, "offloads": []}
TREES = {
    "a.n1": {"nic": {"x": ICE, "y": OLD}, "disk": {"d1": {"type": "nvme", "serial": "S1"}}},
    "a.n2": {"nic": {"x": {"driver": "i40e", "firmware": "9.2", "mtu": 9000}}},
    "b.n1": {
        "nic": ({"x": {"driver": "ice", "firmware": None}}, {"x.firmware": "denied"}),
        "disk": {"d2": {"type": "nvme"}, "d3": {"type": "nvme"}},
        "dimm": ({}, {"*": "denied"}),
    },
    "b.n2": {"usb": ({}, {"*": "no-module"})},
}
ASKED = {  # a query to the nodes it holds for
    "inv.nic.driver=ice": {"a.n1", "b.n1"},
    "inv.nic{driver=ice firmware<4.0}": {"a.n1"},
    "inv.nic{driver=ice firmware>4.50}": set(),
    "inv.nic.firmware=null": {"b.n1"},
    "inv.nic.firmware.reason=denied": {"b.n1"},
    "inv.nic{!driver=ice}": {"a.n2"},
    "inv.disk.id=d3": {"b.n1"},
    "count(inv.disk{type=nvme})>=2": {"b.n1"},
    "count(inv.disk{type=nvme})<2": {"a.n1", "a.n2", "b.n2"},
    "inv.dimm.reason=denied": {"b.n1"},
    "inv.dimm.reason=null": {"a.n1", "a.n2", "b.n2"},
    "inv.nic.mtu=9000": {"a.n1", "a.n2"},
    "inv.nic{driver=ice mtu=9000}": {"a.n1"},
    "inv.nic{driver=i40e offloads=null}": {"a.n2"},
    "inv.nic{id=x offloads=tso}": {"a.n1"},
    "count(inv.nic{mtu>1000})=1": {"a.n2"},
    "count(inv.nic{mtu>1000})=0": {"b.n1", "b.n2"},
    "inv.nic.mtu.reason=null": {"a.n1", "a.n2", "b.n1"},
    "inv.usb.reason=no-module": {"b.n2"},
    "inv.usb.reason=null": {"a.n1", "a.n2", "b.n1"},
}


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=SystemClock())
    await keep(database, TREES)
    yield database
    await database.close()


async def test_each_part_holds_for_the_nodes_that_the_language_says(database, monkeypatch):
    monkeypatch.setattr(search, "NODES_AT_ONCE", 3)
    async with database.read() as connection:
        for text, expected in ASKED.items():
            leaf = parse(text).root
            held = await by_documents(connection, leaf, FIELDS, 0, list(TREES))
            assert {node for node in TREES if node in held} == expected, text
            if is_indexed(leaf, FIELDS):
                held = await by_index(connection, leaf, FIELDS, 0)
                assert {node for node in TREES if node in held} == expected, text


async def test_documents_are_read_of_no_node_that_the_index_rules_out(database, monkeypatch):
    read = []
    bodies = search.inventory.bodies

    async def noted(connection, name, nodes):
        read.extend(nodes)
        return await bodies(connection, name, nodes)

    monkeypatch.setattr(search.inventory, "bodies", noted)
    async with database.read() as connection:
        leaf = parse("inv.nic{driver=i40e mtu=9000}").root
        await by_documents(connection, leaf, FIELDS, 0, list(TREES))
        assert read == ["a.n2"]
        read.clear()
        await by_documents(connection, parse("count(inv.nic{driver=i40e mtu=1})=0").root, FIELDS,
                           0, list(TREES))  # fmt: skip
        assert read == list(TREES), "who has none counts"
