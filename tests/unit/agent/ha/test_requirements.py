"""What a group requires: asked for before it is active, and told where it lacks."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_protocol.explain import Explain

NOWHERE = "main, which it requires, is active nowhere"


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


def patience_ms(site):
    return site.config.timing.promise_ms(site.config.timing.watchdog_ms)


def told(site, index):
    """What a node said of requirements, in order."""
    every = site.boxes[index].of(Explain)
    return [each.sentence for each in every if "requires" in each.evidence]


def able(site, name, *, ok=True, **more):
    for index in (0, 1):
        site.tell(index, ev.Eligible(name, ok=ok, **more))


def test_why_a_group_is_not_started_is_told_once_it_lasted_and_that_it_is_over(site):
    site.start(eligible=False)
    able(site, "web")
    site.run(1_000)
    assert site.boxes[0].core.bar("web") == NOWHERE
    assert told(site, 0) == [], "what is required may be on its way"
    site.run(2 * patience_ms(site))
    assert told(site, 0) == told(site, 1) == [f"web is not started: {NOWHERE}"]
    able(site, "main")
    site.until(lambda: site.holders("web"))
    site.run(1_000)
    assert told(site, 0)[1:] == ["main, which web requires, is active again"]
    (event,) = [
        each for each in site.boxes[0].of(Explain) if each.sentence.startswith("web is not started")
    ]
    assert event.evidence == {"group": "web", "requires": "main"}


def test_a_group_that_runs_goes_on_and_says_what_it_lacks(site):
    active = site.settled()
    able(site, "web")
    site.until(lambda: site.holders("web"))
    (runs,) = site.holders("web")
    able(site, "main", ok=False, why="lag")
    site.tell(active, ev.Give("main", "ordered"))
    site.until(lambda: site.holders() == [])
    site.run(2 * patience_ms(site))
    assert site.holders("web") == [runs]
    assert told(site, runs) == [f"web goes on, though {NOWHERE}"]
    assert told(site, 1 - runs) == [], "it runs there"
    assert site.boxes[runs].core.bar("web") == NOWHERE


def test_the_last_word_of_a_node_that_died_is_no_requirement_met(site):
    """Both ran there: the one that is required is taken over first."""
    site.settled()
    able(site, "web")
    site.until(lambda: site.holders("web"))
    (runs,) = site.holders("web")
    site.tell(site.holders()[0], ev.Give("main", "ordered", runs))
    site.until(lambda: site.holders() == [runs])
    site.run(3_000)
    able(site, "main", ok=False, why="lag")
    site.boxes[runs].is_up = False
    site.boxes[runs].runs.clear()
    site.run(10_000)
    other = site.boxes[1 - runs]
    assert other.lease().holder == runs, "nobody said anything since"
    assert site.holders("web") == []
    assert other.core.bar("web") == NOWHERE
    able(site, "main")
    site.until(lambda: site.holders("web") == [1 - runs])
    starts = [each.lease for each in other.of(ev.Start)]
    assert starts[-2:] == ["main", "web"]


def test_a_group_that_each_node_runs_for_itself_is_asked_for_here(site):
    site.settled()
    able(site, "web", lacks="logs")
    site.run(2 * patience_ms(site))
    assert site.holders("web") == []
    said = "web is not started: logs, which it requires, is not active here"
    assert told(site, 0) == [said]
    able(site, "web")
    site.until(lambda: site.holders("web"))


def test_no_slot_of_a_group_that_fails_over_is_a_requirement_by_itself(site):
    core = site.start().boxes[0].core
    assert core.requirements.lacking("main") is None
    assert core.requirements.lacking("nothing") is None
