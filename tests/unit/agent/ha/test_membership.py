"""Who is there: a small site that beats, and what its nodes take each other for."""

from ha_site import DEFS, H_MS, Site, beat, changes, settled

from roost_agent.ha.membership import REPLACED_MS
from roost_agent.ha.membership_events import (
    BeatHeard,
    PathChanged,
    RedundancyChanged,
    Replaced,
    Tick,
)
from roost_agent.ha.peer_path import PeerPathState
from roost_agent.ha.redundancy import RECOVER_MS, RedundancyState
from roost_agent.ha.suspicion import JOINING_MS


def test_who_is_heard_joins_and_is_alive_after_a_while():
    site = Site().run(3 * H_MS)
    assert site.states(0) == {1: "joining", 2: "joining"}
    assert site.nodes[0].members.view((0, 1), site.now_ms).seen == {0, 1, 2}
    assert site.run(JOINING_MS).states(0) == {1: "alive", 2: "alive"}
    assert site.nodes[0].members.since_ms(1) > JOINING_MS
    assert all(state is PeerPathState.UP for state in site.nodes[0].members.paths(1).values())


def test_the_death_of_one_broker_is_no_fault_of_ours_and_silence_of_all_is_one():
    site = settled()
    site.cut = {(None, None, 0)}
    site.run(9 * H_MS)
    assert site.nodes[0].members.lhm == 1, "a dead peer takes its broker along"
    site.cut = {(None, None, 0), (None, None, 1)}
    site.run(9 * H_MS)
    assert site.nodes[0].members.lhm == 2


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


def test_a_replaced_holder_joins_for_longer():
    site = settled()
    now_ms = site.now_ms
    site.nodes[0].do(Replaced(1), now_ms)
    site.nodes[1].do(Replaced(1), now_ms)
    assert site.states(0)[1] == "joining"
    assert site.nodes[0].members.joining_ms(1, now_ms) == REPLACED_MS
    assert site.nodes[1].members.joining_ms(1, now_ms) == REPLACED_MS
    site.run(REPLACED_MS)
    assert site.states(0)[1] == "alive"
    assert site.nodes[0].members.joining_ms(1, site.now_ms) == 0
    assert site.nodes[1].members.joining_ms(1, site.now_ms) == 0


def test_a_one_way_cut_has_its_word_on_both_sides():
    site = settled()
    site.cut = {(1, 0, 0)}
    site.run(6 * H_MS)
    assert site.nodes[0].members.paths(1)[0] is PeerPathState.ONEWAY_OUT
    assert site.nodes[1].members.paths(0)[0] is PeerPathState.ONEWAY_IN
    assert site.states(0)[1] == "alive"
    told = changes(site.nodes[0], PathChanged)[-1]
    assert (told.node, told.path, told.old) == (1, 0, PeerPathState.UP)


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
