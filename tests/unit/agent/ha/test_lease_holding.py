"""What a holder may run and until when, and what other voters make of it."""

from leases import (
    ALL,
    BOOT,
    D1,
    D2,
    D3,
    PAIR,
    QUORUM,
    TWO,
    answer,
    follower,
    frame,
    holder,
    lease,
    only,
    renewal,
    site_lease,
    stands,
    under,
    wins,
)
from msgspec.structs import replace

from roost_agent.ha.lease_events import (
    Arm,
    Armed,
    ArmRefused,
    Disarmed,
    GuardLost,
    GuardState,
    Order,
    Proof,
    Received,
    RoundWon,
    Start,
    Stop,
    StopConfirmed,
    Tick,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.view import PeerEvidence, View
from roost_protocol.configuration import Accepted, Configuration
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, Kind, LeaseState
from roost_protocol.voter_events import Bound, Rests, Send
from roost_protocol.voter_state import Record


def test_validity_counts_from_the_sending_and_nothing_starts_before_the_guard_is_armed():
    one = follower(replace(ALL, lost=frozenset()))
    sends = stands(one)
    for node in (0, 1):
        out = answer(one, node, sends[0], 300)
    acquire = only(out, Send)[0]
    answer(one, 0, acquire, 700)
    out = answer(one, 1, acquire, 900)
    assert only(out, Arm) == [Arm(32, (300 + D1, 300 + D2, 300 + D3))]
    assert not only(out, Start)
    assert one.valid_ms == 6_300
    assert one.handle(Armed(32), 910) == [Start(32)]
    assert one.handle(Armed(32), 911) == []
    assert one.belief(1_300) == Belief(32, 0, 5_000, LeaseState.HOLDING)


def test_taking_a_lease_is_explained_by_the_silence_of_the_one_before_and_the_votes():
    gone = View(frozenset({0, 2}), frozenset({1}), evidence={1: PeerEvidence(4, 4, 3_100)})
    one = follower(gone)
    one.handle(Bound("main", 33, 1), 0)
    out = wins(one, stands(one), 200, (0, 2))
    assert only(out, Explain)[0].sentence == (
        "took main (epoch 64): node 1 silent on 4 of 4 paths for 3.1 s, granted by node 0, node 2 "
        "(2 of 3 votes)"
    )


def test_its_own_voter_s_word_does_not_hide_who_held_it_before():
    """As it is on a node: this voter is bound to this node before the round is won."""
    gone = View(frozenset({0, 2}), frozenset({1}), evidence={1: PeerEvidence(4, 4, 3_100)})
    one = follower(gone)
    one.handle(Bound("main", 33, 1), 0)
    sends = stands(one)
    for node in (0, 2):
        out = answer(one, node, sends[0], 200)
    (acquire, *_) = only(out, Send)
    one.handle(Bound("main", acquire.epoch, 0), 200)
    answer(one, 0, acquire, 200)
    (told,) = only(answer(one, 2, acquire, 200), Explain)
    assert "node 1 silent on 4 of 4 paths for 3.1 s" in told.sentence
    assert told.evidence["was"] == 1


def test_a_turn_that_follows_a_release_says_who_gave_it_back():
    one = follower()
    one.handle(Bound("main", 33, 1), 0)
    one.handle(Received(frame(1, Kind.RELEASE, epoch=33, successor=0), 1), 100)
    sends = only(one.handle(Tick(0.0), 100), Send)  # its successor stands at once
    (told,) = only(wins(one, sends, 200), Explain)
    assert told.sentence.startswith("took main (epoch 64): node 1 gave it back, granted by")


def test_the_first_turn_follows_nobody_s():
    one = follower()
    (told,) = only(wins(one, stands(one), 200), Explain)
    assert "nobody held it" in told.sentence


def test_grants_that_come_when_it_would_have_to_stop_already_are_given_back():
    one = follower()
    sends = stands(one)
    for node in (0, 1):
        out = answer(one, node, sends[0], 200)
    acquire = only(out, Send)[0]
    answer(one, 0, acquire, 210)
    out = answer(one, 1, acquire, 200 + D1)
    assert not only(out, Arm)
    assert {send.kind for send in only(out, Send)} == {Kind.RELEASE}
    assert one.phase == Phase.FOLLOWING


def test_a_guard_that_is_armed_past_the_first_deadline_starts_nothing():
    one = follower()
    wins(one, stands(one), 200)
    assert only(one.handle(Armed(32), 200 + D1), Stop)
    assert one.handle(Armed(32), 200 + D1) == []


def test_it_renews_with_a_new_nonce_and_moves_the_deadlines():
    one = holder()
    assert one.due_ms(300) == 1_200
    sends = only(one.handle(Tick(0.0), 1_200), Send)
    assert [(send.kind, send.epoch) for send in sends] == [(Kind.RENEW, 32)] * 3
    answer(one, 0, sends[0], 1_210)
    out = answer(one, 2, sends[2], 1_220)
    assert out == [Arm(32, (1_200 + D1, 1_200 + D2, 1_200 + D3))]


def test_a_refused_renewal_changes_nothing():
    one = holder()
    sends = only(one.handle(Tick(0.0), 1_200), Send)
    for node in (1, 2):
        assert answer(one, node, sends[node], 1_210, Kind.REFUSE, reason="stale") == []
    assert one.phase == Phase.HOLDING


def test_what_is_not_renewed_stops_at_its_first_deadline_and_late_grants_do_not_revive_it():
    one = holder()
    sends = only(one.handle(Tick(0.0), 1_200), Send)
    answer(one, 0, sends[0], 1_210)
    (stop, why) = one.handle(Tick(0.0), 200 + D1)
    assert stop == Stop(32, "no majority renewed it in time")
    assert why.evidence["left_ms"] == 900
    assert answer(one, 1, sends[1], 200 + D1 + 1) == []
    assert one.belief(200 + D1).state is LeaseState.STOPPING


def test_a_renewal_that_arrives_at_the_first_deadline_before_the_clock_was_looked_at_is_too_late():
    one = holder()
    sends = only(one.handle(Tick(0.0), 1_200), Send)
    answer(one, 0, sends[0], 1_210)
    assert answer(one, 1, sends[1], 200 + D1) == []
    assert one.valid_ms == 6_200


def test_without_its_guard_it_stops_after_a_second_and_goes_on_if_it_comes_back():
    one = holder()
    one.handle(GuardLost(), 300)
    one.handle(Armed(32), 1_299)
    assert not only(one.handle(Tick(0.0), 1_300), Stop)
    one.handle(GuardLost(), 1_400)
    assert one.due_ms(1_400) <= 2_400
    one.handle(Tick(0.0), 2_399)
    assert one.handle(Tick(0.0), 2_399) == []
    assert only(one.handle(Tick(0.0), 2_400), Stop)[0].why == "the guard does not answer"


def test_a_guard_that_refuses_the_deadlines_ends_the_turn():
    one = holder()
    assert one.handle(ArmRefused(31, "too late"), 900) == []
    assert only(one.handle(ArmRefused(32, "too late"), 900), Stop)
    assert one.handle(ArmRefused(32, "too late"), 901) == []


def test_a_pair_needs_both_votes_and_then_has_no_deadline():
    one = follower(View(frozenset({0, 1})), electorate=PAIR)
    sends = stands(one)
    out = wins(one, sends, 200)
    assert only(out, Arm) == [Arm(32, None)]
    one.handle(Armed(32), 201)
    assert only(one.handle(Tick(0.0), one.due_ms(201)), Send) == []
    assert one.handle(Tick(0.0), 10**8) == []
    assert one.belief(10**8) == Belief(32, 0, 0, LeaseState.HOLDING)


def test_a_sticky_guard_that_is_late_starts_all_the_same():
    one = follower(View(frozenset({0, 1})), electorate=PAIR)
    wins(one, stands(one), 200)
    assert one.handle(Armed(32), 10**8) == [Start(32)]
    (ordered,) = only(one.handle(Order("asked to"), 10**8), Stop)
    assert ordered.epoch == 32


def test_a_right_without_end_gets_one_and_no_renewal_leaves_before_the_guard_has_it():
    one = holder(electorate=PAIR)
    assert one.valid_ms is None
    out = under(one, QUORUM, 1_000)
    assert only(out, Arm) == [Arm(32, (6_100, 6_500, 7_000))]
    assert renewal(one, 1_000) == []
    one.handle(Armed(32), 1_100)  # of an order before this one
    assert renewal(one, 1_600) == []
    one.handle(Armed(32, is_timed=True), 1_700)
    sends = renewal(one, 2_200)
    assert {send.kind for send in sends} == {Kind.RENEW}
    assert [send.to for send in sends] == [0, 1, 2]
    for node in (0, 1):
        out = answer(one, node, sends[0], 2_250, cfgver=8)
    assert only(out, Arm)[0].deadlines[2] == 2_200 + 6_000


def test_a_right_with_an_end_keeps_it_until_all_granted_under_the_new_voters():
    one = holder()
    out = under(one, TWO, 1_000)
    assert only(out, Arm) == []
    assert only(out, Rests) == [Rests("main", on_proof=True)]
    sends = renewal(one, 1_000)
    assert [send.to for send in sends] == [0, 1]
    assert only(answer(one, 0, sends[0], 1_010, cfgver=8), Arm) == []
    assert one.valid_ms == 6_200
    out = answer(one, 1, sends[0], 1_020, cfgver=8)
    assert only(out, Arm) == [Arm(32, None)]
    assert only(out, Rests) == [Rests("main", on_proof=False)]
    assert one.valid_ms is None
    assert renewal(one, 2_100) == [], "it needs none any more"


def test_what_is_over_is_not_made_endless():
    one = holder()
    under(one, TWO, 1_000)
    sends = renewal(one, 1_000)
    answer(one, 0, sends[0], 1_010, cfgver=8)
    assert answer(one, 1, sends[0], 6_200, cfgver=8) == []
    assert one.valid_ms == 6_200


def test_answers_under_the_voters_before_count_no_more():
    one = holder()
    sends = renewal(one, 1_200)
    under(one, QUORUM, 1_210)
    for cfgver in (7, 8):
        for node in (0, 1):
            assert answer(one, node, sends[0], 1_220, cfgver=cfgver) == []
    (again, *_) = renewal(one, 1_230)
    assert answer(one, 0, again, 1_240, cfgver=8) == []
    for node in (1, 2):
        assert answer(one, node, again, 1_240) == [], "of the voters before"


def test_what_was_being_asked_of_the_voters_before_is_given_back():
    one = follower()
    stands(one)
    assert under(one, QUORUM, 100) == []
    assert one.phase == Phase.FOLLOWING
    one = follower()
    sends = stands(one)
    for node in (0, 1):
        out = answer(one, node, sends[0], 50)
    assert one.phase == Phase.ACQUIRE
    out = under(one, QUORUM, 100)
    assert {send.kind for send in only(out, Send)} == {Kind.RELEASE}


def test_a_renewal_goes_on_among_sticky_voters_until_all_of_them_promised():
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR)
    one.handle(Proof(1, b"p" * 16, "off"), 0)
    sends = stands(one)
    out = answer(one, 0, sends[0], 10)
    out = answer(one, 0, only(out, Send)[0], 20)
    assert only(out, Rests) == [Rests("main", on_proof=True)]
    one.handle(Armed(one.epoch), 20)
    sends = renewal(one, 2_000)
    answer(one, 0, sends[0], 2_010)
    out = answer(one, 1, sends[0], 2_020)
    assert out == [Rests("main", on_proof=False)]
    assert renewal(one, 9_000) == []


