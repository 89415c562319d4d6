"""This node's own frames: numbered, signed with who it is, echoing whom it heard."""

from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.own_frames import OwnFrames, Said
from roost_protocol.ha import LEAVING, Kind, Nonce
from roost_protocol.voter_events import Send


def test_each_frame_has_the_next_number_and_echoes_whom_was_heard(tmp_path):
    site = Cores(tmp_path)
    site.start()
    site.run(3_000)
    core = site.boxes[0].core
    frames = OwnFrames(core.who, core.config, core.fresh, core.members, core.voter)
    now_ms = site.clock(site.boxes[0])
    first = frames.beat(Said({}), now_ms)
    send = Send(1, Kind.ACQUIRE, "main", 32, Nonce(b"n" * 16, 1, 1), 0, core.who.boot)
    second = frames.lease_frame(send, now_ms)
    assert (first.node, first.inc, first.boot) == (0, core.who.inc, core.who.boot)
    assert second.seq == first.seq + 1
    assert set(first.echo) == set(second.echo) == {1, 2}
    assert (second.to, second.kind, second.epoch) == (1, Kind.ACQUIRE, 32)
    assert (first.defs, first.cfgver) == (core.config.defs, core.config.cfgver)


def test_a_beat_tells_of_every_lease_and_how_this_node_does(tmp_path):
    site = Cores(tmp_path)
    site.settled()
    box = site.boxes[0]
    site.tell(0, ev.Score(300))
    site.tell(0, ev.Lagged(10_000))
    leases = {name: lease.belief(site.clock(box)) for name, lease in box.core.leases.items()}
    core = box.core
    frames = OwnFrames(core.who, core.config, core.fresh, core.members, core.voter)
    barred, moves = {"web", "main"}, {"main": {32: 5}}
    said = Said(leases, LEAVING, frozenset(barred), moves, {"web": 1})
    beat = frames.beat(said, site.clock(box))
    assert set(beat.leases) == {"site", "main", "web"}
    assert (beat.score, beat.lhm) == (300, core.members.lhm)
    assert beat.lhm > 1
    assert beat.standing == LEAVING
    assert beat.barred_leases() == barred
    assert beat.moves == moves
    assert beat.slot_table() == {"web": 1}
    assert frames.beat(Said(leases), site.clock(box)).slots == b""
    assert (beat.standing, beat.barred) == (LEAVING, 0b101)
    assert beat.barred_leases() == {"main", "web"}
