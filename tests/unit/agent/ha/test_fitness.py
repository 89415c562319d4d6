"""Whom a lease may be given to, as far as beats say."""

from ha_site import H_MS, beat, settled

from roost_agent.ha.fitness import unfit, unready
from roost_agent.ha.health import LHM_UNFIT
from roost_agent.ha.membership_events import BeatHeard, Replaced
from roost_protocol.ha import LEAVING, MAINTENANCE, Belief, LeaseState

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
    assert told(site, barred=0b01, standing=MAINTENANCE).startswith("it is in maintenance")
    assert told(site, barred=0b10, standing=MAINTENANCE) == "", "another group is kept from it"


def test_who_is_not_there_or_told_nothing_is_unfit():
    site = settled()
    site.nodes[1].is_up = False
    site.run(30 * H_MS)
    assert unfit(site.nodes[0].members, 1, "main") == "it is lost"
    site = settled()
    site.nodes[0].members._members[1].report = None
    assert unfit(site.nodes[0].members, 1, "main") == "it told nothing of itself yet"


def test_who_joined_a_moment_ago_could_take_it_and_is_no_target_of_a_move_that_could_wait():
    site = settled()
    assert told(site) == ""
    members, now_ms = site.nodes[0].members, site.now_ms
    assert unready(members, 1, "main", now_ms) == ""
    members.handle(Replaced(1), now_ms)
    assert unfit(members, 1, "main") == ""
    why = "it joined a moment ago, and is let be for 30 s more"
    assert unready(members, 1, "main", now_ms) == why
    assert unready(members, 1, "main", now_ms + 29_001).endswith("for 1 s more")
    assert unready(members, 1, "main", now_ms + 30_000) == ""
