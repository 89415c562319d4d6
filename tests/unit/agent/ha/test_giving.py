"""What a node gives away by its own choice, over whole cores."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.membership_events import Replaced
from roost_agent.ha.moves import HELD_BACK, MOVES_MAX
from roost_agent.ha.redundancy import RedundancyState
from roost_protocol.explain import Explain


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


def test_the_worse_connected_holder_gives_way_once_and_is_barred(site):
    active = site.settled()
    site.cut = {(None, active, 0), (active, None, 0), (None, active, 3), (active, None, 3)}
    site.until(lambda: site.holders() == [1 - active])
    box = site.boxes[active]
    assert box.of(ev.Keep)[-1].state is RedundancyState.FAILED
    assert box.core.bar("main") == "another node is better connected"
    assert box.of(ev.Stop)[0].why == "another node is better connected"


def test_a_holder_gives_way_to_nobody_who_joined_a_moment_ago_and_then_does(site):
    active = site.settled()
    box = site.boxes[active]
    box.core.members.handle(Replaced(1 - active), site.clock(box))
    site.cut = {(None, active, 0), (active, None, 0), (None, active, 3), (active, None, 3)}
    site.run(20_000)
    assert box.core.members.redundancy is RedundancyState.FAILED
    assert site.holders() == [active]
    site.run(11_000)
    assert site.holders() == [1 - active]


def test_a_node_that_moved_too_often_stays(site):
    active = site.settled()
    core, now_ms = site.boxes[active].core, site.clock(site.boxes[active])
    for epoch in range(MOVES_MAX):
        core.moves.moved("main", 1_000 + epoch, now_ms)
    site.cut = {(None, active, 0), (active, None, 0), (None, active, 3), (active, None, 3)}
    site.run(4_000)
    assert core.members.redundancy is RedundancyState.FAILED
    assert site.holders() == [active]
    answer = site.tell(active, ev.Give("main", "db failed", is_chosen=True))
    assert (answer.ok, answer.sentence) == (False, HELD_BACK)
    assert f"main stays: {HELD_BACK}; db failed" in site.boxes[active].of(Explain)[-1].sentence


def test_chosen_moves_count_on_every_node_and_over_a_restart_of_the_agent(site):
    where = site.settled()
    for _ in range(MOVES_MAX):
        assert site.tell(where, ev.Give("main", "db failed", is_chosen=True)).ok
        where = 1 - where
        site.until(lambda: site.holders() == [where])  # noqa: B023 - it is called at once
        site.run(3_000)
    box = site.boxes[where]
    box.is_up = False
    site.run(50)
    site.start(where)
    site.run(3_000)
    assert site.tell(where, ev.Give("main", "db failed", is_chosen=True)).sentence == HELD_BACK
    assert site.tell(1 - where, ev.Give("main", "db failed", is_chosen=True)) is None, "holds none"
    assert site.tell(where, ev.Give("main", "ordered", 1 - where)).ok, "a person's word"
