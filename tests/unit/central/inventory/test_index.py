"""The rows of the index: one for each starred field of each item, whatever the item says."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from inventories import keep

from roost_central.fleet.fields import FIELDS
from roost_central.fleet.inventory_fields import item_fields
from roost_central.fleet.query import parse
from roost_central.inventory import reindex
from roost_central.inventory.facts import REASON, FieldChange, Section
from roost_central.inventory.index import index_changes, index_rows, indexed
from roost_central.inventory.search import by_index
from roost_central.inventory.starred import STARRED
from roost_central.ports import SystemClock
from roost_central.storage import settings
from roost_central.storage.engine import Database

KINDS = {field.name: field for field in item_fields() if field.item_class == "disk"}


def section(name, items, missing=None):
    return Section(
        name=name, gen=1, digest=b"", as_of_ms=1, cost_ms=0, items=items, missing=missing or {}
    )


def test_what_an_item_does_not_say_has_a_row_without_a_value():
    rows = {row.field: row for row in index_rows(section("nic", {"a": {"driver": "ice"}}))}
    assert set(rows) == set(STARRED["nic"])
    assert rows["driver"].text == "ice"
    assert (rows["speed_mbps"].text, rows["speed_mbps"].number) == (None, None)


def test_a_reason_is_a_row_of_its_own_and_of_a_class_one_without_an_item():
    missing = {"a.b.firmware": "denied", "a.b.mtu": "busy", "*": "absent"}
    rows = list(index_rows(section("nic", {"a.b": {}}, missing)))
    said = {(row.item, row.field): row.text for row in rows if row.text is not None}
    assert said == {("a.b", "firmware.reason"): "denied", ("", "reason"): "absent"}


def test_a_reason_that_changes_changes_its_row_and_no_other():
    before = section("nic", {"a.b": {"driver": "ice"}}, {"a.b.firmware": "denied"})
    after = section("nic", {"a.b": {"driver": "ice"}}, {"a.b.firmware": "busy"})
    change = FieldChange("nic", "a.b.firmware", REASON, "denied", "busy")
    written, gone = index_changes({"nic": before}, [after], [change])
    assert [(row.item, row.field, row.text) for row in written] == [
        ("a.b", "firmware.reason", "busy")
    ]
    assert gone == []


def test_a_class_without_starred_fields_has_no_rows():
    assert list(index_rows(section("usb", {"a": {"driver": "hub"}}, {"*": "absent"}))) == []


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("type", "nvme", ("nvme", None)),
        ("type", 17, (None, None)),
        ("type", ["nvme"], (None, None)),
        ("type", None, (None, None)),
        ("size_bytes", 2**40, (None, 2.0**40)),
        ("size_bytes", "big", (None, None)),
        ("size_bytes", True, (None, None)),
        ("rotational", True, (None, 1.0)),
        ("rotational", False, (None, 0.0)),
        ("rotational", 1, (None, None)),
    ],
)
def test_a_value_of_another_kind_is_unknown(field, value, kept):
    row = indexed(KINDS[field], "a", value)
    assert (row.text, row.number, row.place) == (*kept, None)


def test_a_version_has_a_place_among_versions():
    texts = ["4.9", "4.10-rc1", "4.10", "22.1"]
    rows = [indexed(KINDS["firmware"], "a", text) for text in texts]
    assert sorted(row.place for row in rows) == [row.place for row in rows]


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=SystemClock())
    yield database
    await database.close()


async def found(database, text):
    async with database.read() as connection:
        return set((await by_index(connection, parse(text).root, FIELDS, 0)).nodes)


async def test_an_index_by_other_rules_is_made_anew_and_one_by_todays_is_left(database):
    await keep(database, {f"s{n}.n1": {"nic": {"a": {"driver": "ice"}}} for n in range(3)})
    assert await reindex.reindex(database) == 3, "no rules were kept: it may be by any"
    assert await reindex.reindex(database) == 0
    async with database.write() as connection:
        await settings.save(connection, reindex.KEY, b"other")
        await connection.exec_driver_sql("DELETE FROM inventory_value")
    assert await found(database, "inv.nic.driver=ice") == set()
    assert await reindex.reindex(database) == 3
    assert await found(database, "inv.nic.driver=ice") == {"s0.n1", "s1.n1", "s2.n1"}
    assert await found(database, "inv.nic.firmware=null") == {"s0.n1", "s1.n1", "s2.n1"}
