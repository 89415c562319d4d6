"""An agent that is told to end: who takes over, how long it stays, what it leaves to the guard."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.member import MemberState
from roost_protocol.explain import Explain

ALL = ("site", "main", "web")


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more="")


def leave(site, index):
    """Tell an agent to end, and end it once it says good-bye; return after how long that was."""
    box = site.boxes[index]
    site.tell(index, ev.Leave())
    took_ms = site.until(lambda: box.of(ev.Left))
    site.run(5)  # its last words are on their way
    box.is_up = False
    return took_ms


def last_words(box):
    return box.of(Explain)[-1].sentence


def test_what_runs_goes_to_the_other_host_before_the_agent_ends(site):
    active = site.settled()
    epoch = site.boxes[active].runs["main"]
    took_ms = leave(site, active)
    assert site.holders() == [1 - active]
    assert site.boxes[1 - active].runs["main"] > epoch
    assert took_ms < site.config.timing.lease_ms, "nobody waited for a deadline"
    assert site.boxes[active].of(ev.Stop)[0].why == "its agent was told to end"
    assert last_words(site.boxes[active]) == "good-bye"


def test_of_a_pair_it_stays_until_the_other_has_it_since_both_must_vote(pair):
    active = pair.settled()
    leave(pair, active)
    assert pair.holders() == [1 - active]
    pair.run(20_000)
    assert pair.holders() == [1 - active]


def test_the_others_take_it_for_gone_and_not_for_lost_until_it_is_back(site):
    active = site.settled()
    leave(site, active)
    site.run(20_000)
    for index in {0, 1, 2} - {active}:
        assert site.boxes[index].core.members.state(active) is MemberState.LEFT
    site.start(active)
    site.run(1_000)
    assert site.boxes[2].core.members.state(active) is MemberState.JOINING


def test_a_node_that_holds_nothing_says_good_bye_at_once(site):
    site.settled()
    idle = [box.index for box in site.boxes if not any(box.lease(n).is_held for n in ALL)]
    assert leave(site, idle[0]) < 50


def test_what_nobody_could_take_stays_and_is_left_to_the_guard(site):
    active = site.settled()
    site.boxes[1 - active].is_up = False
    site.run(5_000)
    leave(site, active)
    box = site.boxes[active]
    assert box.runs["main"] == box.holds["main"][0]
    assert not box.of(ev.Stop, lease="main")
    assert "nobody could take" in last_words(box)
    assert "main" in last_words(box)


def test_a_host_that_could_not_run_it_is_given_nothing(site):
    active = site.settled()
    site.tell(1 - active, ev.Eligible("main", ok=False, why="lag"))
    site.run(1_000)
    leave(site, active)
    assert not site.boxes[active].of(ev.Stop, lease="main")


def test_a_successor_that_dies_on_the_way_keeps_nobody_waiting(site):
    active = site.settled()
    site.tell(active, ev.Leave())
    site.boxes[1 - active].is_up = False
    site.until(lambda: site.boxes[active].of(ev.Left))
    assert site.holders() == []


def test_who_leaves_takes_nothing_any_more(site):
    active = site.settled()
    leave_too = site.boxes[1 - active]
    site.tell(1 - active, ev.Leave())
    site.run(1_000)
    assert leave_too.core.bar("main") == leave_too.core.bar("site") == "its agent was told to end"
    site.tell(active, ev.Leave())
    site.until(lambda: site.boxes[active].of(ev.Left))
    assert site.holders() == [active], "two that leave do not play ball with it"


def test_a_stop_that_began_before_is_waited_for(site):
    active = site.settled()
    site.tell(active, ev.Give("main", "ordered", 1 - active))
    site.tell(active, ev.Leave())
    assert not site.boxes[active].of(ev.Left)
    site.until(lambda: site.boxes[active].of(ev.Left))
    assert site.holders() == [1 - active]


def test_an_agent_that_only_begins_has_nothing_to_give(site):
    site.boxes[0].disk_fails = True
    site.start(0)
    site.tell(0, ev.Leave())
    site.tell(0, le.Tick(0.5))
    assert len(site.boxes[0].of(ev.Left)) == 1
