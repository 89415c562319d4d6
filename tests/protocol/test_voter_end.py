"""What ends a promise before its time."""

from voter_disk import BOOT, GRANTED, Disk, frame, told

from roost_protocol.ha import Kind
from roost_protocol.voter_events import (
    Persisted,
    Request,
)
from roost_protocol.voter_state import Record


def test_a_release_ends_the_promise_and_its_epoch_for_ever():
    disk = Disk()
    disk.ask(0)
    assert told(disk.ask(1, None, kind=Kind.RELEASE, counter=2)) == GRANTED
    assert disk.voter.promise("main", 1) is None
    assert told(disk.ask(2, kind=Kind.RENEW, counter=3)) == (Kind.REFUSE, "released")
    assert told(disk.ask(2, node=2, epoch=66)) == GRANTED


def test_the_release_of_a_round_before_the_last_granted_one_is_ignored():
    disk = Disk()
    disk.ask(0, counter=5, epoch=65)
    assert disk.ask(1, kind=Kind.RELEASE, counter=4, epoch=65) is None
    assert disk.ask(1, kind=Kind.RELEASE, counter=6, epoch=33) is None
    assert disk.voter.promise("main", 1).owner == 1


def test_nobody_releases_for_another():
    disk = Disk()
    disk.ask(0)
    assert disk.ask(1, node=2, kind=Kind.RELEASE, owner=1, counter=9) is None
    assert told(disk.ask(1, node=2, kind=Kind.RELEASE, epoch=66)) == GRANTED
    assert disk.voter.promise("main", 1).owner == 1


def test_a_release_that_overtakes_its_grant_on_the_way_to_the_disk_ends_it():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.works = False
    (write,) = disk.do(Request(frame(counter=2), 10), 0)
    assert disk.ask(1, kind=Kind.RELEASE, counter=1) is None  # of the round before
    (undone,) = disk.do(Request(frame(kind=Kind.RELEASE, counter=3), 10), 2)
    assert not undone.state.records["main"].endless
    assert disk.do(Persisted(write.token), 3) == []
    assert told(disk.do(Persisted(undone.token), 4)[0]) == GRANTED
    assert disk.voter.promise("main", 4) is None
    assert disk.voter.max_epoch("main") == 33


def test_what_this_node_gave_back_itself_is_on_its_disk_beside_the_word_to_another():
    disk = Disk({"main": Record(33, 1, BOOT[1], 7, endless=True)}, sticky=True, voters=(0, 1))
    assert told(disk.ask(0, 0, node=0, kind=Kind.RELEASE, epoch=64)) == GRANTED
    record = disk.stored.records["main"]
    assert (record.owner, record.endless, record.given_back) == (1, True, 64)
    assert disk.voter.promise("main", 0).owner == 1


def test_a_proof_ends_the_promise_to_that_boot_and_no_other_and_the_boot_is_not_heard_again():
    disk = Disk()
    disk.ask(0)
    other = {"node": 2, "kind": Kind.FENCE_CONFIRM, "owner": 1, "epoch": 0}
    assert told(disk.ask(1, owner_boot=BOOT[3], **other)) == GRANTED
    assert disk.voter.promise("main", 1) is not None
    assert told(disk.ask(1, owner_boot=BOOT[1], **other)) == GRANTED
    assert disk.voter.promise("main", 1) is None
    assert told(disk.ask(2, epoch=65, counter=2)) == (Kind.REFUSE, "fenced")
    assert disk.ask(2, **other | {"owner": None}) is None


def test_a_proof_against_an_endless_promise_is_on_disk_before_it_is_answered():
    disk = Disk({"main": Record(33, 1, BOOT[1], 7, endless=True)}, sticky=True, voters=(0, 1))
    answer = disk.ask(0, node=0, kind=Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1], epoch=0)
    assert told(answer) == GRANTED
    assert not disk.stored.records["main"].endless


def test_a_proof_during_the_write_of_an_endless_grant_takes_it_back():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.works = False
    (write,) = disk.do(Request(frame(), 10), 0)
    disk.do(Request(frame(0, Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1]), 0), 1)
    (undone,) = disk.do(Persisted(write.token), 2)
    assert not undone.state.records["main"].endless
    assert disk.do(Persisted(undone.token), 3) == []


def test_a_proof_during_the_write_of_a_timed_grant_leaves_nothing_behind():
    disk = Disk()
    disk.works = False
    (write,) = disk.do(Request(frame(), 10), 0)
    disk.do(Request(frame(node=2, kind=Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1]), 10), 1)
    assert disk.do(Persisted(write.token), 2) == []


def test_a_release_of_the_round_before_leaves_the_one_on_its_way_to_the_disk_alone():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.ask(0)
    disk.works = False
    writes = disk.do(Request(frame(epoch=65, counter=3), 10), 5)
    writes += disk.do(Request(frame(kind=Kind.RELEASE, counter=2), 10), 6)
    for write in writes:
        disk.do(Persisted(write.token), 7)
    assert disk.voter.promise("main", 10**9).epoch == 65
    assert disk.voter.state.records["main"].endless


def test_where_the_last_holder_starts_alone_no_proof_ends_anything():
    disk = Disk(sticky=True, voters=(0, 1), takes_proof=False)
    disk.ask(0)
    assert disk.ask(5, node=1, kind=Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1]) is None
    assert disk.voter.promise("main", 10).owner == 1
    assert disk.voter.fenced == {}
