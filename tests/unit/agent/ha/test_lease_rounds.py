"""When a node stands for a lease, whom it asks, and what it makes of the answers."""

import pytest
from leases import (
    ALL,
    BOOT,
    PAIR,
    THREE,
    answer,
    follower,
    frame,
    holder,
    only,
    renewal,
    stands,
    under,
    wins,
)
from msgspec.structs import replace

from roost_agent.ha.lease_events import (
    Arm,
    Armed,
    Believed,
    Clear,
    Eligible,
    Proof,
    Raise,
    Received,
    Tick,
    ViewChanged,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.view import View
from roost_protocol.configuration import WITNESS
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, Kind, LeaseState
from roost_protocol.voter_events import Bound, Configured, Send
from roost_protocol.voter_state import Record


def test_it_waits_by_rank_health_and_chance_and_asks_its_own_voter_first():
    one = follower(replace(ALL, rank=2, lhm=3))
    assert one.due_ms(7) == 7
    one.handle(Tick(0.5), 0)
    assert one.due_ms(0) == 2 * 300 + 3 * 200 + 75
    assert one.handle(Tick(0.5), 1_274) == []
    sends = only(one.handle(Tick(0.5), 1_275), Send)
    assert [(send.to, send.kind) for send in sends] == [(n, Kind.PREVOTE) for n in (0, 1, 2)]
    assert {send.epoch for send in sends} == {32}


@pytest.mark.parametrize(
    "event",
    [
        Eligible(False, "its data is old"),
        ViewChanged(replace(ALL, lhm=4)),
        ViewChanged(View(frozenset({0}))),
        Bound("main", 33, 1),
        Believed(1, Belief(33, 1, 4_000, LeaseState.HOLDING)),
    ],
    ids=["not eligible", "not healthy", "no majority", "own vote given", "somebody holds it"],
)
def test_it_does_not_stand(event):
    one = follower()
    one.handle(Tick(0.0), 0)
    one.handle(event, 1)
    one.handle(Tick(0.0), 10_000)
    assert (one.phase, one.due_ms(10_000)) == (Phase.FOLLOWING, None)


def test_who_hosts_nothing_never_stands():
    assert follower(hosts=(1, 2)).due_ms(0) is None


@pytest.mark.parametrize(
    "event",
    [
        ViewChanged(View(frozenset({0, 2}), frozenset({1}))),
        ViewChanged(View(frozenset({0, 2}))),
        Believed(1, Belief(33, None, 0, LeaseState.NONE)),
        Believed(1, Belief(34, 2, 0, LeaseState.FOLLOWING)),
        Received(frame(1, Kind.RELEASE, epoch=33), 1),
    ],
    ids=["lost", "not heard", "holds nothing", "follows another", "released"],
)
def test_it_stands_once_the_holder_is_gone(event):
    one = follower()
    one.handle(Bound("main", 33, 1), 0)
    one.handle(event, 1)
    assert stands(one, 1)[0].epoch == 64


def test_the_epoch_is_the_lowest_of_its_own_above_all_it_heard_of():
    one = follower(record=Record(33, 1, BOOT, 7))
    assert stands(one)[0].epoch == 64
    one = follower(record=Record(33, 1, BOOT, 7, given_back=64))
    assert stands(one)[0].epoch == 96


def test_a_prevote_that_nobody_answers_is_tried_again_and_gives_nothing_back():
    one = follower()
    stands(one)
    (at,) = {one.due_ms(200)}
    assert at == 200 + 1_000
    assert one.handle(Tick(0.0), 900) == []
    assert one.handle(Tick(0.0), at) == []
    assert (one.phase, one.due_ms(at)) == (Phase.FOLLOWING, at + 500)


def test_refused_by_a_majority_it_follows_who_has_the_promise_and_waits_for_its_end():
    one = follower(View(frozenset({0, 2}), frozenset({1})))
    sends = stands(one)
    more = {"owner": 1, "reason": "promised", "remaining_ms": 300, "max_epoch": 33}
    answer(one, 0, sends[0], 200, Kind.REFUSE, **more)
    answer(one, 2, sends[2], 201, Kind.REFUSE, **more)
    assert (one.phase, one.holder, one.due_ms(201)) == (Phase.FOLLOWING, 1, 501)
    assert only(one.handle(Tick(0.0), 501), Send)[0].epoch == 64


def test_refused_by_those_who_are_bound_to_itself_it_follows_nobody():
    one = follower()
    sends = stands(one)
    for node in (1, 2):
        answer(one, node, sends[node], 200, Kind.REFUSE, owner=0, reason="stale")
    assert one.holder is None


def test_a_lost_acquire_is_given_back_to_everybody_until_each_voter_heard_it():
    one = follower()
    sends = stands(one)
    for node in (0, 1):
        out = answer(one, node, sends[0], 200)
    acquire = only(out, Send)[0]
    answer(one, 0, acquire, 210)
    out = one.handle(Tick(0.0), 200 + 2_000)
    releases = only(out, Send)
    assert [(s.to, s.kind, s.epoch) for s in releases] == [(n, Kind.RELEASE, 32) for n in (0, 1, 2)]
    assert releases[0].nonce > acquire.nonce
    assert only(out, Explain)[0].sentence == (
        "gave up main (epoch 32): no majority answered in time"
    )
    for node in (0, 2):
        answer(one, node, releases[node], 2_210)
    again = only(one.handle(Tick(0.0), 3_200), Send)
    assert [send.to for send in again if send.kind is Kind.RELEASE] == [1]


def test_a_grant_of_a_round_that_was_given_up_counts_for_nothing():
    one = follower()
    sends = stands(one)
    for node in (0, 1):
        out = answer(one, node, sends[0], 200)
    acquire = only(out, Send)[0]
    one.handle(Tick(0.0), 2_300)
    assert not answer(one, 0, acquire, 2_301)
    assert not answer(one, 1, acquire, 2_301)
    assert not one.is_held


def test_without_proof_nobody_takes_over_and_it_is_told_until_the_peer_is_back():
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR)
    (told,) = one.handle(Tick(0.0), 0)
    assert isinstance(told, Raise)
    assert told.sentence == "main is not taken over: nothing proves that node 1 is off"
    assert one.handle(Tick(0.0), 1) == []
    one.handle(ViewChanged(View(frozenset({0, 1}))), 2)
    assert one.handle(Tick(0.0), 2) == [Clear("no-proof")]


