"""What is told of a site, and when it is another thing to tell."""

import pytest

from roost_central.fleet.view import FleetView, PathRow
from roost_central.northbound.noc_sites import SiteStates
from roost_central.ports import SystemClock
from roost_protocol.ha_report import HaGroup, HaReport, HaRole


@pytest.fixture
def view():
    fleet = FleetView()
    fleet.add_site("a", 0).status = "degraded"
    fleet.add_site("b", 0)
    for name, presence, agent in (("n1", "online", "1.2.0"), ("n2", "unreachable", "1.1.0")):
        row = fleet.add_node(f"a.{name}", "a", name)
        row.presence, row.agent = presence, agent
        row.paths = {
            "p1": PathRow("p1", "wan", "up"),
            "p2": PathRow("p2", "wan", "down"),
            "lan": PathRow("lan", "site", "up"),
        }
    fleet.nodes["a.n1"].heard_ms = 1_801_623_604_000
    return fleet


def test_a_site_is_told_with_what_its_nodes_say(view):
    states = SiteStates(view, SystemClock())
    assert states.review() == ["a", "b"]
    found, silent = states.states["a"], states.states["b"]
    assert (found.state, found.sev, found.nodes, found.nodes_online) == ("degraded", 2, 2, 1)
    assert (found.paths_up, found.paths, found.release) == (2, 4, "1.1.0,1.2.0")
    assert found.as_of == "2027-02-03T03:00:04Z"
    assert (silent.state, silent.sev, silent.as_of, silent.release) == ("unknown", 3, "", "")


def test_a_state_stays_the_same_object_until_something_of_it_changes(view):
    states = SiteStates(view, SystemClock())
    states.review()
    first = dict(states.states)
    view.nodes["a.n1"].heard_ms += 30_000  # heard again: nothing new to tell
    assert states.review() == []
    assert states.states == first
    view.nodes["a.n1"].paths["p1"].state = "down"
    assert states.review(["b"]) == []
    assert states.review(["a", "b"]) == ["a"]
    assert states.states["a"].paths_up == 1
    assert states.states["b"] is first["b"]
    view.remove_site("a")
    assert states.review() == ["a"]
    assert set(states.states) == {"b"}


def test_what_changed_names_the_sites_to_look_at(view):
    states = SiteStates(view, SystemClock())
    states.review()
    with view.listen() as changes:
        view.touch_node("a.n1")
        assert list(states.touched(changes.drain())) == ["a"]
        view.touch_site("b")
        view.add_site("c", 0)
        assert list(states.touched(changes.drain())) == ["b", "c"]
        view.remove_site("a")
        assert list(states.touched(changes.drain())) == ["a"]
        assert states.review(["a", "never"]) == ["a"]


def test_who_is_active_and_that_nobody_could_take_it_are_told(view):
    states = SiteStates(view, SystemClock())
    states.review()
    assert (states.states["a"].redundancy, states.states["a"].active) == ("none", "")
    hosts = ["n1", "n2"]
    view.nodes["a.n1"].ha = HaReport(
        v=1,
        profile="default",
        nodes=hosts,
        voters=hosts,
        cfgver=1,
        groups=[
            HaGroup(name="main", model="2N", hosts=hosts, role=HaRole.ACTIVE, epoch=8),
            HaGroup(name="site", model="site", hosts=hosts, role=HaRole.ACTIVE, epoch=3),
        ],
    )
    assert states.review(["a"]) == ["a"]
    assert (states.states["a"].redundancy, states.states["a"].active) == ("lost", "main=n1")
