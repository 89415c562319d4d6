"""Every change of membership has its sentence, and the names are those of the site."""

from roost_agent.ha.member import MemberState
from roost_agent.ha.member_words import explained
from roost_agent.ha.membership_events import MemberChanged, PathChanged, RedundancyChanged
from roost_agent.ha.peer_path import PeerPathState
from roost_agent.ha.redundancy import RedundancyState


def said(action):
    return explained(action, {3: "c1"}.__getitem__, {2: "lan-a/n1"}.__getitem__)


def test_a_member_a_path_and_the_redundancy_have_their_words():
    told = said(MemberChanged(3, MemberState.ALIVE, MemberState.SUSPECT, "silent"))
    assert told.sentence == "c1: alive -> suspect: silent"
    assert told.evidence == {"node": "c1", "old": "alive", "new": "suspect"}
    told = said(PathChanged(3, 2, PeerPathState.UP, PeerPathState.DOWN))
    assert told.sentence == "path lan-a/n1 to c1: up -> down"
    assert told.evidence["path"] == 2
    told = said(RedundancyChanged(RedundancyState.FAILED, (2, 3), (3, 6)))
    assert told.sentence == (
        "connections failed: this host is the worse connected one: it gives way until all is whole"
        " (hears 2 voters, path score 3, the best other hears 3 voters, path score 6)"
    )
    assert told.evidence["other"] == "hears 3 voters, path score 6"
    told = said(RedundancyChanged(RedundancyState.NORMAL, (3, 6)))
    assert told.sentence.endswith("each voter that is there carries again")
