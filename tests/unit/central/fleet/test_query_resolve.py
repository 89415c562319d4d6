"""Names and values against the field table."""

import pytest

from roost_central.fleet.fields import FIELDS
from roost_central.fleet.query_error import QueryError
from roost_central.fleet.query_lexer import Token
from roost_central.fleet.query_resolve import canonical_value, check_stars, find_field


def token(text, *, is_quoted=False):
    return Token(text, 0, len(text), is_quoted)


@pytest.mark.parametrize("name", [name for name in FIELDS if not FIELDS[name].is_keyed])
def test_every_field_is_found_by_its_name(name):
    assert find_field(token(name), FIELDS) == (FIELDS[name], None)


def test_a_keyed_field_is_found_with_its_key():
    assert find_field(token("path.p1"), FIELDS) == (FIELDS["path"], "p1")
    assert find_field(token("label.*"), FIELDS) == (FIELDS["label"], "*")


@pytest.mark.parametrize(("name", "meant"), [("lable.tier", "label.tier"), ("regin", "region")])
def test_an_unknown_name_is_answered_with_the_nearest(name, meant):
    with pytest.raises(QueryError) as caught:
        find_field(token(name), FIELDS)
    assert (caught.value.code, caught.value.suggestion) == ("unknown-field", meant)


def test_a_value_outside_a_closed_list_is_answered_with_all_of_it():
    with pytest.raises(QueryError, match="up, down, flaky, unknown") as caught:
        canonical_value(FIELDS["path"], "=", token("dwon"))
    assert caught.value.suggestion == "down"


def test_quoted_null_is_a_text():
    assert canonical_value(FIELDS["site"], "=", token("null")) is None
    assert canonical_value(FIELDS["site"], "=", token("null", is_quoted=True)) == "null"


def test_stars_are_counted_in_globs_alone():
    many = token("*" * 9)
    assert canonical_value(FIELDS["site"], "=", many) == many.text
    for refused in (lambda: canonical_value(FIELDS["site"], ":", many), lambda: check_stars(many)):
        with pytest.raises(QueryError) as caught:
            refused()
        assert caught.value.code == "too-many-stars"
