"""The alarm of a lost majority: not before there was time to hear anybody, and once."""

from ha_site import H_MS, settled

from roost_agent.ha import core_events as ev
from roost_agent.ha.quorum_watch import NO_QUORUM, QuorumWatch
from roost_protocol.electorate import Electorate

THREE = Electorate(7, (0, 1, 2), (0, 1, 2), sticky=False)


def heard_by(site):
    return lambda voter, _now_ms: site.nodes[0].members.is_there(voter)


def test_it_is_raised_once_and_cleared_once():
    site = settled()
    watch = QuorumWatch(THREE, heard_by(site), 0)
    assert watch.look(site.now_ms) is None
    site.nodes[1].is_up = site.nodes[2].is_up = False
    site.run(30 * H_MS)
    assert watch.look(site.now_ms) == ev.Raise(NO_QUORUM, {"reason": "1 of 3 voters are heard"})
    assert watch.look(site.now_ms) is None
    site.nodes[1].is_up = True
    site.run(30 * H_MS)
    assert watch.look(site.now_ms) == ev.Clear(NO_QUORUM)


def test_a_start_has_time_to_hear_somebody():
    site = settled()
    site.nodes[1].is_up = site.nodes[2].is_up = False
    site.run(30 * H_MS)
    watch = QuorumWatch(THREE, heard_by(site), site.now_ms)
    assert watch.look(site.now_ms) is None
    assert watch.look(site.now_ms + 1) is not None


def test_a_pair_has_no_majority_to_lose():
    site = settled(count=2)
    site.nodes[1].is_up = False
    site.run(30 * H_MS)
    pair = Electorate(7, (0, 1), (0, 1), sticky=True)
    assert QuorumWatch(pair, heard_by(site), 0).look(site.now_ms) is None
