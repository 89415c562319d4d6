"""How a lease is given back, and what a release does to who hears it."""

import pytest
from leases import ALL, answer, follower, frame, holder, only
from msgspec.structs import replace

from roost_agent.ha.lease_events import (
    Answer,
    Disarm,
    Disarmed,
    Order,
    Received,
    Stop,
    StopConfirmed,
    Tick,
    ViewChanged,
)
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.view import View
from roost_protocol.ha import Kind
from roost_protocol.voter_events import Bound, Send


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


def test_the_successor_stands_at_once_and_everybody_else_two_seconds_later():
    for successor, at in ((0, 1_000), (2, 3_000)):
        one = follower(replace(ALL, rank=0), hosts=(0, 1, 2))
        one.handle(Bound("main", 33, 1), 0)
        one.handle(Received(frame(1, Kind.RELEASE, epoch=33, successor=successor), 1), 1_000)
        one.handle(Tick(0.0), 1_000)
        assert (one._turn.stand_ms or (one.phase == Phase.PREVOTE and 1_000)) == at


def test_a_release_of_somebody_who_is_not_taken_for_the_holder_changes_nothing():
    one = follower()
    one.handle(Bound("main", 34, 2), 0)
    one.handle(Received(frame(1, Kind.RELEASE, epoch=33), 1), 1)
    assert one.holder == 2
