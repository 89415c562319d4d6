"""What a voter's disk has, and what is on its way there."""

from voter_disk import BOOT, FRESH, GRANTED, Disk, P, attest, frame, told

from roost_protocol.explain import Explain
from roost_protocol.ha import Kind
from roost_protocol.voter_events import (
    Persisted,
    PersistFailed,
    Request,
)


def test_two_leases_are_on_their_way_to_the_disk_at_once_and_neither_loses_the_other():
    disk = Disk({"site": FRESH})
    disk.works = False
    (one,) = disk.do(Request(frame(), 10), 0)
    (two,) = disk.do(Request(frame(node=2, epoch=66, name="site"), 10), 0)
    assert {name: each.max_epoch for name, each in two.state.records.items()} == {
        "main": 33, "site": 66,
    }  # fmt: skip
    disk.do(Request(frame(node=2, epoch=66, name="site", kind=Kind.RELEASE, counter=2), 10), 0)
    for write in (one, two):
        disk.do(Persisted(write.token), 1)
    assert (disk.voter.max_epoch("main"), disk.voter.max_epoch("site")) == (33, 66)


def test_a_write_that_failed_is_refused_and_its_epoch_is_gone_for_everybody():
    disk = Disk()
    disk.works = False
    (write,) = disk.do(Request(frame(), 10), 0)
    answer, why = disk.do(PersistFailed(write.token), 5)
    assert told(answer) == (Kind.REFUSE, "disk")
    assert isinstance(why, Explain)
    disk.works = True
    assert told(disk.ask(6, counter=2)) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(6, counter=3, epoch=65)) == GRANTED
    assert disk.voter.handle(PersistFailed(99), 7) == []
    assert disk.voter.handle(Persisted(99), 7) == []


def test_more_leases_than_a_site_may_have_are_not_voted_on():
    disk = Disk({f"l{n}": FRESH for n in range(15)})
    assert told(disk.ask(0, name="other")) == (Kind.REFUSE, "blank")
    attest(disk, 0, 1, 2, name="other")
    assert told(disk.ask(101, name="other")) == (Kind.REFUSE, "blank")


def test_a_lease_by_proof_stays_promised_whatever_runs_out_and_whatever_restarts():
    disk = Disk(by_proof=frozenset({"main"}))
    assert told(disk.ask(0)) == GRANTED
    assert disk.voter.promise("main", 100 * P).owner == 1
    assert told(disk.ask(100 * P, node=2, epoch=66)) == (Kind.REFUSE, "promised")
    again = Disk(by_proof=frozenset({"main"}), state=disk.stored)
    assert told(again.ask(100 * P, node=2, epoch=66)) == (Kind.REFUSE, "promised")
    proof = frame(node=2, kind=Kind.FENCE_CONFIRM, epoch=0, owner=1, owner_boot=BOOT[1])
    again.do(Request(proof, 10), 100 * P)
    assert told(again.ask(100 * P, node=2, epoch=66, counter=2)) == GRANTED
    assert again.stored.records["main"].owner == 2


def test_a_lease_by_proof_is_free_once_its_owner_gave_it_back():
    disk = Disk(by_proof=frozenset({"main"}))
    disk.ask(0)
    disk.do(Request(frame(kind=Kind.RELEASE, counter=2), 10), 1)
    assert told(disk.ask(2, node=2, epoch=66)) == GRANTED


def test_another_lease_of_the_site_ends_by_its_time():
    disk = Disk({"site": FRESH}, by_proof=frozenset({"main"}))
    disk.ask(0, name="site")
    assert disk.voter.promise("site", 0) is not None
    assert disk.voter.promise("site", P + 1) is None
