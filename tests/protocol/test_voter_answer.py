"""What a voter says to one who asked."""

from voter_disk import Disk, frame

from roost_protocol.explain import Explain
from roost_protocol.voter_events import (
    Request,
    Send,
)


def test_a_refusal_is_explained_once_until_it_changes():
    disk = Disk()
    disk.ask(0)
    request = Request(frame(node=2, epoch=66), 10)
    assert [type(e) for e in disk.do(request, 1)] == [Send, Explain]
    assert [type(e) for e in disk.do(request, 2)] == [Send]
