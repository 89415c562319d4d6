"""The words of several nodes, put side by side."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host
from host_words import report as host_report

from roost_central.fleet.availability import groups_of, redundancy_of, role_of
from roost_central.fleet.view import FleetView, NodeRow
from roost_central.hosts.core import HostsWord, words_of
from roost_protocol.ha_report import HaGroup, HaPeer, HaReport, HaRole

SINCE_MS = 70_000
ALIVE, LOST = "alive", "lost"
ACTIVE, STANDBY, BARRED = HaRole.ACTIVE, HaRole.STANDBY, HaRole.BARRED


def group(role, epoch=0, *, name="main", model="2N", hosts=("c0", "c1")):
    return HaGroup(name=name, model=model, hosts=list(hosts), role=role, epoch=epoch)


def report(*groups, hears=()):
    return HaReport(
        v=1,
        profile="fast",
        nodes=["c0", "c1", "w1"],
        voters=["c0", "c1", "w1"],
        cfgver=1,
        groups=list(groups),
        peers=[HaPeer(node, state, SINCE_MS) for node, state in hears],
    )


def only(reports, *, dark=(), heard_ms=None):
    """The one group that reports are of; of the nodes the ``dark`` are not heard now."""
    nodes = []
    for number, (name, said) in enumerate(reports.items()):
        row = NodeRow(number, f"lab.{name}", "lab", name, heard_ms=heard_ms, ha=said)
        row.presence = "unreachable" if name in dark else "online"
        nodes.append(row)
    (found,) = groups_of(nodes)
    return found


def told(found):
    return [(lack.why, lack.since_ms) for lack in found.lacks]


def test_the_active_node_says_so_itself_and_hears_its_standby():
    found = only(
        {
            "c0": report(group(ACTIVE, 8), hears=[("c1", "alive")]),
            "c1": report(group(STANDBY, 8), hears=[("c0", "alive")]),
        }
    )
    assert (found.active, found.epoch, found.standby) == (("c0",), 8, ("c1",))
    assert found.redundancy == "ok"


@pytest.mark.parametrize(
    ("role", "state"), [(STANDBY, "lost"), (STANDBY, "suspect"), (BARRED, "alive")]
)
def test_a_standby_that_is_not_heard_or_may_not_stand_is_none(role, state):
    standby = report(group(role, 8), hears=[("c0", "alive")])
    found = only({"c0": report(group(ACTIVE, 8), hears=[("c1", state)]), "c1": standby})
    assert (found.redundancy, found.standby) == ("lost", ())


def pair(first, second, **how):
    """c0 is active and c1 stands by, by their last words; how each takes the other."""
    return only(
        {
            "c0": report(group(ACTIVE, 8), hears=[("c1", first)]),
            "c1": report(group(STANDBY, 8), hears=[("c0", second)]),
        },
        **how,
    )


def test_an_active_that_its_standby_hears_no_more_is_not_taken_at_its_last_word():
    """It was killed a moment ago: the centre has yet to miss it."""
    found = pair(ALIVE, LOST)
    assert (found.active, found.redundancy, found.standby) == (("c0",), "lost", ())
    assert told(found) == [("c1 takes c0 for lost", SINCE_MS)]


def test_an_active_that_nobody_hears_is_lost_since_it_was_heard():
    found = pair(ALIVE, LOST, dark=["c0"], heard_ms=66_000)
    assert (found.active, found.redundancy, found.standby) == (("c0",), "lost", ())
    assert told(found) == [("c0 is not heard", 66_000)]


def test_a_node_without_wan_that_the_other_hears_is_there():
    for silent in ("c0", "c1"):
        found = pair(ALIVE, ALIVE, dark=[silent])
        assert (found.redundancy, found.standby, found.lacks) == ("ok", ("c1",), ())


def test_the_word_of_a_node_that_is_not_heard_says_nothing_of_whom_it_hears():
    assert pair(ALIVE, LOST, dark=["c1"]).redundancy == "ok", "it was so before its WAN went"
    assert pair(LOST, ALIVE, dark=["c1"]).redundancy == "lost"


def test_of_a_group_of_whose_site_nobody_is_heard_nothing_is_known():
    found = pair(ALIVE, ALIVE, dark=["c0", "c1"], heard_ms=66_000)
    assert (found.redundancy, told(found)) == ("unknown", [("c0 is not heard", 66_000)])


def test_a_witness_vouches_for_whom_it_hears():
    hosts = {
        "c0": report(group(ACTIVE, 8), hears=[("c1", ALIVE)]),
        "c1": report(group(STANDBY, 8), hears=[("c0", ALIVE)]),
    }
    for state, redundancy in ((ALIVE, "lost"), (LOST, "lost")):
        voter = report(group(HaRole.VOTER, 8), hears=[("c0", state), ("c1", state)])
        found = only(hosts | {"w1": voter}, dark=["c0", "c1"], heard_ms=5)
        assert found.redundancy == redundancy
        why = "neither it nor c0 is heard" if state == ALIVE else "c0 is not heard"
        assert told(found) == [(why, 5)]


def test_nobody_is_active_only_where_nobody_who_is_there_could_be_it():
    def stand_by(state):
        return {
            "c0": report(group(STANDBY)),
            "c1": report(group(STANDBY), hears=[("c0", state)]),
        }

    assert only(stand_by(ALIVE)).redundancy == "down"
    assert only(stand_by(LOST), dark=["c0"]).redundancy == "down"
    found = only(stand_by(ALIVE), dark=["c0"], heard_ms=9)
    assert (found.redundancy, told(found)) == ("unknown", [("c0 is not heard", 9)])


def test_a_standby_that_never_spoke_is_none():
    found = only({"c0": report(group(ACTIVE, 8), hears=[("c1", "alive")])})
    assert found.redundancy == "lost"
    assert [host.said for host in found.hosts][1] is None


def test_of_two_that_say_so_the_later_turn_counts():
    """The node that died still says what it was."""
    dead = report(group(ACTIVE, 8), hears=[("c1", "alive")])
    found = only({"c0": dead, "c1": report(group(ACTIVE, 33), hears=[("c0", "lost")])})
    assert (found.active, found.epoch, found.redundancy) == (("c1",), 33, "lost")
    assert told(found) == [("c1 takes c0 for lost", SINCE_MS)]


def test_a_host_whose_word_is_over_is_not_shown_by_it():
    dead = report(group(ACTIVE, 8), hears=[("c1", "alive")])
    taken = report(group(ACTIVE, 33), hears=[("c0", "lost")])
    of_c0, of_c1 = only({"c0": dead, "c1": taken}).hosts
    assert of_c0.outdated == "it said that it was active before c1 was"
    assert of_c1.outdated == ""
    waits = report(group(STANDBY, 8), hears=[("c0", "lost")])
    of_c0, of_c1 = only({"c0": dead, "c1": waits}, dark=["c0"]).hosts
    assert of_c0.outdated == "it is not heard; it said last: active"
    assert of_c1.outdated == ""


def test_a_group_that_stops_is_still_held():
    found = only({"c0": report(group(HaRole.STOPPING, 8), hears=[("c1", "alive")])})
    assert found.active == ("c0",)


def test_a_group_without_active_is_down():
    assert only({"c0": report(group(STANDBY)), "c1": report(group(BARRED))}).redundancy == "down"


def test_what_runs_everywhere_is_whole_only_where_every_host_runs_it():
    everywhere = {"name": "logs", "model": "N"}
    cases = {(ACTIVE, ACTIVE): "ok", (ACTIVE, BARRED): "lost", (BARRED, BARRED): "down"}
    for (one, other), redundancy in cases.items():
        found = only(
            {"c0": report(group(one, **everywhere)), "c1": report(group(other, **everywhere))}
        )
        assert found.redundancy == redundancy
        assert found.epoch == 0


def test_what_runs_everywhere_lacks_the_host_that_nobody_hears():
    logs = group(ACTIVE, name="logs", model="N")
    for state, redundancy in ((ALIVE, "ok"), (LOST, "lost")):
        reports = {"c0": report(logs), "c1": report(logs, hears=[("c0", state)])}
        found = only(reports, dark=["c0"])
        assert found.redundancy == redundancy
        assert ("c0" in found.active) == (state == ALIVE)
    assert only({"c0": report(logs), "c1": report(logs)}, dark=["c0", "c1"]).redundancy == "unknown"


def test_the_built_in_lease_needs_no_standby():
    site = {"name": "site", "model": "site"}
    assert only({"c0": report(group(ACTIVE, 3, **site))}).redundancy == "ok"
    assert only({"c0": report(group(STANDBY, 3, **site))}).redundancy == "down"


@pytest.fixture
def view():
    view = FleetView()
    view.add_site("lab", 1)
    for name in ("c0", "c1"):
        view.add_node(f"lab.{name}", "lab", name).presence = "online"
    return view


def test_a_site_is_as_redundant_as_its_worst_group(view):
    assert redundancy_of(view.sites["lab"], view) == "none"
    view.nodes["lab.c0"].ha = report(
        group(ACTIVE, 8), group(ACTIVE, 3, name="web"), hears=[("c1", "alive")]
    )
    c0 = [("c0", ALIVE)]
    view.nodes["lab.c1"].ha = report(group(STANDBY), group(BARRED, name="web"), hears=c0)
    assert redundancy_of(view.sites["lab"], view) == "lost"
    view.nodes["lab.c1"].ha = report(group(STANDBY), group(STANDBY, name="web"), hears=c0)
    assert redundancy_of(view.sites["lab"], view) == "ok"


def test_a_dark_site_is_unknown_and_not_as_it_was(view):
    view.nodes["lab.c0"].ha = report(group(ACTIVE, 8), hears=[("c1", "alive")])
    view.nodes["lab.c1"].ha = report(group(STANDBY))
    for node in view.nodes.values():
        node.presence = "unreachable"
    assert redundancy_of(view.sites["lab"], view) == "unknown"


def test_a_node_s_role_is_of_its_groups_and_not_of_the_built_in_lease(view):
    node = view.nodes["lab.c0"]
    assert role_of(node) is None
    cases = {
        "active": [group(STANDBY), group(ACTIVE, name="web")],
        "standby": [group(STANDBY), group(ACTIVE, name="site", model="site")],
        "none": [group(BARRED), group(ACTIVE, name="logs", model="N")],
    }
    for role, groups in cases.items():
        node.ha = report(*groups)
        assert role_of(node) == role


def test_of_a_host_that_is_locked_it_is_said_that_it_is():
    rows = []
    for number, (name, role, state) in enumerate(
        (("c0", ACTIVE, "available"), ("c1", BARRED, "locked"))
    ):
        row = NodeRow(number, f"lab.{name}", "lab", name, presence="online")
        other = "c1" if name == "c0" else "c0"
        row.ha = report(group(role, 8), hears=[(other, "alive")])
        word = HostsWord("lab", 1, 2, host_report(host(name, state), by="lab.c0"))
        row.host = words_of([word])[row.node]
        rows.append(row)
    [found] = groups_of(rows)
    assert [lack.why for lack in found.lacks] == ["c1 is locked"]
