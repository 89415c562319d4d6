"""Who is there: a small site that beats, and what its nodes take each other for."""

import pytest
from ha_site import DEFS, H_MS, WAYS, Site, beat
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.ha.health import LHM_MAX
from roost_agent.ha.matrix import Way
from roost_agent.ha.membership import (
    JOINING_MS,
    REPLACED_MS,
    BeatHeard,
    Ended,
    Lagged,
    MemberChanged,
    MemberState,
    PathChanged,
    RedundancyChanged,
    Replaced,
    Score,
    Synced,
    Tick,
)
from roost_agent.ha.peer_path import PeerPathState
from roost_agent.ha.redundancy import RECOVER_MS, RedundancyState

ALL_WAYS = (0, 1, 2)


def settled(**more):
    site = Site(**more)
    return site.run(JOINING_MS + 10 * H_MS)


def changes(node, kind=MemberChanged):
    return [each for each in node.told if isinstance(each, kind)]


def test_who_is_heard_joins_and_is_alive_after_a_while():
    site = Site().run(3 * H_MS)
    assert site.states(0) == {1: "joining", 2: "joining"}
    assert site.nodes[0].members.view((0, 1), site.now_ms).seen == {0, 1, 2}
    assert site.run(JOINING_MS).states(0) == {1: "alive", 2: "alive"}
    assert site.nodes[0].members.since_ms(1) > JOINING_MS
    assert all(state is PeerPathState.UP for state in site.nodes[0].members.paths(1).values())


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


def test_the_death_of_one_broker_is_no_fault_of_ours_and_silence_of_all_is_one():
    site = settled()
    site.cut = {(None, None, 0)}
    site.run(9 * H_MS)
    assert site.nodes[0].members.lhm == 1, "a dead peer takes its broker along"
    site.cut = {(None, None, 0), (None, None, 1)}
    site.run(9 * H_MS)
    assert site.nodes[0].members.lhm == 2


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


def test_a_tick_is_due_when_suspicion_would_begin_and_once_a_beat_at_least():
    site = settled()
    members, fresh = site.nodes[0].members, site.nodes[0].fresh
    alive_ms = fresh.alive_as_of(1)
    now_ms = alive_ms + members.suspect_ms(1, alive_ms) - 10
    assert members.due_ms(now_ms) == alive_ms + members.suspect_ms(1, now_ms) + 1
    assert members.due_ms(alive_ms + 10_000) == alive_ms + 10_000 + H_MS
    site.nodes[1].is_up = False
    site.run(30 * H_MS)
    assert members.due_ms(site.now_ms) <= site.now_ms + H_MS
    assert Site().nodes[0].members.due_ms(5) == 5 + H_MS


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


def test_a_replaced_holder_joins_for_longer():
    site = settled()
    now_ms = site.now_ms
    site.nodes[0].do(Replaced(1), now_ms)
    site.nodes[1].do(Replaced(1), now_ms)
    assert site.states(0)[1] == "joining"
    assert site.nodes[1].members.is_joining(now_ms)
    site.run(REPLACED_MS)
    assert site.states(0)[1] == "alive"
    assert not site.nodes[1].members.is_joining(site.now_ms)


def test_a_one_way_cut_has_its_word_on_both_sides():
    site = settled()
    site.cut = {(1, 0, 0)}
    site.run(6 * H_MS)
    assert site.nodes[0].members.paths(1)[0] is PeerPathState.ONEWAY_OUT
    assert site.nodes[1].members.paths(0)[0] is PeerPathState.ONEWAY_IN
    assert site.states(0)[1] == "alive"
    told = changes(site.nodes[0], PathChanged)[-1]
    assert (told.node, told.path, told.old) == (1, 0, PeerPathState.UP)


def test_everybody_ranks_alike():
    site = settled(hosts=(0, 1))
    ranks = [node.members.rank((1, 0), site.now_ms) for node in site.nodes]
    assert ranks == [1, 0, 2], "by the order of the hosts; who is no host comes last"