def test_each_round_of_the_built_in_lease_tells_what_its_voters_accepted():
    one = site_lease()
    sends = stands(one)
    begun = [Accepted(epoch, Configuration(8, (0, 1), True)) for epoch in (3, 5)]
    for node in (0, 1):
        out = answer(one, node, sends[0], 10)
    acquire = only(out, Send)[0]
    answer(one, 0, acquire, 20, accepted=begun[1])
    out = answer(one, 1, acquire, 20, accepted=begun[0])
    assert only(out, RoundWon) == [RoundWon(32, 7, begun[1])]
    assert one.nonce() > acquire.nonce


def test_who_votes_no_more_gives_the_built_in_lease_back():
    one = site_lease()
    wins(one, stands(one), 200)
    out = under(one, Electorate(8, (1, 2), (0, 1, 2), sticky=True), 300)
    assert [each.why for each in only(out, Stop)] == ["this node votes no more"]


def test_what_the_guard_holds_without_end_gets_one_where_a_majority_decides():
    one = lease(Record(32, 0, BOOT, 7, endless=True))
    out = one.handle(GuardState(32, None), 1_000)
    assert only(out, Arm)[0].deadlines[2] == 7_000
    assert renewal(one, 1_000) == []
    one.handle(Armed(32, is_timed=True), 1_010)
    assert renewal(one, 2_000) != []


