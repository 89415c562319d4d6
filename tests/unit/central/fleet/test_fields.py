"""The field table keeps its own rules."""

import re

import pytest

from roost_central.fleet.fields import FIELDS, TEXT_FIELDS, is_key, table
from roost_central.fleet.query_kinds import KINDS


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
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
