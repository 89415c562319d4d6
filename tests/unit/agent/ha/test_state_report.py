"""What a node tells of its local HA: its part in each group, and what alarms are judged by."""

from types import SimpleNamespace

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.standing import GroupFacts, standing
from roost_agent.ha.state_report import facts, faults, report, roles
from roost_protocol.ha_report import HaRole
from roost_protocol.host import Admin, Avail, Oper
from roost_protocol.host_word import HostWord, pack


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


def runtime(site, index, **shells):
    box = site.boxes[index]
    alone = {"guard": None, "workload": None, "fencing": None, "lan": None, "broker": None}
    alone["bites"] = None
    store = SimpleNamespace(fault="")
    return SimpleNamespace(
        core=box.core,
        config=box.core.config,
        guard_report=None,
        now_ms=lambda: site.clock(box),
        shells=SimpleNamespace(paths=[], **{**alone, "store": store, **shells}),
    )


def test_a_node_is_active_standby_barred_or_a_voter_of_each_group(site):
    active = site.settled()
    standby = 1 - active
    assert roles(site.boxes[active].core)["main"][0] is HaRole.ACTIVE
    assert roles(site.boxes[standby].core)["main"][0] is HaRole.STANDBY
    assert roles(site.boxes[2].core)["main"][0] is HaRole.VOTER
    box = site.boxes[standby]
    site.tell(standby, ev.Pause("main", site.clock(box) + 60_000))
    assert roles(box.core)["main"][0] is HaRole.BARRED


def test_an_active_group_lacks_its_standby_once_that_one_is_gone(site):
    active = site.settled()
    assert facts(runtime(site, active)).groups == (GroupFacts("main", 1, 1),)
    site.boxes[1 - active].is_up = False
    site.run(5_000)
    assert facts(runtime(site, active)).groups == (GroupFacts("main", 0, 1),)
    assert facts(runtime(site, 2)).groups == ()


def test_the_whole_is_one_report_with_the_faults_of_the_node(site):
    active = site.settled()
    lost = SimpleNamespace(lost=SimpleNamespace(is_set=lambda: True))
    told = report(
        runtime(site, active, guard=lost, store=SimpleNamespace(fault="disk full")), 10**12
    )
    assert (told.voters, told.has_quorum) == (["c0", "c1", "w1"], True)
    assert {"disk full", "the guard does not answer"} <= set(told.faults)
    assert [way.name for way in told.ways][:2] == ["mgmt/c0", "cluster/c1"]
    assert faults(runtime(site, active)) == []


def test_a_host_that_is_locked_stands_for_no_group_and_tells_its_site(site):
    active = site.settled()
    standby = 1 - active
    site.tell(standby, ev.HostIs(9, "the host is locked by ann"))
    core = site.boxes[standby].core
    assert roles(core)["main"][0] is HaRole.BARRED
    assert (core.bar("main"), core.bar("site")) == ("the host is locked by ann", "")
    site.run(2_000)
    told = site.boxes[active].core.members.report(standby)
    assert (told.host, "main" in told.barred) == (9, True)
    site.boxes[active].is_up = False
    site.run(20_000)
    assert roles(core)["main"][0] is HaRole.BARRED, "also if nobody else is left"
    site.tell(standby, ev.HostIs(4))
    site.run(10_000)
    assert roles(core)["main"][0] is HaRole.ACTIVE


def test_redundancy_that_a_locked_standby_takes_is_lost_by_an_order_until_it_is_unlocked(site):
    active = site.settled()
    standby = 1 - active
    locked = HostWord((Admin.LOCKED, Oper.DISABLED, Avail.ONLINE))
    site.tell(standby, ev.HostIs(pack(locked), "the host is locked by ann"))
    site.run(2_000)
    by_order = GroupFacts("main", 0, 1, is_ordered=True)
    assert facts(runtime(site, active)).groups == (by_order,)
    site.boxes[standby].is_up = False
    site.run(5_000)
    assert facts(runtime(site, active)).groups == (by_order,), "it is booted, as it was told to"
    [lost] = [
        each for each in standing(facts(runtime(site, active))).samples if "main" in each.entity
    ]
    assert lost.is_ordered


def test_redundancy_that_a_standby_takes_with_it_by_itself_is_lost_by_no_order(site):
    active = site.settled()
    unlocked = HostWord((Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE))
    site.tell(1 - active, ev.HostIs(pack(unlocked)))
    site.run(2_000)
    site.boxes[1 - active].is_up = False
    site.run(5_000)
    assert facts(runtime(site, active)).groups == (GroupFacts("main", 0, 1),)
