"""Frames on their way out and in, over paths of memory."""

import pytest
from ha_site import beat

from roost_agent.ha.peer import Peers
from roost_agent.ports import SystemEntropy
from roost_protocol.configuration import WITNESS
from roost_protocol.ha import Belief, Header, Kind, LeaseFrame, LeaseState, Nonce, seal
from roost_protocol.limits import HA_FRAME_BYTES_MAX

KEYS = {(0, 1): b"k" * 32, (0, 2): b"l" * 32, (1, 2): b"m" * 32}


class Wire:
    """A path: everything that is sent comes to everybody who is plugged in."""

    def __init__(self, number, hear):
        self.number, self.hear = number, hear
        self.plugged = [self]
        self.seen = []

    def beat(self, payload):
        self.seen.append(payload)
        for each in self.plugged:
            each.hear(self.number, payload)

    def lease(self, to, payload):
        self.beat(payload)


class Box:
    def __init__(self, me, site="lab", keys=None):
        pairs = {(set(pair) - {me}).pop(): key for pair, key in KEYS.items() if me in pair}
        self.heard = []
        self.peers = Peers(
            site,
            me,
            pairs if keys is None else keys,
            entropy=SystemEntropy(),
        )
        self.peers.hear = lambda path, frame: self.heard.append((path, frame.node))
        self.peers.paths = self.wires = [Wire(n, self.peers.came) for n in (0, 1)]


@pytest.fixture
def boxes():
    boxes = [Box(me) for me in (0, 1, 2)]
    for n in (0, 1):
        wires = [box.wires[n] for box in boxes]
        for wire in wires:
            wire.plugged = wires
    return boxes


def lease(node, to):
    header = {key: getattr(beat(node, 1), key) for key in Header.__struct_fields__}
    return LeaseFrame(
        **header,
        to=to,
        kind=Kind.RENEW,
        name="site",
        epoch=32,
        nonce=Nonce(b"v" * 16, 1, 1),
        owner=node,
        owner_boot=b"b" * 16,
        **({"voter_id": b"v" * 16} if "voter_id" in LeaseFrame.__struct_fields__ else {}),
    )


def test_a_beat_comes_to_all_on_every_path_and_back_to_its_sender(boxes):
    boxes[0].peers.send(beat(0, 1))
    for box in boxes:
        assert box.heard == [(0, 0), (1, 0)]
        assert box.peers.refused == {}


def test_a_lease_frame_is_opened_by_its_receiver_alone(boxes):
    boxes[0].peers.send(lease(0, 1))
    assert boxes[1].heard == [(0, 0), (1, 0)]
    assert boxes[0].heard == boxes[2].heard == []
    assert boxes[2].peers.refused == {"mac": 2}


def test_a_frame_with_another_key_is_refused_and_counted(boxes):
    stranger = Box(1, keys={0: b"x" * 32, 2: b"x" * 32})
    stranger.wires[0].plugged = [boxes[0].wires[0]]
    stranger.peers.send(beat(1, 1))
    assert boxes[0].heard == []
    assert boxes[0].peers.refused == {"mac": 1}


def test_a_member_cannot_speak_as_another_nor_pretend_our_own_echo(boxes):
    for pretended in (2, 0):
        boxes[1].peers.send(beat(pretended, 1))
    assert boxes[0].heard == []
    assert boxes[0].peers.refused == {"mac": 4}


def test_our_own_frames_of_before_the_restart_are_not_ours(boxes):
    boxes[0].peers.send(beat(0, 1))
    again = Box(0)
    again.peers.came(0, boxes[0].wires[0].seen[0])
    assert again.heard == []
    assert again.peers.refused == {"mac": 1}


def test_a_node_that_is_dropped_is_a_stranger_and_hears_nothing_more(boxes):
    boxes[0].peers.limit([0, 2])
    boxes[1].peers.send(beat(1, 1))
    assert boxes[0].heard == []
    assert boxes[0].peers.refused == {"member": 2}
    boxes[0].peers.send(beat(0, 1))
    assert [node for _, node in boxes[1].heard] == [1, 1]
    assert boxes[1].peers.refused == {"mac": 2}
    boxes[0].peers.limit([0, 1, 2])
    boxes[1].peers.send(beat(1, 2))
    assert [node for _, node in boxes[0].heard] == [0, 0, 1, 1]


def test_what_is_no_frame_of_a_member_is_refused(boxes):
    stranger = Box(0)
    stranger.peers.send(beat(9, 1))
    boxes[1].peers.came(0, stranger.wires[0].seen[0])
    boxes[1].peers.came(0, b"\x92\xc1")
    assert boxes[1].peers.refused == {"member": 1, "malformed": 1}


def test_a_frame_of_another_site_is_refused(boxes):
    other = Box(0, site="other")
    other.wires[0].plugged = [boxes[1].wires[0]]
    other.peers.send(beat(0, 1))
    assert boxes[1].heard[0] == (0, 0), "its frames say lab: the site is the frame's word"
    boxes[1].peers._site = "other"
    boxes[0].peers.send(beat(0, 2))
    assert boxes[1].peers.refused == {"site": 2}


def test_a_frame_that_is_too_long_is_counted_and_not_taken(boxes):
    boxes[0].peers.came(0, bytes(HA_FRAME_BYTES_MAX + 1))
    assert boxes[0].peers.refused == {"oversize": 1}
    assert boxes[0].heard == []


def test_a_frame_that_is_too_long_is_counted_and_not_sent(boxes):
    echo = dict.fromkeys(range(32), (2**53, 2**53, 2**53))
    leases = {f"{n:032}": Belief(2**53, 31, 2**53, LeaseState.FOLLOWING) for n in range(16)}
    boxes[0].peers.send(beat(0, 1, echo=echo, leases=leases))
    assert boxes[1].heard == []
    assert boxes[0].peers.refused == {"oversize": 2}


def test_the_witness_speaks_through_the_centre_alone_and_the_centre_for_nobody_else():
    box = Box(0, keys={1: b"k" * 32, WITNESS: b"w" * 32})
    told = seal(lease(WITNESS, 0), {0: b"w" * 32})
    box.peers.came_afar(told)
    assert box.heard == [(0, WITNESS)]
    box.peers.came(0, told)
    box.peers.came_afar(seal(lease(1, 0), {0: b"k" * 32}))
    box.peers.came_afar(seal(lease(WITNESS, 1), {0: b"w" * 32}))
    assert box.heard == [(0, WITNESS)]
    assert box.peers.refused == {"member": 2}


def test_what_is_for_the_witness_goes_to_the_centre_alone():
    box = Box(0, keys={1: b"k" * 32, WITNESS: b"w" * 32})
    sent = []
    box.peers.afar = sent.append
    box.peers.send(lease(0, WITNESS))
    assert (len(sent), box.wires[0].seen) == (1, [])
