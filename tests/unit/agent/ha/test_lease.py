"""One lease at one node: when it stands, what it may run and until when, and how it lets go."""

from dataclasses import replace

import pytest

from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_events import (
    Answer,
    Arm,
    Armed,
    ArmRefused,
    Believed,
    Clear,
    Disarm,
    Disarmed,
    Eligible,
    GuardLost,
    GuardState,
    Order,
    Proof,
    Raise,
    Received,
    RoundWon,
    Start,
    Stop,
    StopConfirmed,
    Tick,
    ViewChanged,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.timing import DEFAULT
from roost_agent.ha.view import PeerEvidence, View
from roost_protocol.configuration import WITNESS, Accepted, Configuration
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, Kind, LeaseFrame, LeaseState, Nonce
from roost_protocol.voter_events import Bound, Configured, Rests, Send
from roost_protocol.voter_state import Record, VoterState

BOOT = b"b" * 16
THREE = Electorate(7, (0, 1, 2), (0, 1, 2))
PAIR = Electorate(7, (0, 1), (0, 1), sticky=True)
ALL = View(frozenset({0, 1, 2}))
STOP_MS = 400
D1, D2, D3 = 6_000 - 500 - 400, 6_000 - 500, 6_000  # of a round sent at 0


def lease(record=None, electorate=THREE, **more):
    state = VoterState(1, b"v" * 16, 3, BOOT, {"main": record} if record else {})
    given = {"hosts": (0, 1), "stop_ms": STOP_MS, "watchdog_ms": 0, "timing": DEFAULT}
    return Lease("main", me=0, boot=BOOT, electorate=electorate, state=state, **given | more)


def follower(view=ALL, **more):
    one = lease(**more)
    one.handle(GuardState(), 0)
    one.handle(Eligible(True), 0)
    one.handle(ViewChanged(view), 0)
    return one


def frame(node, kind, **more):
    given = {
        "site": "lab", "node": node, "boot": bytes([node]) * 16, "inc": 1, "path": 0, "seq": 1,
        "boot_ms": 0, "period_ms": 500, "lhm": 1, "cfgver": 7, "echo": {}, "to": 0, "kind": kind,
        "name": "main", "epoch": 32, "nonce": Nonce(b"x" * 16, 1, 1), "owner": node,
        "owner_boot": bytes([node]) * 16,
    }  # fmt: skip
    return LeaseFrame(**given | more)


def answer(one, node, send, now_ms, kind=Kind.GRANT, **more):
    """Let a voter answer what was sent."""
    given = {"nonce": send.nonce, "epoch": send.epoch, "owner": 0, **more}
    return one.handle(Received(frame(node, kind, **given), 1), now_ms)


def only(effects, kind):
    return [effect for effect in effects if type(effect) is kind]


def stands(one, now_ms=0):
    """Let time pass until it asks; return its requests."""
    one.handle(Tick(0.0), now_ms)
    return only(one.handle(Tick(0.0), one.due_ms(now_ms)), Send)


def wins(one, sends, now_ms, voters=(0, 1)):
    """Grant both of its rounds; return what winning brings."""
    out = []
    for node in voters:
        out = answer(one, node, sends[0], now_ms)
    (first, *_) = only(out, Send)
    assert first.kind is Kind.ACQUIRE
    for node in voters:
        out = answer(one, node, first, now_ms)
    return out


def holder(now_ms=200, **more):
    """Return a lease that runs, of a round sent at ``now_ms``."""
    one = follower(**more)
    sends = stands(one)
    wins(one, sends, now_ms)
    assert one.handle(Armed(one.epoch), now_ms) == [Start(one.epoch)]
    return one


# -- candidate ---------------------------------------------------------------------------------


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


# -- holder ------------------------------------------------------------------------------------


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


# -- giving back -------------------------------------------------------------------------------


def test_it_is_given_back_after_the_stop_the_guard_and_its_own_disk_in_this_order():
    one = holder()
    out = one.handle(Order("asked to", 1), 500)
    assert only(out, Answer)[0].ok
    assert only(out, Stop) == [Stop(32, "asked to")]
    assert one.handle(Disarmed(32), 501) == []
    assert one.handle(StopConfirmed(31), 501) == []
    assert one.handle(StopConfirmed(32), 600) == [Disarm(32)]
    (own,) = one.handle(Disarmed(32), 603)
    assert (own.to, own.kind) == (0, Kind.RELEASE)
    assert answer(one, 1, own, 605) == []
    out = only(answer(one, 0, own, 610), Send)
    assert [(send.to, send.successor) for send in out] == [(1, 1), (2, 1)]
    assert (one.phase, one.holder) == (Phase.FOLLOWING, 1)


def test_what_is_not_answered_is_said_again_until_the_validity_ran_out():
    one = holder()
    one.handle(Order("asked to"), 500)
    one.handle(StopConfirmed(32), 600)
    assert one.due_ms(600) == 1_600
    assert one.handle(Tick(0.0), 1_599) == []
    assert one.handle(Tick(0.0), 1_600) == [Disarm(32)]
    (own,) = one.handle(Disarmed(32), 1_700)
    assert only(one.handle(Tick(0.0), 2_700), Send)[0].kind is Kind.RELEASE
    out = only(one.handle(Tick(0.0), 6_201), Send)
    assert [send.to for send in out] == [0, 1, 2]
    assert one.phase == Phase.FOLLOWING
    assert own.to == 0


def test_a_host_that_is_no_voter_is_told_once_and_not_waited_for():
    one = holder(hosts=(0, 1, 3))
    one.handle(Order("asked to"), 500)
    one.handle(StopConfirmed(32), 600)
    (own,) = one.handle(Disarmed(32), 603)
    assert [send.to for send in only(answer(one, 0, own, 610), Send)] == [1, 2, 3]
    assert [send.to for send in only(one.handle(Tick(0.0), 1_610), Send)] == [1, 2]


@pytest.mark.parametrize(
    ("to", "why"), [(2, "is no host"), (1, "is not heard")], ids=["observer", "silent"]
)
def test_a_switchover_to_who_cannot_take_it_is_refused(to, why):
    one = holder()
    one.handle(ViewChanged(View(frozenset({0, 2}))), 300)
    (refused,) = one.handle(Order("asked to", to), 500)
    assert (refused.ok, why in refused.sentence) == (False, True)


def test_what_is_not_held_is_not_given_back():
    (refused,) = follower().handle(Order("asked to"), 500)
    assert refused.sentence == "main is not held here"


def test_it_yields_only_the_epoch_that_it_holds():
    one = holder()
    assert one.handle(Received(frame(1, Kind.YIELD, epoch=64), 1), 300) == []
    out = one.handle(Received(frame(1, Kind.YIELD), 1), 300)
    assert only(out, Stop)[0].why == "node 1 asked for it"


def test_the_successor_stands_at_once_and_everybody_else_two_seconds_later():
    for successor, at in ((0, 1_000), (2, 3_000)):
        one = follower(replace(ALL, rank=0), hosts=(0, 1, 2))
        one.handle(Bound("main", 33, 1), 0)
        one.handle(Received(frame(1, Kind.RELEASE, epoch=33, successor=successor), 1), 1_000)
        one.handle(Tick(0.0), 1_000)
        assert (one._stand_ms or (one.phase == Phase.PREVOTE and 1_000)) == at


def test_a_release_of_somebody_who_is_not_taken_for_the_holder_changes_nothing():
    one = follower()
    one.handle(Bound("main", 34, 2), 0)
    one.handle(Received(frame(1, Kind.RELEASE, epoch=33), 1), 1)
    assert one.holder == 2


def test_what_is_for_the_voter_is_left_to_it():
    assert follower().handle(Received(frame(1, Kind.ACQUIRE), 1), 1) == []


# -- attestation -------------------------------------------------------------------------------


def question(node=1):
    return Received(frame(node, Kind.ATTEST, owner=None), None)


def test_who_holds_nothing_says_so_with_the_highest_epoch_it_knows():
    one = follower(record=Record(33, 1, BOOT, 7))
    (said,) = one.handle(question(), 5)
    assert (said.to, said.kind, said.owner, said.max_epoch) == (1, Kind.ATTEST, 0, 33)


def test_who_holds_it_names_its_epoch():
    (said,) = holder().handle(question(), 300)
    assert (said.epoch, said.owner, said.owner_boot) == (32, 0, BOOT)


def test_who_does_not_know_yet_says_nothing_and_no_answer_is_answered():
    assert lease().handle(question(), 300) == []
    assert follower().handle(Received(frame(1, Kind.ATTEST), 1), 5) == []


def test_an_attester_first_gives_up_what_it_was_asking_for():
    one = follower()
    sends = stands(one)
    for node in (0, 1):
        out = answer(one, node, sends[0], 200)
    acquire = only(out, Send)[0]
    out = only(one.handle(question(), 210), Send)
    assert [send.kind for send in out] == [Kind.RELEASE] * 3 + [Kind.ATTEST]
    for node in (0, 1):
        answer(one, node, acquire, 220)
    assert not one.is_held


# -- sticky ------------------------------------------------------------------------------------


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
    assert one._proofs.known == {}
    assert one.handle(Proof(1, b"p" * 16, "its power is off"), 2) == []
    assert one.handle(Proof(0, b"p" * 16, "its power is off"), 2) == []


# -- the start of the agent --------------------------------------------------------------------


def test_a_restarted_agent_goes_on_with_what_the_guard_holds_and_renews_at_once():
    one = lease(Record(32, 0, BOOT, 7))
    out = one.handle(GuardState(32, 4_000), 1_000)
    assert only(out, Arm) == [Arm(32, (4_000 - 900, 4_000 - 500, 4_000))]
    assert (one.phase, one.due_ms(1_000)) == (Phase.HOLDING, 1_000)
    assert one.handle(Armed(32), 1_001) == [Start(32)]
    assert one.handle(GuardState(), 1_002) == []


@pytest.mark.parametrize(
    ("record", "guard"),
    [
        (Record(32, 0, b"0" * 16, 7, endless=True), GuardState()),
        (Record(32, 0, BOOT, 7), GuardState(32, 900)),
    ],
    ids=["a reboot", "its validity ran out"],
)
def test_what_ended_meanwhile_is_stopped_and_given_back_and_never_taken_up(record, guard):
    one = lease(record)
    (stop, _) = one.handle(guard, 1_000)
    assert stop == Stop(32, "it ended while the agent did not run")
    one.handle(StopConfirmed(32), 1_000)
    out = only(one.handle(Tick(0.0), 2_000), Send)
    assert {(send.kind, send.epoch) for send in out} == {(Kind.RELEASE, 32)}
    assert one.phase == Phase.FOLLOWING


def test_what_was_given_back_is_not_taken_up_again_even_if_the_guard_still_holds_it():
    one = lease(Record(32, 0, BOOT, 7, given_back=32))
    assert one.handle(GuardState(32, 4_000), 1_000) == []
    assert one.phase == Phase.FOLLOWING


def test_before_the_guard_has_spoken_nothing_is_done():
    one = lease()
    one.handle(Eligible(True), 0)
    one.handle(ViewChanged(ALL), 0)
    assert one.due_ms(0) is None
    assert one.handle(Tick(0.0), 10_000) == []
    assert one.belief(0) == Belief(0, None, 0, LeaseState.NONE)


def test_a_holder_keeps_to_itself_what_others_believe():
    one = holder()
    one.handle(Believed(1, Belief(33, 1, 100, LeaseState.HOLDING)), 300)
    assert one.holder == 0
    one.handle(Believed(2, Belief(33, 1, 100, LeaseState.FOLLOWING)), 300)
    assert one.holder == 0


def test_a_follower_says_whom_it_follows():
    one = follower()
    one.handle(Bound("main", 33, 1), 0)
    assert one.belief(0) == Belief(33, 1, 0, LeaseState.FOLLOWING)


# -- other voters ------------------------------------------------------------------------------

QUORUM = Electorate(8, (0, 1, 2), (0, 1, 2))
TWO = Electorate(8, (0, 1), (0, 1, 2), sticky=True)


def under(one, electorate, now_ms=0, *, provable=frozenset(), accepted=None):
    return one.handle(Configured(electorate, provable, accepted), now_ms)


def renewal(one, now_ms):
    return only(one.handle(Tick(0.0), now_ms), Send)


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


@pytest.mark.parametrize("provable", [frozenset(), frozenset({0})])
def test_a_proof_is_no_vote_of_one_that_may_be_under_other_voters(provable):
    one = follower(View(frozenset({0}), frozenset({1})), electorate=PAIR)
    under(one, PAIR, provable=provable)
    one.handle(Proof(1, b"p" * 16, "off"), 0)
    assert one.due_ms(0) is None
    under(one, PAIR, provable=frozenset({1}))
    assert one.due_ms(0) is not None


def site_lease(**more):
    given = {"hosts": (0, 1, 2), "stop_ms": 0, "watchdog_ms": 0, "timing": DEFAULT}
    state = VoterState(1, b"v" * 16, 3, BOOT, {})
    one = Lease("site", me=0, boot=BOOT, electorate=THREE, state=state, **given | more)
    one.handle(GuardState(), 0)
    one.handle(Eligible(True), 0)
    one.handle(ViewChanged(ALL), 0)
    return one


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


def test_what_was_accepted_is_told_to_a_voter_that_starts():
    one = site_lease()
    begun = Accepted(5, Configuration(8, (0, 1), True))
    under(one, THREE, accepted=begun)
    question = frame(1, Kind.ATTEST, name="site", owner=None)
    (said,) = only(one.handle(Received(question, 1), 5), Send)
    assert said.accepted == begun


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


# -- a witness elsewhere -----------------------------------------------------------------------


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
    one.name = "site"
    after = Electorate(8, (0, 1, WITNESS), (0, 1, 2))
    one.handle(Configured(after, frozenset(), None), 0)
    assert one._hosts == (0, 1)
