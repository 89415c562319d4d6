"""The inventory's part of a query over objects that carry items; its meaning is in the vectors."""

import pytest

from roost_central.fleet.fields import FIELDS
from roost_central.fleet.query import QueryError, parse
from roost_central.fleet.query_items import carried, class_fields, comparisons, item_test, leaves

NOW_MS = 1_800_000_000_000


def test_every_part_that_asks_the_inventory_is_found():
    query = parse("a (inv.nic.driver=ice OR !count(inv.disk{type=nvme})>2) !inv.dimm.reason=denied")
    assert [type(leaf).__name__ for leaf in leaves(query.root)] == [
        "Inventory",
        "Count",
        "Inventory",
    ]
    assert list(leaves(parse("a status=ok").root)) == []


def test_a_condition_names_fields_of_its_class_and_their_reasons():
    leaf = parse("inv.nic{driver=ice !(firmware<4 OR mtu.reason=denied)}").root
    named = [each.field for each in comparisons(leaf.where)]
    assert named == ["driver", "firmware", "mtu.reason"]
    fields = class_fields(leaf, FIELDS)
    assert {name: field.kind for name, field in fields.items()} == {
        "driver": "text",
        "firmware": "version",
        "mtu.reason": "text",
    }


def test_one_item_is_asked_for_all_terms():
    test = item_test(parse("inv.nic{driver=ice firmware<4.20}").root, FIELDS)
    assert test({"driver": "ice", "firmware": "4.9"}, NOW_MS)
    assert not test({"driver": "ice", "firmware": None}, NOW_MS)


def test_an_object_without_items_has_none_and_one_that_cannot_have_any_is_refused():
    test = carried(FIELDS, lambda name, key: lambda row: None)
    assert not test(parse("inv.nic.driver=null").root)(object(), NOW_MS)
    assert test(parse("count(inv.nic{driver=ice})=0").root)(object(), NOW_MS)
    with pytest.raises(QueryError) as refused:
        carried(FIELDS, lambda name, key: None)(parse("inv.nic.driver=ice").root)
    assert refused.value.code == "not-here"
