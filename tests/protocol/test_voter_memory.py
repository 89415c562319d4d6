"""What a voter's disk has, and what is on its way there."""

from voter_disk import FRESH, GRANTED, Disk, attest, frame, told

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
