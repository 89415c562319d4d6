"""Whom a lease may be given to, as far as beats say."""

from ha_site import H_MS, beat, settled

from roost_agent.ha.fitness import unfit
from roost_agent.ha.health import LHM_UNFIT
from roost_agent.ha.membership_events import BeatHeard
from roost_protocol.ha import LEAVING, Belief, LeaseState

BELIEFS = {name: Belief(1, None, 0, LeaseState.NONE) for name in ("main", "web")}


def told(site, **more):
    """Node 0 heard this of node 1, just now."""
    site.nodes[0].do(BeatHeard(beat(1, 10**6, leases=BELIEFS, **more), 0), site.now_ms)
    return unfit(site.nodes[0].members, 1, "main")


def test_a_healthy_node_may_have_it():
    assert told(settled()) == ""


def test_each_reason_against_it_has_its_words():
    site = settled()
    assert told(site, lhm=LHM_UNFIT) == "it is unwell (local health multiplier 4)"
    assert told(site, standing=LEAVING) == "its agent was told to end"
    assert told(site, barred=0b01).startswith("it says that it could not")
    assert told(site, barred=0b10) == "", "that is another lease"


def test_who_is_not_there_or_told_nothing_is_unfit():
    site = settled()
    site.nodes[1].is_up = False
    site.run(30 * H_MS)
    assert unfit(site.nodes[0].members, 1, "main") == "it is lost"
    site = settled()
    site.nodes[0].members._members[1].report = None
    assert unfit(site.nodes[0].members, 1, "main") == "it told nothing of itself yet"
