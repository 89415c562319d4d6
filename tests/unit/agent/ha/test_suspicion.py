"""When silence counts, and for what."""

from ha_site import H_MS, WAYS, Site, beat, changes, settled
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.ha.health import LHM_MAX
from roost_agent.ha.matrix import Way
from roost_agent.ha.member import MemberState
from roost_agent.ha.membership_events import Ended, Lagged, Replaced, Synced
from roost_agent.ha.peer_path import PeerPathState


def test_a_dead_node_is_suspected_then_lost_by_all_and_no_sooner():
    site = settled()
    low_ms, high_ms = 3 * H_MS, 12 * H_MS
    site.nodes[1].is_up = False
    site.run(low_ms - H_MS)
    assert site.states(0)[1] == "alive"
    site.run(high_ms)
    assert site.states(0) == {1: "lost", 2: "alive"}
    assert site.states(2) == {0: "alive", 1: "lost"}
    order = [(each.old, each.new) for each in changes(site.nodes[0]) if each.node == 1]
    assert order[-2:] == [
        (MemberState.ALIVE, MemberState.SUSPECT),
        (MemberState.SUSPECT, MemberState.LOST),
    ]
    view = site.nodes[0].members.view((0, 1), site.now_ms)
    assert view.lost == {1}
    assert view.seen == {0, 2}
    assert view.evidence[1].paths_silent == view.evidence[1].paths == 3
    assert low_ms < view.evidence[1].silent_ms <= low_ms + high_ms
    assert not view.isolated


def test_a_short_silence_is_suspicion_that_one_beat_refutes():
    site = settled()
    site.cut = {(1, None, None)}
    site.run(3 * H_MS)
    assert site.states(0)[1] == "suspect"
    assert 1 in site.nodes[0].members.view((0, 1), site.now_ms).seen
    site.cut = set()
    site.run(2 * H_MS)
    assert site.states(0)[1] == "alive"


def test_a_node_that_comes_back_joins_first():
    site = settled()
    site.cut = {(1, None, None)}
    site.run(20 * H_MS)
    assert site.states(0)[1] == "lost"
    site.cut = set()
    site.run(2 * H_MS)
    assert site.states(0)[1] == "joining"


def test_a_node_that_lost_a_group_joins_again_and_was_never_silent():
    site = settled()
    (told,) = site.nodes[0].members.handle(Replaced(1), site.now_ms)
    assert (told.old, told.new) == (MemberState.ALIVE, MemberState.JOINING)
    assert told.why == "it lost a group to another"


def test_a_node_never_heard_is_lost_once_silence_means_something():
    site = Site()
    site.nodes[1].is_up = False
    assert site.run(3 * H_MS).states(0)[1] == "unknown"
    assert site.run(12 * H_MS).states(0)[1] == "lost"


def test_a_node_whose_own_broker_is_dead_loses_nobody():
    site = settled(count=2, ways=WAYS[:2])
    site.cut = {(None, 0, None)}  # nothing reaches node 0, its own frames neither
    site.run(50 * H_MS)
    assert site.states(0) == {1: "suspect"}
    assert site.nodes[0].members.view((0, 1), site.now_ms).isolated
    assert set(site.nodes[0].members.paths(1).values()) == {PeerPathState.UNKNOWN}


def test_another_voter_that_does_not_hear_it_confirms_a_loss():
    site = settled(ways=(*WAYS[:1], Way("cluster", 2, True)))
    # Node 0's own frames come back nowhere, it hears node 2, and node 1 is dead.
    site.cut = {(0, 0, None), (1, None, None)}
    site.run(30 * H_MS)
    assert set(site.nodes[0].members.paths(1).values()) == {PeerPathState.UNKNOWN}
    assert site.states(0) == {1: "lost", 2: "alive"}


def test_a_voter_that_is_unwell_or_hears_it_confirms_nothing():
    for node_2_hears in (True, False):
        site = settled(ways=WAYS[:2])
        site.cut = {(0, 0, None), (1, 0, None)} if node_2_hears else {(0, 0, None), (1, None, None)}
        if not node_2_hears:
            for _ in range(LHM_MAX):
                site.nodes[2].do(Lagged(H_MS), site.now_ms)
        site.run(30 * H_MS)
        assert site.states(0)[1] == "suspect"


def test_two_nodes_without_a_broker_need_no_confirmation():
    site = settled(count=2, ways=WAYS[2:])
    site.nodes[1].is_up = False
    site.run(20 * H_MS)
    assert site.states(0) == {1: "lost"}


def test_stalls_of_our_own_stretch_our_patience():
    site = settled()
    members = site.nodes[0].members
    patience_ms = members.suspect_ms(1, site.now_ms)
    site.nodes[0].do(Lagged(H_MS), site.now_ms)
    site.nodes[0].do(Synced(1_000), site.now_ms)
    assert members.lhm == 4
    assert members.suspect_ms(1, site.now_ms) == 4 * patience_ms
    assert members.view((0, 1), site.now_ms).lhm == 4


@given(st.lists(st.integers(0, 15 * H_MS), max_size=40))
def test_suspicion_adapts_between_fixed_bounds(gaps):
    site = Site(count=2)
    node = site.nodes[0]
    now_ms = 0
    for seq, gap_ms in enumerate(gaps, start=1):
        now_ms += gap_ms
        k = node.fresh.sent(now_ms)
        node.hear(beat(1, seq, echo={0: (1, k, 0)}), now_ms)
    assert 3 * H_MS <= node.members.suspect_ms(1, now_ms) <= 10 * H_MS
    assert node.members.lost_ms(1, now_ms) == node.members.suspect_ms(1, now_ms) + 2 * H_MS


def test_usual_gaps_make_patience():
    site = settled()
    assert site.nodes[0].members.suspect_ms(1, site.now_ms) == 325
    for _ in range(20):
        site.cut = {(1, None, None)}
        site.run(4 * H_MS)
        site.cut = set()
        site.run(2 * H_MS)
    assert site.nodes[0].members.suspect_ms(1, site.now_ms) > 600


def test_an_end_lasts_until_a_higher_incarnation():
    site = settled()
    site.nodes[1].is_up = False
    site.nodes[0].do(Ended(1, is_fenced=True), site.now_ms)
    site.nodes[2].do(Ended(1, is_fenced=False), site.now_ms)
    assert site.nodes[0].members.state(1) is MemberState.FENCED
    assert site.nodes[2].members.state(1) is MemberState.LEFT
    assert 1 in site.nodes[0].members.view((0, 1), site.now_ms).lost
    site.nodes[1].is_up = True
    site.run(2 * H_MS)
    assert site.states(0)[1] == "fenced", "the same incarnation still talks"
    site.nodes[1].inc = site.nodes[1].fresh.inc = 2
    site.run(3 * H_MS)
    assert site.states(0)[1] == "joining"
    assert site.states(2)[1] == "joining"


def test_who_was_never_heard_can_be_ended_too():
    site = Site()
    site.nodes[0].do(Ended(1, is_fenced=True), 1_000)
    site.run(2 * H_MS)
    assert site.states(0)[1] == "joining"
