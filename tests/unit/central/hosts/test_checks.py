"""What stands in the way of an action: the last active, others at work, redundancy, the state."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report

from roost_central.fleet.view import FleetView
from roost_central.hosts.actions import ACTIONS
from roost_central.hosts.checks import Around, SeenAlarm, judge
from roost_central.hosts.core import HostsWord, words_of
from roost_central.orders.core import OrderRecord, State
from roost_protocol.ha_report import HaGroup, HaPeer, HaReport, HaRole

NODES = ("n1", "n2", "n3")


def ha(name, *, roles, voters=NODES, peers=NODES):
    groups = [
        HaGroup(name="web", model="2N", hosts=["n1", "n2"], role=roles[0], epoch=4,
                services={"nginx": "active"}),
        HaGroup(name="agents", model="N", hosts=list(NODES), role=HaRole.ACTIVE,
                services={"probe": "active"}),
        HaGroup(name="site", model="site", hosts=list(NODES), role=roles[1], epoch=9),
    ]  # fmt: skip
    heard = [HaPeer(peer, "alive", 1) for peer in peers if peer != name]
    return HaReport(
        v=1, profile="lan", nodes=list(NODES), voters=list(voters), cfgver=1, groups=groups,
        peers=heard,
    )  # fmt: skip


@pytest.fixture
def view():
    """Site lab: web is active on n1, n2 stands by, n1 speaks for the site."""
    view = FleetView()
    view.add_site("lab", 1)
    roles = {
        "n1": (HaRole.ACTIVE, HaRole.ACTIVE),
        "n2": (HaRole.STANDBY, HaRole.STANDBY),
        "n3": (HaRole.VOTER, HaRole.STANDBY),
    }
    for name in NODES:
        row = view.add_node(f"lab.{name}", "lab", name)
        row.presence, row.heard_ms = "online", 1
        row.ha = ha(name, roles=roles[name])
    return put(view, *map(host, NODES))


def put(view, *hosts, **said):
    view.put_hosts("lab", words_of([HostsWord("lab", 1, 2, report(*hosts, **said))]))
    return view


def codes(view, action, name="n1", around=None):
    verdict = judge(ACTIONS[action], view.nodes[f"lab.{name}"], view, around or Around())
    return [each.code for each in verdict.blockers]


def order(name, verb, state=State.READY, **given):
    return OrderRecord(
        id="0" * 32, node=f"lab.{name}", site="lab", verb=verb, given={"node": name} | given,
        reason="r", by="ada", placed_ms=1, not_after_ms=2, state=state, changed_ms=1,
    )  # fmt: skip


def test_nothing_is_in_the_way_of_a_lock_where_another_can_take_over(view):
    verdict = judge(ACTIONS["lock"], view.nodes["lab.n1"], view, Around())
    assert (verdict.blockers, verdict.receiver) == ((), "lab.n1")
    assert [(each.kind, each.services) for each in verdict.effects] == [
        ("moves", ("nginx",)), ("stops", ("probe",)), ("site", ()),
    ]  # fmt: skip
    assert "2 of 3 hosts of lab stay enabled" in [each.text for each in verdict.effects]


def test_a_reboot_takes_the_coordinator_away_and_a_lock_does_not(view):
    row = view.nodes["lab.n1"]
    found = {name: judge(ACTIONS[name], row, view, Around()).effects for name in ("lock", "reboot")}
    text = "another node becomes the coordinator of lab"
    assert {name: text in [each.text for each in effects] for name, effects in found.items()} == {
        "lock": False, "reboot": True,
    }  # fmt: skip


def test_the_last_active_is_named_with_why_nobody_else_can(view):
    row = view.nodes["lab.n2"]
    row.ha = ha("n2", roles=(HaRole.BARRED, HaRole.STANDBY))
    [blocker] = judge(ACTIONS["lock"], view.nodes["lab.n1"], view, Around()).blockers
    assert (blocker.code, blocker.can_force) == ("last-active", False)
    assert "roost host force-lock lab.n1" in blocker.todo
    assert "web" in blocker.text
    assert "n2: barred" in blocker.text
    assert codes(view, "force-lock") == []


def test_no_force_makes_a_switchover_to_nobody(view):
    view.nodes["lab.n2"].ha = ha("n2", roles=(HaRole.BARRED, HaRole.STANDBY))
    verdict = judge(ACTIONS["swact"], view.nodes["lab.n1"], view, Around())
    assert [each.code for each in verdict.blockers] == ["last-active"]
    assert not verdict.is_forcible


def test_a_switchover_is_for_the_holder_and_what_runs_everywhere_is_not_held(view):
    assert codes(view, "swact") == []
    assert codes(view, "swact", "n2") == ["nothing-active"]


def test_a_degraded_target_takes_force(view):
    put(view, host("n1"), host("n2", "degraded"), host("n3"))
    verdict = judge(ACTIONS["swact"], view.nodes["lab.n1"], view, Around())
    assert [each.code for each in verdict.blockers] == ["target-degraded"]
    assert verdict.is_forcible


def test_the_other_node_that_is_locked_is_named(view):
    put(view, host("n1"), host("n2", "locked"), host("n3", "locked"))
    [blocker] = [
        each
        for each in judge(ACTIONS["lock"], view.nodes["lab.n1"], view, Around()).blockers
        if each.code == "other-locked"
    ]
    assert "n2, n3 are locked" in blocker.text
    assert "roost host unlock lab.n2" in blocker.todo
    assert not blocker.can_force
    assert "other-locked" not in codes(view, "force-lock")


def test_the_only_host_of_a_site_is_the_last_one(view):
    view.add_site("solo", 1)
    view.add_node("solo.n1", "solo", "n1").presence = "online"
    said = report(host("n1"), by="solo.n1", epoch=0)
    view.put_hosts("solo", words_of([HostsWord("solo", 1, 2, said)]))
    row = view.nodes["solo.n1"]
    assert [each.code for each in judge(ACTIONS["lock"], row, view, Around()).blockers] == [
        "last-enabled"
    ]
    assert judge(ACTIONS["force-lock"], row, view, Around()).is_allowed


def test_two_are_not_taken_down_at_once_whoever_asks(view):
    around = Around(open_orders=[order("n2", "host-lock")])
    verdict = judge(ACTIONS["lock"], view.nodes["lab.n1"], view, around)
    assert [each.code for each in verdict.blockers] == ["other-act"]
    assert not verdict.is_forcible
    assert codes(view, "force-lock", around=around) == ["other-act"]
    assert codes(view, "maintenance", around=around) == []


def test_an_act_by_the_coordinator_counts_for_the_host_that_it_is_about(view):
    put(view, host("n1"), host("n2", "locked"), host("n3"))
    around = Around(open_orders=[order("n1", "host-power-off", node="n2")], board_by="lab.n1")
    assert codes(view, "power-off", "n2", around) == ["busy"]
    assert codes(view, "lock", "n3", around) == ["other-act"]


def test_one_runs_and_one_waits_for_each_host(view):
    waiting = [order("n1", "host-maintenance", State.TAKEN), order("n1", "host-swact")]
    assert codes(view, "lock", around=Around(open_orders=waiting)) == ["busy"]
    assert codes(view, "lock", around=Around(open_orders=waiting[:1])) == []
    assert codes(view, "swact", around=Around(open_orders=waiting[1:])) == ["busy"]


@pytest.mark.parametrize("away", ["n2", "n3"])
def test_voters_that_are_left_must_be_a_majority_and_no_force_helps(view, away):
    view.nodes[f"lab.{away}"].presence = "unreachable"
    assert "quorum" in codes(view, "force-lock")
    assert "quorum" not in codes(view, "maintenance")


def test_a_pair_needs_no_majority(view):
    for name in ("n1", "n2"):
        view.nodes[f"lab.{name}"].ha = ha(
            name, roles=(HaRole.ACTIVE, HaRole.ACTIVE), voters=("n1", "n2")
        )
    assert "quorum" not in codes(view, "force-lock")


@pytest.mark.parametrize(
    ("action", "state", "expected"),
    [
        ("lock", "locked", ["state"]),
        ("unlock", "available", ["state"]),
        ("unlock", "locked", []),
        ("recover", "available", ["state"]),
        ("recover", "failed", []),
        ("reboot", "locked", []),
        ("reboot", "available", ["state"]),
        ("reboot", "offline", ["state", "state"]),
        ("delete", "available", ["state"]),
        ("delete", "locked", []),
        ("maintenance", "failed", []),
    ],
)
def test_a_state_allows_an_action_or_is_named(view, action, state, expected):
    put(view, host("n1"), host("n2"), host("n3", state))
    assert codes(view, action, "n3") == expected


@pytest.mark.parametrize(
    ("action", "state", "todo"),
    [
        ("lock", "locked", "nothing is to be done"),
        ("force-lock", "locked", "nothing is to be done"),
        ("unlock", "available", "nothing is to be done"),
        ("recover", "locked", "`roost host unlock lab.n3` first"),
        ("delete", "available", "`roost host lock lab.n3` first"),
    ],
)
def test_who_wants_what_is_so_is_not_told_to_undo_it_first(view, action, state, todo):
    put(view, host("n1"), host("n2"), host("n3", state))
    [blocker] = judge(ACTIONS[action], view.nodes["lab.n3"], view, Around()).blockers
    assert blocker.todo.endswith(todo)


def test_a_deletion_says_what_goes_with_the_host(view):
    put(view, *(host(name, "locked") for name in NODES))
    verdict = judge(ACTIONS["delete"], view.nodes["lab.n1"], view, Around())
    assert [each.text for each in verdict.effects] == [
        "the certificate of n1 is revoked, and its alarms are cleared",
        "2 of 3 nodes of lab are left",
        "n1 is one of the 3 voters of lab",
    ]


def test_force_reboots_what_is_not_locked_and_nothing_that_is_away(view):
    verdict = judge(ACTIONS["reboot"], view.nodes["lab.n1"], view, Around())
    assert verdict.is_forcible
    put(view, host("n1"), host("n2"), host("n3", "offline"))
    assert not judge(ACTIONS["reboot"], view.nodes["lab.n3"], view, Around()).is_forcible


def test_of_a_dark_site_nothing_is_ordered(view):
    for row in view.nodes.values():
        row.presence = "unreachable"
    assert codes(view, "lock") == ["dark"]
    put(view, *(host(name, "locked") for name in NODES))
    assert codes(view, "delete") == []


def test_a_host_that_is_silent_is_locked_by_its_coordinator(view):
    put(view, host("n1"), host("n2", "failed"), host("n3"))
    view.nodes["lab.n2"].presence = "unreachable"
    view.nodes["lab.n3"].ha = ha("n3", roles=(HaRole.VOTER, HaRole.STANDBY), voters=("n1", "n3"))
    verdict = judge(ACTIONS["force-lock"], view.nodes["lab.n2"], view, Around())
    assert (verdict.blockers, verdict.receiver) == ((), "lab.n1")
    assert codes(view, "recover", "n2") == ["not-heard"]


def test_what_nobody_can_do_is_said_with_the_way_round(view):
    put(view, *(host(name, "locked") for name in NODES))
    assert codes(view, "reinstall") == ["not-supported"]
    assert codes(view, "power-off") == ["not-supported"]
    assert codes(view, "power-off", around=Around(board_by="lab.n1")) == []
    assert judge(
        ACTIONS["power-off"], view.nodes["lab.n2"], view, Around(board_by="lab.n1")
    ).receiver == "lab.n1"  # fmt: skip


BOARD = Around(board_by="lab.n1", board_type="redfish")


def test_an_image_takes_a_locked_host_and_a_board_with_virtual_media_that_another_node_reads(view):
    put(view, *(host(name, "locked") for name in NODES))
    verdict = judge(ACTIONS["reinstall"], view.nodes["lab.n2"], view, BOARD)
    assert (verdict.blockers, verdict.receiver) == ((), "lab.n1")
    assert codes(view, "reinstall", "n1", BOARD) == ["own-board"]
    ipmi = replace(BOARD, board_type="ipmi")
    [blocker] = judge(ACTIONS["reinstall"], view.nodes["lab.n2"], view, ipmi).blockers
    assert (blocker.code, "it speaks ipmi" in blocker.text) == ("not-supported", True)
    assert codes(view, "reinstall", "n2", replace(BOARD, board_type="")) == ["not-supported"]
    put(view, host("n1"), host("n2"), host("n3"))
    assert codes(view, "reinstall", "n2", BOARD) == ["state"]
    put(view, host("n1"), host("n2", "power-off"), host("n3"))
    assert codes(view, "reinstall", "n2", BOARD) == []


def test_no_image_where_the_node_is_alone_since_nobody_there_could_do_it():
    view = FleetView()
    view.add_site("lab", 1)
    view.add_node("lab.n1", "lab", "n1").presence = "online"
    put(view, host("n1", "locked"))
    [blocker] = judge(ACTIONS["reinstall"], view.nodes["lab.n1"], view, BOARD).blockers
    assert (blocker.code, blocker.can_force) == ("one-node", False)
    assert "roost-agent bmc media" in blocker.todo


def test_no_image_beside_another_act_and_no_other_host_goes_down_beside_it(view):
    put(view, host("n1"), host("n2", "locked"), host("n3"))
    for other, code in (
        (order("n2", "host-unlock"), "busy"),
        (order("n3", "host-lock"), "other-act"),
    ):
        around = replace(BOARD, open_orders=[other])
        assert codes(view, "reinstall", "n2", around) == [code]
    [rolled] = judge(
        ACTIONS["reinstall"], view.nodes["lab.n2"], view, replace(BOARD, is_rolled=True)
    ).blockers
    assert (rolled.code, rolled.can_force) == ("rollout", False)
    under_way = order("n1", "host-reinstall", State.TAKEN, node="n2")
    assert "other-act" in codes(view, "lock", "n3", Around(open_orders=[under_way]))
    assert codes(view, "unlock", "n2", Around(open_orders=[under_way])) == []


def test_no_power_act_in_a_storm_and_none_while_several_are_silent(view):
    put(view, *(host(name, "locked") for name in NODES))
    assert codes(view, "power-off", around=Around(board_by="lab.n1", is_storm=True)) == ["storm"]
    put(view, *(host(name, "locked") for name in NODES), is_mnfa=True)
    assert codes(view, "power-off", around=Around(board_by="lab.n1")) == ["storm"]
    put(view, *map(host, NODES), is_mnfa=True)
    assert codes(view, "lock") == ["storm"]


def test_a_rollout_at_work_is_waited_for_unless_it_is_forced(view):
    rolled = Around(is_rolled=True)
    verdict = judge(ACTIONS["lock"], view.nodes["lab.n1"], view, rolled)
    assert ([each.code for each in verdict.blockers], verdict.is_forcible) == (["rollout"], True)
    assert codes(view, "force-lock", around=rolled) == []
    assert codes(view, "maintenance", around=rolled) == []


def test_a_power_act_goes_to_who_reads_the_board(view):
    put(view, host("n1"), host("n2", "locked"), host("n3"))
    around = Around(board_by="lab.n3")
    verdict = judge(ACTIONS["power-off"], view.nodes["lab.n2"], view, around)
    assert (verdict.blockers, verdict.receiver) == ((), "lab.n3")
    view.nodes["lab.n3"].presence = "unreachable"
    assert codes(view, "power-off", "n2", around) == ["not-heard"]


def test_critical_alarms_where_the_services_would_go_are_in_the_way(view):
    bad = SeenAlarm("lab.n2", "100.101", "cpu 97 %", is_critical=True)
    verdict = judge(ACTIONS["lock"], view.nodes["lab.n1"], view, Around(alarms=[bad]))
    assert [each.code for each in verdict.blockers] == ["alarms"]
    assert "cpu 97 %" in verdict.blockers[0].text
    elsewhere = SeenAlarm("lab.n3", "100.101", "cpu 97 %", is_critical=True)
    assert codes(view, "lock", around=Around(alarms=[elsewhere])) == []


def test_an_unlock_waits_for_the_settings_unless_it_is_forced(view):
    put(view, host("n1"), host("n2"), host("n3", "locked"))
    config = view.nodes["lab.n3"].config
    config.applied_gen, config.desired_gen, config.state = 3, 4, "pending"
    verdict = judge(ACTIONS["unlock"], view.nodes["lab.n3"], view, Around())
    assert [(each.code, each.can_force) for each in verdict.blockers] == [("config-behind", True)]
    config.state = "in-sync"
    assert codes(view, "unlock", "n3") == []


def test_the_last_voter_is_not_deleted(view):
    put(view, *(host(name, "locked") for name in NODES))
    view.nodes["lab.n1"].ha = ha("n1", roles=(HaRole.ACTIVE, HaRole.ACTIVE), voters=("n1",))
    assert codes(view, "delete") == ["last-voter"]


def test_a_host_that_nobody_spoke_of_and_one_without_an_identity_are_told_so(view):
    view.add_node("lab.n4", "lab", "n4").presence = "online"
    assert codes(view, "lock", "n4") == ["unknown"]
    assert codes(view, "lock", around=Around(lacks="n1 is not enrolled")) == ["unreachable"]


def test_each_blocker_says_what_to_do_next(view):
    put(view, host("n1", "offline"), host("n2", "locked"), host("n3"), is_mnfa=True)
    for row in view.nodes.values():
        for action in ACTIONS.values():
            for each in judge(action, row, view, Around(lacks="no signer")).blockers:
                assert each.text
                assert each.todo
