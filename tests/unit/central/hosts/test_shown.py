"""What is said of a host whose site is heard, and of one whose site is dark."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report

from roost_central.fleet.view import FleetView
from roost_central.hosts.core import HostsWord, words_of
from roost_central.hosts.shown import in_maintenance, reasons, shown


@pytest.fixture
def view():
    view = FleetView()
    view.add_site("lab", 1)
    for name in ("n1", "n2"):
        view.add_node(f"lab.{name}", "lab", name).presence = "online"
    return view


def put(view, *hosts):
    view.put_hosts("lab", words_of([HostsWord("lab", 1, 2, report(*hosts))]))


def test_the_word_counts_while_anybody_of_the_site_is_heard(view):
    put(view, host("n1"), host("n2", "failed"))
    view.nodes["lab.n2"].presence = "unreachable"
    found = shown(view.nodes["lab.n2"], view)
    assert (found.admin, found.oper, found.avail, found.last) == (
        "unlocked", "disabled", "failed", None,
    )  # fmt: skip


@pytest.mark.parametrize("presence", ["unreachable", "unknown"])
def test_of_a_dark_site_the_state_is_unknown_and_the_last_one_stands_apart(view, presence):
    put(view, host("n1"), host("n2", "locked"))
    for node in view.nodes.values():
        node.presence = presence
    found = shown(view.nodes["lab.n2"], view)
    assert (found.admin, found.oper, found.avail) == ("locked", "unknown", "unknown")
    assert found.last == ("locked", "disabled", "online")


def test_of_a_host_that_nobody_spoke_of_there_is_no_state(view):
    put(view, host("n1"))
    assert shown(view.nodes["lab.n2"], view) is None
    assert reasons(view.nodes["lab.n2"]) == []
    assert not in_maintenance(view.nodes["lab.n2"], 1)


def test_a_node_that_appears_after_it_was_spoken_of_has_its_state(view):
    put(view, host("n1"), host("n3", "offline"))
    row = view.add_node("lab.n3", "lab", "n3")
    assert shown(row, view).avail == "offline"


def test_maintenance_ends_by_itself(view):
    put(view, host("n1", maintenance_until_ms=9_000, reasons={"process": 1, "health": 2}))
    row = view.nodes["lab.n1"]
    assert (in_maintenance(row, 8_999), in_maintenance(row, 9_000)) == (True, False)
    assert reasons(row) == ["health", "process"]


def test_what_was_said_of_a_site_goes_with_it(view):
    put(view, host("n1"))
    view.remove_site("lab")
    view.put_hosts("lab", {})
    view.add_site("lab", 1)
    assert view.add_node("lab.n1", "lab", "n1").host is None
