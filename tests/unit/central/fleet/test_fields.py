"""The field table keeps its own rules."""

import re

import pytest

from roost_central.fleet.fields import (
    FIELDS,
    INVENTORY,
    TEXT_FIELDS,
    inventory_field,
    is_key,
    table,
)
from roost_central.fleet.query_kinds import KINDS

OWN = [field for field in FIELDS.values() if not field.name.startswith(INVENTORY)]
OF_ITEMS = [field for field in FIELDS.values() if field.name.startswith(INVENTORY)]


@pytest.mark.parametrize("field", OWN, ids=lambda field: field.name)
def test_a_field_is_well_formed(field):
    assert re.fullmatch(r"[a-z][a-z-]*(\.[a-z]+)?", field.name)
    assert field.name not in {"inv", "null", "and", "or", "not"}
    assert field.doc.endswith(".")
    assert field.available is bool(field.carriers), (
        "what is here has carriers, what is not has none"
    )
    assert bool(field.choices) is (field.kind in {"enum", "path", "severity", "status"})
    assert not field.is_since or field.kind == "duration"
    assert not field.is_label or field.kind == "label"


def test_a_field_of_the_inventory_is_well_formed():
    assert len(OF_ITEMS) > 300
    for field in OF_ITEMS:
        assert re.fullmatch(r"inv\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", field.name)
        assert field.kind in {"text", "version", "number", "size", "bool"}
        assert not field.name.endswith(".reason"), "reason is every field's and every class's own"
        assert field.available
        assert len(field.carriers) == 5


def test_why_a_value_is_unknown_is_a_field_of_each_field_and_each_class():
    assert inventory_field("nic", "firmware", FIELDS) is FIELDS["inv.nic.firmware"]
    for name, is_slow in (("firmware.reason", False), ("mtu.reason", True), ("reason", False)):
        found = inventory_field("nic", name, FIELDS)
        assert (found.name, found.kind, found.is_slow) == (f"inv.nic.{name}", "text", is_slow)
    for item_class, name in (("nic", "firmware.why"), ("nic", "none"), ("none", "reason")):
        assert inventory_field(item_class, name, FIELDS) is None


def test_a_closed_list_is_written_in_small_letters():
    assert all(choice == choice.lower() for field in FIELDS.values() for choice in field.choices)


def test_text_is_searched_in_text_fields():
    assert {FIELDS[name].kind for name in TEXT_FIELDS} == {"text"}


def test_a_table_keeps_the_order_of_its_fields():
    fields = list(FIELDS.values())
    assert list(table(fields).values()) == fields
    assert {field.kind for field in fields} <= KINDS.keys()


@pytest.mark.parametrize(
    ("key", "fits"),
    [("p1", True), ("*", True), ("a_B-9", True), ("k" * 31, True), ("k" * 32, False), ("", False),
     ("a.b", False), ("ä", False), ("p*", False)],
)  # fmt: skip
def test_a_key_is_a_short_ascii_name_or_a_star(key, fits):
    assert is_key(key) is fits
