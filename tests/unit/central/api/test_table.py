"""CSV that no spreadsheet runs, and the choice of fields."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.answers import Node, Site
from roost_central.api.problem import ApiError
from roost_central.api.rows import node_answer, site_answer
from roost_central.api.table import CsvWriter, cell, choose_fields, picked
from roost_central.fleet.view import FleetView


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("a\nb\x1b[31m\x9b", "a\\nb\\x1b[31m\\x9b"),
        ("plain, text", "plain, text"),
        (-12.5, "-12.5"),
        (None, ""),
        (True, "true"),
        ([1, "a"], '[1,"a"]'),
    ],
)
def test_a_cell_is_text_that_nothing_runs(value, text):
    assert cell(value) == text


@given(st.text(max_size=30))
def test_no_text_begins_like_a_formula_or_breaks_a_line(text):
    made = cell(text)

    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert made.isprintable() or not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in made)
    assert len(made.splitlines()) <= 1


@pytest.fixture
def site():
    view = FleetView()
    row = view.add_site("a", 0)
    row.labels = {"region": "=cmd()", "x": "1"}
    view.add_node("a.n1", "a", "n1")
    return view


def test_labels_and_nested_answers_are_columns(site):
    sight = AlarmSight(AlarmBook(shipped(), site, None, None), site, is_whole=True)
    table = CsvWriter(Site, ("site", "labels", "nodes"), ["x", "region", "other"])
    answer = site_answer(site.sites["a"], sight, 0)
    (row,) = csv.DictReader(io.StringIO(table.header + table.line(answer)))

    assert row == {
        "site": "a",
        "label.other": "",
        "label.region": "'=cmd()",
        "label.x": "1",
        "nodes.online": "0",
        "nodes.degraded": "0",
        "nodes.unreachable": "0",
        "nodes.unknown": "1",
        "nodes.total": "1",
    }


def test_lists_are_one_cell_of_json(site):
    table = CsvWriter(Node, ("node", "paths", "outbox"), ())

    assert table.line(node_answer(site.nodes["a.n1"], 0)) == "a.n1,[],{}\r\n"


def test_all_fields_are_the_answer_itself_and_some_are_only_these(site):
    answer = node_answer(site.nodes["a.n1"], 0)

    assert picked(answer, choose_fields("", Node)) is answer
    assert picked(answer, choose_fields("site, node,site", Node)) == {"site": "a", "node": "a.n1"}


def test_an_unknown_field_is_told_with_what_was_meant():
    with pytest.raises(ApiError) as refused:
        choose_fields("presnce", Node)

    assert refused.value.errors[0].suggestion == "presence"
