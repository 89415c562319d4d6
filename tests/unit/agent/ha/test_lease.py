"""One lease at one node: what others say, what it says, and the start of the agent."""

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
    lease,
    only,
    question,
    site_lease,
    stands,
    under,
    wins,
)
from msgspec.structs import replace

from roost_agent.ha.lease_events import (
    Arm,
    Armed,
    Believed,
    Eligible,
    GuardState,
    Received,
    Start,
    Stop,
    StopConfirmed,
    Tick,
    ViewChanged,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.view import View
from roost_protocol.configuration import Accepted, Configuration
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, Kind, LeaseState
from roost_protocol.voter_events import Bound, Send, Won
from roost_protocol.voter_state import Record, VoterState


def test_it_yields_only_the_epoch_that_it_holds():
    one = holder()
    assert one.handle(Received(frame(1, Kind.YIELD, epoch=64), 1), 300) == []
    out = one.handle(Received(frame(1, Kind.YIELD), 1), 300)
    assert only(out, Stop)[0].why == "node 1 asked for it"


def test_what_is_for_the_voter_is_left_to_it():
    assert follower().handle(Received(frame(1, Kind.ACQUIRE), 1), 1) == []


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


def test_what_was_accepted_is_told_to_a_voter_that_starts():
    one = site_lease()
    begun = Accepted(5, Configuration(8, (0, 1), True))
    under(one, THREE, accepted=begun)
    question = frame(1, Kind.ATTEST, name="site", owner=None)
    (said,) = only(one.handle(Received(question, 1), 5), Send)
    assert said.accepted == begun


MINE = Record(32, 0, b"o" * 16, 7, endless=True, won=32, won_under=7)
DEAF = View(frozenset({0}))
WIDER = Configuration(8, (0, 1, 2), sticky=False)


def rebooted(record=MINE, view=DEAF, **more):
    """A pair's node after a reboot: the guard holds nothing."""
    return follower(view, record=record, electorate=PAIR, starts_alone=True, **more)


def test_the_last_holder_starts_without_the_other_under_a_higher_epoch():
    one = rebooted()
    assert one.phase == Phase.FOLLOWING
    sends = stands(one)
    assert [send.kind for send in sends] == [Kind.PREVOTE] * 2
    out = answer(one, 0, sends[0], 200)
    assert [send.kind for send in only(out, Send)] == [Kind.ACQUIRE] * 2
    out = answer(one, 0, only(out, Send)[0], 250)
    assert one.is_held
    assert one.epoch == 64
    assert only(out, Arm)[0].deadlines is None
    assert only(out, Won) == [Won("main", 64)]
    (why,) = (each.sentence for each in only(out, Explain))
    assert "this node had it last, so nobody else can have had it since" in why


@pytest.mark.parametrize(
    "more",
    [
        {"record": replace(MINE, won=0)},
        {"record": replace(MINE, won_under=6)},
        {"starts_alone": False},
    ],
)
def test_without_its_mark_it_gives_back_what_it_owned(more):
    given = {"record": MINE, "electorate": PAIR, "starts_alone": True} | more
    one = lease(**given)
    out = one.handle(GuardState(), 0)
    assert only(out, Stop)[0].epoch == 32


def test_an_accepted_change_of_the_voters_ends_what_the_mark_says():
    state = VoterState(1, b"v" * 16, 3, BOOT, {"main": MINE}, accepted=Accepted(1, WIDER))
    one = lease(electorate=PAIR, starts_alone=True, state=state)
    assert only(one.handle(GuardState(), 0), Stop)
    one = rebooted()
    under(one, PAIR, accepted=Accepted(1, WIDER))
    one.handle(ViewChanged(DEAF), 1)
    assert one.due_ms(1) is None, "it does not stand alone any more"


def test_who_hears_the_other_node_gives_back_and_asks_as_ever():
    one = rebooted()
    one.handle(ViewChanged(View(frozenset({0, 1}))), 100)
    (stop,) = only(one.handle(Tick(0.0), 110), Stop)
    assert (stop.epoch, stop.why) == (32, "the other node is heard: either may have it")


def test_the_other_nodes_no_counts_though_it_was_not_heard():
    one = rebooted()
    sends = stands(one)
    answer(one, 1, sends[1], 190, Kind.REFUSE, reason="promised", owner=1)
    answer(one, 0, sends[0], 200)
    assert not one.is_held
    assert one.phase == Phase.FOLLOWING


def test_a_right_that_all_promised_is_marked_and_only_where_that_is_asked_for():
    for starts_alone in (True, False):
        one = follower(View(frozenset({0, 1})), electorate=PAIR, starts_alone=starts_alone)
        out = wins(one, stands(one), 200)
        assert only(out, Won) == [Won("main", 32)] * starts_alone
