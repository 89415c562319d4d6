"""Which alarms of local HA stand, by what is known on the node."""

from roost_agent.alarm_types import (
    CLEAR_TEXT,
    DAMPED,
    FORGED_FRAMES,
    GUARD_UNREADY,
    HA_TYPES,
    PEER_PATH,
    REDUNDANCY_LOST,
    SINGLE_NETWORK,
    VIP_CONFLICT,
    WATCHDOG_UNTESTED,
    shipped,
)
from roost_agent.alarms.service import refusal
from roost_agent.alarms.table import Raise
from roost_agent.ha.standing import Facts, GroupFacts, PeerFacts, standing

TYPES = shipped()


def found(facts):
    """What stands, each checked against the catalogue."""
    seen = standing(facts)
    assert seen.types == HA_TYPES
    for each in seen.samples:
        event = Raise(each.type, each.entity, each.severity, "", dict(each.params))
        assert refusal(event, TYPES) is None, each
    return [(each.type, each.entity) for each in seen.samples]


def test_nothing_stands_where_all_is_well():
    assert found(Facts(peers=(PeerFacts("c1", True),), groups=(GroupFacts("main", 1, 1),))) == []


def test_a_peer_that_is_silent_on_some_paths_is_named_with_each():
    peers = (PeerFacts("c1", True, ("mgmt/c0", "mgmt/udp")), PeerFacts("w1", True))
    assert found(Facts(peers=peers)) == [
        (PEER_PATH, "peer=c1,path=mgmt/c0"),
        (PEER_PATH, "peer=c1,path=mgmt/udp"),
    ]


def test_a_peer_that_is_gone_is_no_lost_network():
    assert found(Facts(peers=(PeerFacts("c1", False, ("mgmt/c0", "cluster/c1")),))) == []


def test_a_group_without_standby_has_lost_its_redundancy():
    assert found(Facts(groups=(GroupFacts("main", 0, 1),))) == [(REDUNDANCY_LOST, "group=main")]


def test_the_rest_stands_as_it_is_told():
    facts = Facts(
        guard="it does not answer",
        held_back={"main": "it left this node too often of late"},
        conflict="10.0.0.9/24 on eth0: 02:00:00:00:00:01",
        warnings=("network mgmt carries every path between c0 and c1",) * 9,
    )
    assert found(facts) == [
        (DAMPED, "group=main"),
        (GUARD_UNREADY, ""),
        (VIP_CONFLICT, ""),
        (SINGLE_NETWORK, ""),
    ]


def test_frames_that_no_member_made_are_told_with_their_kinds():
    assert found(Facts(forged="made with another key")) == [(FORGED_FRAMES, "")]


def test_clear_text_is_told_with_its_paths():
    reason = "this box has no identity of a fleet; paths mgmt/c0"
    assert found(Facts(clear_text=reason)) == [(CLEAR_TEXT, "")]
    assert found(Facts(untested=reason)) == [(WATCHDOG_UNTESTED, "")]
