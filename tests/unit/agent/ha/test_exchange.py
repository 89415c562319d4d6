"""What one part of a core says is heard by the parts that it is for."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.member import MemberState


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more="")


def test_who_lost_a_lease_to_another_joins_again(site):
    active = site.settled()
    site.tell(active, ev.Give("main", "ordered", 1 - active))
    site.until(lambda: site.holders() == [1 - active])
    site.run(1_000)
    assert site.boxes[2].core.members.state(active) is MemberState.JOINING
    box = site.boxes[active]
    assert box.core.members.joining_ms(active, site.clock(box)) > 0
    site.run(30_000)
    assert site.boxes[2].core.members.state(active) is MemberState.ALIVE


def test_events_of_a_lease_that_is_not_there_change_nothing(site):
    site.settled()
    for said in (le.Armed(1), le.Disarmed(1), le.ArmRefused(1, "w")):
        assert site.tell(0, ev.OfLease("x", said)) is None


def test_stalls_slow_disks_and_load_reach_the_detector(site):
    site.settled()
    core = site.boxes[0].core
    site.tell(0, ev.Lagged(10_000))
    site.tell(0, ev.Score(300))
    assert core.members.lhm == 3
    assert core.members.score == 300
    site.tell(0, ev.Persisted(10**9, 5_000))
    assert core.members.lhm == 4


def test_a_group_waits_for_the_one_that_it_needs(site):
    site.start(eligible=False)
    for index in (0, 1):
        site.tell(index, ev.Eligible("web", ok=True))
    site.run(4_000)
    assert site.holders("web") == []
    assert site.boxes[0].core.bar("web") == "main, which it requires, is active nowhere"
    for index in (0, 1):
        site.tell(index, ev.Eligible("main", ok=True))
    site.until(lambda: site.holders() and site.holders("web"))


def test_a_lack_of_proof_is_told_once_of_each_group_that_lacks_it(pair):
    active = pair.settled()
    standby = pair.boxes[1 - active]
    pair.tell(standby.index, ev.NoProof(""))
    assert standby.of(ev.Clear, type="400.804") == [], "there was none"
    pair.reboot(active)
    pair.until(lambda: standby.of(ev.Raise, type="400.804"))
    groups = {"group=main"}  # what requires it does not stand, so it lacks nothing
    assert {each.entity for each in standby.of(ev.Raise)} == groups
    pair.tell(standby.index, ev.NoProof("its BMC is dead"))
    last = standby.of(ev.Raise)[-len(groups) :]
    assert {(each.entity, each.params["reason"]) for each in last} == {
        (group, "its BMC is dead") for group in groups
    }
    pair.tell(standby.index, ev.NoProof(""))
    assert standby.of(ev.Clear, type="400.804") == [], "the lease lacks it still"
    pair.tell(standby.index, ev.Proven(active, "an operator's word"))
    pair.until(lambda: {each.entity for each in standby.of(ev.Clear, type="400.804")} == groups)


def test_a_fence_that_proves_nothing_is_told_where_no_group_waits_for_it(pair):
    standby = pair.boxes[1 - pair.settled()]
    pair.tell(standby.index, ev.NoProof("its BMC is dead"))
    assert standby.of(ev.Raise)[-1].entity == ""
    pair.tell(standby.index, ev.NoProof(""))
    assert standby.of(ev.Clear)[-1].entity == ""
