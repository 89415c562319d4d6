"""Whether a node may go down, over whole cores: by what it holds and by who would be left."""

import pytest
from ha_cores import Cores

from roost_agent.control.message import GoDown
from roost_agent.ha import core_events as ev
from roost_agent.ha.may_go_down import may_go_down


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more="")


def asked(site, index):
    box = site.boxes[index]
    return may_go_down(box.core, site.clock(box))


def test_before_the_first_write_nobody_knows(site):
    for box in site.boxes:
        box.disk_fails = True
    site.start()
    assert asked(site, 0).verdict is GoDown.NO
    assert "only starts" in asked(site, 0).sentence


def test_an_active_node_may_after_its_group_moved(site):
    active = site.settled()
    other = site.boxes[active].core.name_of(1 - active)
    told = asked(site, active)
    assert (told.verdict, told.moves) == (GoDown.AFTER_TRANSFER, {"main": other})
    assert told.sentence.startswith(f"after transfer: main to {other} ")


def test_who_holds_nothing_may_while_all_voters_are_there(site):
    active = site.settled()
    for index in (1 - active, 2):
        assert asked(site, index).verdict is GoDown.YES


def test_nobody_may_while_another_voter_is_out(site):
    active = site.settled()
    site.boxes[2].is_up = False
    site.run(3_000)
    for index in (active, 1 - active):
        told = asked(site, index)
        assert told.verdict is GoDown.NO
        assert "1 of 3 voters would be left, and 2 must agree; not heard: w1" in told.sentence


def test_of_five_a_majority_that_is_left_is_not_enough_while_one_is_out(tmp_path):
    site = Cores(tmp_path, names=("c0", "c1", "w1", "w2", "w3"))
    active = site.settled()
    assert asked(site, 4).verdict is GoDown.YES
    site.boxes[3].is_up = False
    site.run(3_000)
    for index in (active, 4):
        assert asked(site, index).sentence == ("no: another voter is out already; not heard: w2")


def test_what_nobody_could_take_keeps_its_node(site):
    active = site.settled()
    standby = 1 - active
    site.tell(standby, ev.Pause("main", site.clock(site.boxes[standby]) + 60_000))
    site.run(1_000)
    told = asked(site, active)
    assert told.verdict is GoDown.NO
    assert "main runs here and nobody could take it" in told.sentence
    assert "maintenance" in told.sentence


def test_what_stops_just_now_is_waited_for(site):
    active = site.settled()
    site.tell(active, ev.Give("main", "test", 1 - active))
    told = asked(site, active)
    assert told.sentence == "no: main stops here just now: ask again in a moment"


def test_a_pairs_standby_may_always_and_its_owner_while_it_is_there(pair):
    active = pair.settled()
    assert asked(pair, 1 - active).verdict is GoDown.YES
    assert asked(pair, active).verdict is GoDown.AFTER_TRANSFER
    pair.boxes[1 - active].is_up = False
    pair.run(5_000)
    told = asked(pair, active)
    assert told.verdict is GoDown.NO
    assert "it is lost" in told.sentence
