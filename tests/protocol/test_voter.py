"""The grantor: to whom it gives its word, and what it remembers."""

import pytest
from voter_disk import BEFORE, BOOT, GRANTED, TERMS, Disk, P, asked, frame, told

from roost_protocol.electorate import Electorate
from roost_protocol.ha import Kind
from roost_protocol.voter import Voter
from roost_protocol.voter_events import (
    Begin,
    Bound,
    Persist,
    Persisted,
    PersistFailed,
    Request,
    Tick,
    Won,
)
from roost_protocol.voter_state import Record


def test_a_fresh_request_for_a_new_epoch_is_on_disk_before_it_is_granted():
    disk = Disk()
    disk.works = False
    effects = disk.do(Request(frame(), 10), 100)
    (write,) = effects
    assert write.state.records["main"] == Record(33, 1, BOOT[1], 7)
    answer, bound, why = disk.do(Persisted(write.token), 130)
    assert (answer.to, *told(answer), answer.epoch, answer.nonce) == (
        1, *GRANTED, 33, frame().nonce,
    )  # fmt: skip
    assert bound == Bound("main", 33, 1)
    assert why.sentence == "granted main (epoch 33) to node 1"
    assert disk.voter.promise("main", 130).until_ms == 130 + P


def test_a_renewal_binds_anew_from_its_receipt_and_writes_nothing():
    disk = Disk()
    disk.ask(0)
    stored = disk.stored
    assert told(disk.ask(1_000, kind=Kind.RENEW, counter=2)) == GRANTED
    assert disk.voter.promise("main", 1_000).until_ms == 1_000 + P
    assert disk.stored is stored


def test_a_promise_is_never_shortened_by_a_later_grant():
    disk = Disk()
    disk.ask(0, watchdog_ms=5_000)
    disk.ask(10, kind=Kind.RENEW, counter=2)
    assert disk.voter.promise("main", 10).until_ms == P + 5_000


def test_the_larger_watchdog_of_both_definitions_counts():
    disk = Disk(watchdogs={"main": 5_000})
    disk.ask(0)
    assert disk.voter.promise("main", 0).until_ms == P + 5_000


def test_a_prevote_changes_nothing():
    disk = Disk()
    assert told(disk.ask(0, kind=Kind.PREVOTE)) == GRANTED
    assert disk.voter.promise("main", 0) is None
    assert told(disk.ask(0, node=2, epoch=66)) == GRANTED


def test_a_sticky_grant_has_no_end_and_outlives_every_restart():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.ask(0)
    disk.ask(5, kind=Kind.RENEW, counter=2)
    refusal = disk.ask(10**9, node=0, epoch=64)
    assert (*told(refusal), refusal.remaining_ms) == (Kind.REFUSE, "promised", None)
    for boot in (BOOT[0], BEFORE):
        again = Disk(state=disk.stored, sticky=True, voters=(0, 1), boot=boot)
        assert again.voter.promise("main", 10**9).owner == 1


def test_its_owner_ends_it_after_a_reboot_by_a_word_that_this_node_can_date():
    disk = Disk({"main": Record(33, 1, BEFORE, 7, endless=True)}, sticky=True, voters=(0, 1))
    assert disk.ask(0, None, kind=Kind.RELEASE, counter=9) is None
    assert told(disk.ask(0, 10, kind=Kind.RELEASE, counter=9)) == GRANTED
    assert not disk.stored.records["main"].endless


def test_the_start_is_on_disk_before_anything_is_granted():
    disk = Disk()
    assert (disk.stored.inc, disk.stored.boot) == (4, BOOT[0])
    late = Voter(
        0, Electorate(7, (0, 1, 2), (0, 1, 2)), TERMS, {"main": 0}, state=disk.stored,
        boot=BOOT[0], guarded=True,
    )  # fmt: skip
    (write,) = late.handle(Begin(), 0)
    (refusal, _) = late.handle(Request(frame(), 10), 0)
    assert told(refusal) == (Kind.REFUSE, "abstains")
    assert late.handle(Request(frame(kind=Kind.RELEASE), 10), 0) == []
    assert late.handle(PersistFailed(write.token), 5) == []
    assert late.handle(Tick(), late.due_ms() - 1) == []
    (again,) = late.handle(Tick(), late.due_ms())
    late.handle(Persisted(again.token), 2_000)
    assert any(type(e) is Persist for e in late.handle(Request(frame(), 10), 2_000))


def test_the_write_of_a_start_is_not_doubled_while_it_is_on_its_way():
    disk = Disk()
    late = Voter(
        0, Electorate(7, (0, 1), (0, 1)), TERMS, {}, state=disk.stored, boot=BOOT[0], guarded=True
    )
    (write,) = late.handle(Begin(), 0)
    late.handle(PersistFailed(write.token), 0)
    late.handle(Tick(), 1_000)
    late._memory.due_ms = 1_000
    assert late.handle(Tick(), 1_000) == []


def test_who_is_no_voter_refuses_and_asks_nobody():
    disk = Disk(voters=(1, 2, 3), nodes=(0, 1, 2, 3), boot=BEFORE)
    assert asked(disk.do(Tick(), 50)) == []
    assert told(disk.ask(10**6)) == (Kind.REFUSE, "abstains")


@pytest.mark.parametrize("kind", [Kind.GRANT, Kind.REFUSE, Kind.YIELD])
def test_what_is_not_for_a_voter_is_left_alone(kind):
    assert Disk().do(Request(frame(kind=kind), 10), 0) == []


def owned(**more):
    """The disk of a voter whose own node asked for epoch 32 of a pair."""
    disk = Disk(sticky=True, voters=(0, 1), **more)
    assert told(disk.ask(0, node=0, epoch=32)) == GRANTED
    return disk


def test_that_a_right_is_nobody_elses_is_kept_once():
    disk = owned()
    assert not disk.stored.records["main"].is_still_mine(0, 7)
    assert any(isinstance(each, Persist) for each in disk.do(Won("main", 32), 5))
    record = disk.stored.records["main"]
    assert (record.won, record.won_under) == (32, 7)
    assert record.is_still_mine(0, 7)
    assert disk.do(Won("main", 32), 6) == [], "it is there already"


def test_a_right_that_is_another_nodes_or_another_epochs_is_not_kept_as_ones_own():
    disk = owned()
    assert disk.do(Won("main", 64), 5) == []
    other = Disk(sticky=True, voters=(0, 1))
    other.ask(0, node=1, epoch=33)
    assert other.do(Won("main", 33), 5) == []
    assert Disk().do(Won("main", 33), 5) == []


def test_who_gave_it_back_or_promised_another_has_it_no_more():
    disk = owned()
    disk.do(Won("main", 32), 5)
    disk.ask(10, node=0, kind=Kind.RELEASE, epoch=32, counter=2)
    assert not disk.stored.records["main"].is_still_mine(0, 7)
    assert disk.do(Won("main", 32), 11) == [], "a word that comes late changes nothing"
    assert told(disk.ask(20, node=1, epoch=33)) == GRANTED
    assert not disk.stored.records["main"].is_still_mine(0, 7)