@pytest.mark.parametrize("what", ["voters", "network", "health", "services"])
def test_what_makes_a_host_worse(what):
    site = settled()
    if what == "voters":
        site.cut = {(2, 0, None), (0, 2, None)}
    elif what == "network":
        site.cut = {(None, 0, 0)}
    elif what == "health":
        site.nodes[0].do(Score(500), site.now_ms)
    else:
        site.nodes[0].defs = site.nodes[0].members.defs = b"others!!"
    site.run(8 * H_MS)
    assert [node.members.rank((0, 1), site.now_ms) for node in site.nodes[:2]] == [1, 0]
    assert site.nodes[1].members.strangers() == ([0] if what == "services" else [])


def test_a_lost_host_is_nobodys_better():
    site = settled()
    site.nodes[0].is_up = False
    site.run(20 * H_MS)
    assert site.nodes[1].members.rank((0, 1), site.now_ms) == 0
    assert 0 not in site.nodes[1].members.matrix(site.now_ms)


def test_the_matrix_is_what_everybody_tells():
    site = settled()
    assert site.nodes[0].members.matrix(site.now_ms) == {
        0: {1: 0b111, 2: 0b111},
        1: {0: 0b111, 2: 0b111},
        2: {0: 0b111, 1: 0b111},
    }


def test_a_report_of_unknown_age_or_from_before_the_last_counts_for_nothing():
    node = Site().nodes[0]
    node.do(BeatHeard(beat(1, 1, seen={2: 1}), None), 1_000)
    assert node.members.matrix(1_000) == {0: {1: 0, 2: 0}}
    assert node.members.strangers() == []
    node.do(BeatHeard(beat(1, 2, defs=b"newer ok"), 100), 1_000)
    node.do(BeatHeard(beat(1, 3, defs=DEFS), 500), 1_000)
    assert node.members.strangers() == [1]
    assert node.members.report(1).defs == b"newer ok"
    assert node.members.report(2) is None


def test_the_worse_connected_host_is_barred_until_all_was_whole_for_long():
    site = settled()
    site.cut = {(None, 0, 0), (0, None, 0)}
    site.run(12 * H_MS)
    assert site.nodes[0].members.redundancy is RedundancyState.FAILED
    assert site.nodes[1].members.redundancy is RedundancyState.SURVIVED
    assert site.nodes[0].members.is_barred()
    assert not site.nodes[1].members.is_barred()
    assert changes(site.nodes[0], RedundancyChanged)[-1].state is RedundancyState.FAILED
    site.cut = set()
    site.run(RECOVER_MS // 2)
    assert site.nodes[0].members.is_barred()
    site.run(RECOVER_MS)
    assert not site.nodes[0].members.is_barred()


def test_a_network_that_is_gone_for_all_bars_nobody():
    site = settled()
    site.cut = {(None, None, 0)}
    site.run(30 * H_MS)
    assert [node.members.redundancy for node in site.nodes] == [RedundancyState.FAIL_PENDING] * 3
    assert [str(state) for state in site.states(0).values()] == ["alive", "alive"]


def test_the_only_host_that_is_left_is_not_barred():
    site = settled()
    site.cut = {(None, 0, 0), (0, None, 0)}
    site.run(12 * H_MS)
    assert site.nodes[0].members.is_barred()
    site.nodes[1].is_up = False
    site.run(20 * H_MS)
    assert not site.nodes[0].members.is_barred()


def test_a_dead_rival_with_its_broker_does_not_look_better_connected():
    site = settled()
    for _ in range(20):  # gaps that make all patient, so that the dead one counts as alive for long
        site.cut = {(None, None, None)}
        site.run(6 * H_MS)
        site.cut = set()
        site.run(3 * H_MS)
    site.nodes[0].is_up = False
    site.cut = {(None, None, 0)}
    for _ in range(30):
        site.run(H_MS)
        assert site.nodes[1].members.redundancy is not RedundancyState.FAILED


def test_a_site_of_one_node_is_not_isolated():
    site = settled(count=1, ways=(), hosts=(0,))
    assert site.states(0) == {}
    view = site.nodes[0].members.view((0,), site.now_ms)
    assert (view.seen, view.rank, view.isolated) == ({0}, 0, False)
    site.nodes[0].do(Tick(), site.now_ms)
