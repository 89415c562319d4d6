"""What a core knows by its parts, and says of itself."""

import pytest
from ha_cores import START_MS, Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_protocol.voter_events import Persist


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


def test_a_host_is_sole_when_no_other_is_there(site):
    active = site.settled()
    core = site.boxes[active].core
    assert not core.is_sole("main")
    site.boxes[1 - active].is_up = False
    site.run(10_000)
    assert core.is_sole("main")


def test_nodes_have_names_for_people(site):
    core = site.start().boxes[0].core
    assert [core.name_of(node) for node in (1, 9, None)] == ["c1", "node 9", "nobody"]
    assert site.now_ms == START_MS
    assert site.boxes[0].of(Persist)


def test_services_that_could_not_run_here_bar_a_node(site):
    site.start(eligible=False)
    site.run(3_000)
    core = site.boxes[0].core
    assert site.holders() == []
    assert core.bar("main") == "its services were not looked at yet"
    assert core.bar(SITE_LEASE) == ""
    site.tell(0, ev.Eligible("main", ok=False, why="lag"))
    assert core.bar("main") == "lag"
    site.tell(0, ev.Eligible("main", ok=False))
    assert core.bar("main") == "its services could not run here"