def test_a_release_ends_what_rests_on_a_proof():
    one = holder(electorate=PAIR)
    one.handle(Order("asked"), 300)
    one.handle(StopConfirmed(32), 310)
    (own,) = only(one.handle(Disarmed(32), 320), Send)
    out = answer(one, 0, own, 330)
    assert only(out, Rests) == [Rests("main", on_proof=False)]


def test_a_guard_that_did_not_take_away_the_end_is_told_again():
    one = holder()
    under(one, TWO, 1_000)
    sends = renewal(one, 1_000)
    answer(one, 0, sends[0], 1_010, cfgver=8)
    answer(one, 1, sends[0], 1_020, cfgver=8)
    one.handle(Armed(32, is_timed=True), 1_030)  # of an order before this one
    again = one.due_ms(1_030)
    assert only(one.handle(Tick(0.0), again), Arm) == [Arm(32, None)]
    one.handle(Armed(32), again + 1)
    assert only(one.handle(Tick(0.0), again + 5_000), Arm) == []


def test_a_guard_that_comes_back_within_its_time_is_told_what_holds():
    one = holder(electorate=PAIR)
    one.handle(GuardLost(), 1_000)
    assert only(one.handle(Tick(0.0), 1_000), Arm) == [Arm(32, None)]
    one.handle(GuardLost(), 1_001)  # it is still not there
    assert only(one.handle(Tick(0.0), 1_400), Arm) == []
    assert only(one.handle(Tick(0.0), 1_500), Arm) == [Arm(32, None)]
    one.handle(Armed(32), 1_510)
    assert only(one.handle(Tick(0.0), 2_100), Stop) == []
    one.handle(GuardLost(), 3_000)
    one.handle(GuardLost(), 3_900)
    assert [each.why for each in only(one.handle(Tick(0.0), 4_000), Stop)] == [
        "the guard does not answer"
    ]
