"""What a voter says to one who asked."""

from voter_disk import Disk, frame

from roost_protocol.explain import Explain
from roost_protocol.ha import Kind
from roost_protocol.voter_events import Request, Send


def test_a_refusal_is_explained_once_until_it_changes():
    disk = Disk()
    disk.ask(0)
    request = Request(frame(node=2, epoch=66), 10)
    assert [type(e) for e in disk.do(request, 1)] == [Send, Explain]
    assert [type(e) for e in disk.do(request, 2)] == [Send]


def why(disk, request, now_ms):
    """What people read of a refusal."""
    (said,) = [each for each in disk.do(request, now_ms) if isinstance(each, Explain)]
    return said.sentence


def test_people_read_to_whom_why_and_for_how_long():
    disk = Disk()
    disk.ask(0)
    asked = frame(node=2, epoch=66)
    assert why(disk, Request(asked, 10), 3_900) == (
        "refused main (epoch 66) to node 2: this voter is bound to node 1 for 3.2 s more"
    )
    assert why(disk, Request(asked, 1_400), 3_900) == (
        "refused main (epoch 66) to node 2: this voter had the question too late: it was 1.4 s "
        "old, and counts for 1.0 s"
    )


def test_people_read_that_another_grant_is_on_its_way_to_the_disk():
    disk = Disk()
    disk.works = False
    disk.ask(0)
    renewed = Request(frame(kind=Kind.RENEW, counter=2), 10)
    assert "this voter is just putting another grant on its disk" in why(disk, renewed, 1)