def test_a_proof_stands_in_for_the_dead_peer_and_is_told_to_the_voters_that_are_left():
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR)
    one.handle(Bound("main", 33, 1), 0)
    out = one.handle(Proof(1, b"p" * 16, "its power is off"), 0)
    (confirm,) = only(out, Send)
    assert (confirm.to, confirm.kind, confirm.owner, confirm.owner_boot) == (
        0, Kind.FENCE_CONFIRM, 1, b"p" * 16,
    )  # fmt: skip
    out = wins(one, stands(one), 200, (0,))
    assert only(out, Arm) == [Arm(64, None)]
    assert "node 1 is proven to be off" in only(out, Explain)[0].sentence


def test_a_proof_is_void_once_the_peer_is_heard_and_none_against_who_is_heard_or_oneself():
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR)
    one.handle(Proof(1, b"p" * 16, "its power is off"), 0)
    one.handle(ViewChanged(View(frozenset({0, 1}))), 1)
    assert one._rounds.proofs.known == {}
    assert one.handle(Proof(1, b"p" * 16, "its power is off"), 2) == []
    assert one.handle(Proof(0, b"p" * 16, "its power is off"), 2) == []


@pytest.mark.parametrize("provable", [frozenset(), frozenset({0})])
def test_a_proof_is_no_vote_of_one_that_may_be_under_other_voters(provable):
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR)
    under(one, PAIR, provable=provable)
    one.handle(Proof(1, b"p" * 16, "off"), 0)
    assert one.due_ms(0) is None
    under(one, PAIR, provable=frozenset({1}))
    assert one.due_ms(0) is not None


def test_a_witness_elsewhere_is_asked_for_no_renewal_that_the_site_grants():
    voters = Electorate(7, (0, 1, WITNESS), (0, 1))
    one = holder(electorate=voters, view=View(frozenset({0, 1, WITNESS})))
    sends = renewal(one, 1_200)
    assert [send.to for send in sends] == [0, 1]
    answer(one, 0, sends[0], 1_210)
    missed = renewal(one, 2_200)
    assert [send.to for send in missed] == [0, 1, WITNESS], "node 1 missed the last round"
    answer(one, 0, missed[0], 2_210)
    answer(one, WITNESS, missed[0], 2_260)
    assert one.valid_ms == 2_200 + 6_000
    still = renewal(one, 3_200)
    assert [send.to for send in still] == [0, 1, WITNESS]
    answer(one, 0, still[0], 3_201)
    answer(one, 1, still[0], 3_202)
    assert [send.to for send in renewal(one, 4_200)] == [0, 1]


def test_alone_with_the_witness_every_renewal_asks_it():
    voters = Electorate(7, (0, WITNESS), (0, 1))
    one = follower(electorate=voters, view=View(frozenset({0, WITNESS})))
    wins(one, stands(one), 200, voters=(0, WITNESS))
    one.handle(Armed(one.epoch), 200)
    assert [send.to for send in renewal(one, 1_200)] == [0, WITNESS]


def test_the_witness_hosts_no_built_in_lease():
    one = follower(electorate=THREE, hosts=(0, 1, 2))
    one._turn.name = "site"
    after = Electorate(8, (0, 1, WITNESS), (0, 1, 2))
    one.handle(Configured(after, frozenset(), None), 0)
    assert one._turn.hosts == (0, 1)


def test_where_the_last_holder_starts_alone_the_other_says_whose_word_it_waits_for():
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR, starts_alone=True)
    (told,) = only(one.handle(Tick(0.0), 10), Raise)
    assert told.sentence == (
        "main is not taken over: node 1 is lost, and only the last holder's own word moves it"
    )
