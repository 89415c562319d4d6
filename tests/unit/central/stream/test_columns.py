"""The fleet as columns."""

import pytest

from roost_central.fleet.view import FleetView
from roost_central.stream.columns import FIXED_FIELDS, LABEL_FIELDS_MAX, FleetColumns
from roost_central.stream.core import Cell


@pytest.fixture
def view():
    view = FleetView()
    for name, region in (("a", "r01"), ("b", "r02")):
        row = view.add_site(name, 0)
        row.labels = {"region": region}
        view.add_node(f"{name}.n1", name, "n1")
    return view


def row_of(columns, site):
    place = columns.cols[1].index(site)
    return {name: col[place] for name, col in zip(columns.fields, columns.cols, strict=True)}


def test_a_snapshot_holds_each_site_with_its_counts_and_labels(view):
    view.nodes["a.n1"].presence = "online"
    view.nodes["a.n1"].heard_ms = 77

    row = row_of(FleetColumns(view), "a")

    assert row == {
        "row": view.sites["a"].index,
        "site": "a",
        "status": "unknown",
        "heard_ms": 77,
        "online": 1,
        "degraded": 0,
        "unreachable": 0,
        "unknown": 0,
        "label.region": "r01",
        "label.carrier": None,
    }


def test_an_empty_fleet_has_all_columns_empty():
    columns = FleetColumns(FleetView())

    assert columns.fields[: len(FIXED_FIELDS)] == list(FIXED_FIELDS)
    assert columns.cols == [[] for _ in columns.fields]


def test_only_values_that_differ_are_cells(view):
    columns = FleetColumns(view)
    assert columns.update(["a", "b"]) == []
    version = columns.version

    view.nodes["a.n1"].presence = "online"
    view.nodes["a.n1"].heard_ms = 5

    index = view.sites["a"].index
    assert columns.update(["a", "b"]) == [
        Cell(index, 3, 5),
        Cell(index, 4, 1),
        Cell(index, 7, 0),
    ]
    assert columns.update(["a", "b"]) == []
    assert columns.version == version + 1


def test_a_site_that_came_or_went_waits_for_the_next_layout(view):
    columns = FleetColumns(view)
    view.add_site("c", 0)
    view.remove_site("a")

    assert columns.update(["a", "c"]) == []
    assert columns.cols[1] == ["a", "b"]

    columns.lay_out()
    assert columns.cols[1] == ["b", "c"]


def test_a_new_label_key_asks_for_a_layout_until_the_columns_are_full(view):
    columns = FleetColumns(view)
    assert not columns.has_new_labels(["a", "b", "gone"])

    view.sites["a"].labels = {f"k{n:02d}": "v" for n in range(LABEL_FIELDS_MAX + 5)}
    assert columns.has_new_labels(["a"])

    columns.lay_out()
    assert len(columns.fields) == len(FIXED_FIELDS) + LABEL_FIELDS_MAX
    assert not columns.has_new_labels(["a"])
    assert columns.fields[len(FIXED_FIELDS) :][:2] == ["label.region", "label.carrier"]


def test_a_site_that_left_and_came_back_between_two_layouts_has_its_new_row(view):
    columns = FleetColumns(view)
    view.remove_site("a")
    view.add_site("a", 0).status = "ok"
    columns.update(["a"])
    columns.lay_out()

    row = row_of(columns, "a")
    assert (row["row"], row["status"], row["unknown"]) == (view.sites["a"].index, "ok", 0)


def test_the_columns_grown_step_by_step_are_those_laid_out_at_once(view):
    grown = FleetColumns(view)
    for n in range(5):
        view.add_site(f"s{n}", 0)
        view.add_node(f"s{n}.n1", f"s{n}", "n1")
        grown.lay_out()
    view.remove_site("s2")
    grown.lay_out()

    at_once = FleetColumns(view)
    assert (grown.fields, grown.cols) == (at_once.fields, at_once.cols)
