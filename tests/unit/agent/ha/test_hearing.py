"""What comes in: what is believed, what is answered, what is only counted."""

import pytest
from ha_cores import Cores
from ha_site import beat
from msgspec.structs import replace

from roost_agent.ha import core_events as ev
from roost_agent.ha.abstaining import ABSTAINS
from roost_protocol.ha import Echo, Header, Kind, LeaseFrame, Nonce


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


def lease_frame(site, to, *, fresh=True, **more):
    """A frame of node 0, as node ``to`` could hear it."""
    box, sender = site.boxes[to], site.boxes[0]
    seq = box.core.fresh.sent(site.clock(box))
    pattern = beat(0, 10**6 + seq, boot=sender.boot, inc=sender.inc)
    header = {name: getattr(pattern, name) for name in Header.__struct_fields__}
    header["echo"] = {to: Echo(box.inc, seq, 0)} if fresh else {}
    said = {"kind": Kind.ATTEST, "name": "main", "owner": None, **more}
    nonce = Nonce(b"n" * 16, 1, 1)
    return LeaseFrame(**header, to=to, epoch=0, nonce=nonce, owner_boot=sender.boot, **said)


def later(site, to):
    """Have node 0 say that it heard a later start of node ``to``."""
    box, sender = site.boxes[to], site.boxes[0]
    seq = sender.core.fresh.sent(site.clock(sender))
    header = {"boot": sender.boot, "inc": sender.inc, "boot_ms": site.clock(sender)}
    site.tell(to, ev.FrameIn(0, beat(0, seq, echo={to: (box.inc + 5, 9, 0)}, **header)))


def answers(site, to, frame):
    box = site.boxes[to]
    effects = box.core.handle(ev.FrameIn(0, frame), site.clock(box))
    return [each.frame for each in effects if isinstance(each, ev.Send)]


def test_a_lease_that_the_own_file_does_not_have_is_attested_once_asked(site):
    site.settled()
    (answer,) = answers(site, 2, lease_frame(site, 2, name="other"))
    assert (answer.kind, answer.to, answer.owner, answer.epoch) == (Kind.ATTEST, 0, 2, 0)
    assert answers(site, 2, lease_frame(site, 2, name="other", owner=0)) == [], "an answer"
    site.boxes[2].core.holds["other"] = (5, None)
    assert answers(site, 2, lease_frame(site, 2, name="other")) == [], "the guard holds it"
    assert answers(site, 2, lease_frame(site, 2, name="other", kind=Kind.YIELD)) == []


def test_frames_that_are_stale_or_for_others_are_counted_or_left(site):
    site.settled()
    core = site.boxes[2].core
    (refusal,) = answers(site, 2, lease_frame(site, 2, kind=Kind.PREVOTE, fresh=False))
    assert (refusal.kind, refusal.reason) == (Kind.REFUSE, "stale")
    assert core.stale == 1
    assert answers(site, 2, replace(lease_frame(site, 2, name="other"), to=1)) == []


def test_a_disk_of_the_past_makes_the_voter_abstain_and_tell(site):
    site.settled()
    box = site.boxes[2]
    later(site, 2)
    later(site, 2)
    assert len(box.of(ev.Raise, type=ABSTAINS)) == 1
    site.cut = {(1, 2, None)}
    site.run(5_000)
    assert box.of(ev.Clear, type=ABSTAINS) == [], "a write that works makes it no younger"
    site.cut = set()
    site.run(5_000)
    assert len(box.of(ev.Clear, type=ABSTAINS)) == 1, "every node said what it holds"
    later(site, 2)
    assert len(box.of(ev.Raise, type=ABSTAINS)) == 1, "once a start"
