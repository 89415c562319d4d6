"""A simulated node keeps the wire's promises, since its cores are the agent's."""

from itertools import pairwise

import pytest

from roost_agent.sim.alarms import KINDS
from roost_agent.sim.node import SILENT_MS
from roost_protocol.alarm import Alarm, Event
from roost_protocol.beat import PathState
from roost_protocol.codec import VERSION, Decoder, unpack
from roost_protocol.digest import alarm_digest
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.inventory import Delta, InventoryDocument, SnapshotPart
from roost_protocol.severity import Severity

_documents = Decoder(InventoryDocument)
_alarms = Decoder(Alarm)


def documents(items):
    return [
        _documents.decode(unpack(item.body, compressed=item.compressed))
        for item in items
        if item.kind is ItemKind.INVENTORY
    ]


def event():
    return Event(v=VERSION, type="750.801", severity=Severity.WARNING, text="x")


def states(rig):
    return {name: way.core.state for name, way in rig.node.ways.items()}


def test_it_beats_on_every_path_and_tells_its_inventory(rig):
    rig.start()
    assert {beat.path for beat in rig.centre.beats} == {"wan1", "wan2"}
    assert {beat.why for beat in rig.centre.beats} >= {"start"}
    assert states(rig) == {"wan1": PathState.UP, "wan2": PathState.UP}
    (snapshot,) = documents(rig.centre.items)
    assert isinstance(snapshot, SnapshotPart)
    assert rig.counts.waiting == 0


def test_beat_numbers_have_no_gap_and_no_beat_is_late(rig):
    rig.start()
    seen_ms = rig.clock.wall_ms()
    rig.pass_time(120_000)
    for path in ("wan1", "wan2"):
        beats = [beat for beat in rig.centre.beats if beat.path == path]
        assert [beat.n for beat in beats] == list(range(1, len(beats) + 1))
        times = [beat.sent_ms for beat in beats]
        assert max(b - a for a, b in pairwise([seen_ms, *times])) <= 10_000


def test_a_beat_tells_the_inventory_that_central_has(rig):
    rig.start()
    rig.pass_time(11_000)
    mark = rig.centre.beats[-1].inventory
    (snapshot,) = documents(rig.centre.items)
    assert (mark.gen, mark.digest) == (snapshot.gen, snapshot.digest)
    assert rig.centre.marks[rig.node.node, rig.centre.beats[-1].bulk.stream] == mark.seq


def test_wear_is_told_as_a_delta_that_follows(rig):
    rig.start()
    rig.node.wear(0, rig.clock.now_ms)
    rig.answer()
    snapshot, delta = documents(rig.centre.items)
    assert isinstance(delta, Delta)
    assert delta.base_gen == snapshot.gen
    assert delta.sections["disk"].base == snapshot.sections["disk"].digest


def test_a_resync_is_answered_with_everything(rig):
    rig.start()
    rig.centre.resync = True
    rig.node.tell(Lane.BULK, ItemKind.EVENT, event(), rig.clock.now_ms)
    rig.answer()
    again = documents(rig.centre.items)[-1]
    assert isinstance(again, SnapshotPart)
    assert again.full
    assert rig.counts.resyncs == 2
    assert [item.kind for item in rig.centre.items].count(ItemKind.ALARM_SET) == 1


def test_a_beat_tells_the_alarms_that_central_has(rig):
    rig.start()
    for kind in (*KINDS[:3], KINDS[1]):
        rig.node.turn_alarm(kind, rig.clock.now_ms)
        rig.answer()
    rig.pass_time(11_000)
    beat = rig.centre.beats[-1]
    stand = {(type_, entity, int(severity)) for type_, entity, severity, _ in KINDS[:3:2]}
    assert beat.alarms_digest == alarm_digest(stand)
    assert (beat.alarms_count, beat.alarms_seq) == (2, 4)
    assert rig.centre.marks[rig.node.node, beat.alarm.stream] == beat.alarms_seq
    alarms = [_alarms.decode(item.body) for item in rig.centre.items if item.kind == "alarm"]
    assert [str(alarm.change) for alarm in alarms] == ["raise", "raise", "raise", "clear"]
    for alarm in alarms:
        alarm.check()


def test_what_was_told_while_cut_off_arrives_afterwards(rig):
    rig.start()
    for way in rig.node.ways.values():
        way.cuts = 1
    told = len(rig.centre.items)
    for _ in range(5):
        rig.node.tell(Lane.BULK, ItemKind.EVENT, event(), rig.clock.now_ms)
    rig.pass_time(60_000)
    assert len(rig.centre.items) == told
    assert rig.counts.waiting == 5
    for way in rig.node.ways.values():
        way.cuts = 0
    rig.pass_time(120_000)
    assert len(rig.centre.items) == told + 5
    assert rig.counts.waiting == 0


def test_a_receipt_that_is_lost_costs_nothing(rig):
    rig.start()
    rig.node.tell(Lane.BULK, ItemKind.EVENT, event(), rig.clock.now_ms)
    rig.centre.owed.clear()
    rig.pass_time(40_000)
    assert rig.counts.waiting == 0
    assert len(rig.centre.items) == rig.counts.items


def test_a_cut_shows_by_silence_only(rig):
    rig.start()
    rig.node.ways["wan1"].cuts = 1
    rig.node.wake(rig.clock.now_ms)
    rig.pass_time(SILENT_MS - 1_000)
    assert states(rig)["wan1"] is PathState.UP
    rig.pass_time(2_000)
    assert states(rig) == {"wan1": PathState.DOWN, "wan2": PathState.UP}
    assert rig.centre.gone == ["wan1"]


def test_a_drop_shows_at_once(rig):
    rig.start()
    rig.node.ways["wan2"].drops = 1
    rig.node.wake(rig.clock.now_ms)
    assert states(rig) == {"wan1": PathState.UP, "wan2": PathState.DOWN}
    assert rig.centre.gone == ["wan2"]


def test_a_path_that_is_down_is_given_no_beats(rig):
    rig.start()
    rig.node.ways["wan2"].drops = 1
    rig.pass_time(60_000)
    rig.node.ways["wan2"].drops = 0
    rig.pass_time(120_000)
    numbers = [beat.n for beat in rig.centre.beats if beat.path == "wan2"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_lost_broker_is_met_again(rig):
    rig.start()
    rig.links["wan1"].is_up = False
    rig.pass_time(11_000)
    assert states(rig)["wan1"] is PathState.DOWN
    rig.links["wan1"].is_up = True
    rig.pass_time(60_000)
    assert states(rig)["wan1"] is PathState.UP


def test_a_reboot_has_another_boot_and_loses_nothing(rig):
    rig.start()
    before = rig.centre.beats[-1]
    for link in rig.links.values():
        link.is_up = False
    rig.node.tell(Lane.BULK, ItemKind.EVENT, event(), rig.clock.now_ms)
    for link in rig.links.values():
        link.is_up = True
    rig.node.power_off(rig.clock.now_ms)
    assert rig.node.due_ms() is None
    rig.node.power_on(rig.clock.now_ms)
    rig.answer()
    after = rig.centre.beats[-1]
    assert after.boot_id != before.boot_id
    assert after.incarnation == before.incarnation + 1
    assert rig.counts.waiting == 0


def test_a_restored_central_is_told_what_is_missing(rig):
    rig.start()
    rig.node.tell(Lane.BULK, ItemKind.EVENT, event(), rig.clock.now_ms)
    rig.answer()
    rig.centre.epoch = b"epoch-02"
    rig.centre.marks.clear()
    rig.centre.items.clear()
    rig.node.tell(Lane.BULK, ItemKind.EVENT, event(), rig.clock.now_ms)
    rig.answer()
    rig.pass_time(40_000)
    kinds = [item.kind for item in rig.centre.items]
    assert kinds == [ItemKind.GAP, ItemKind.EVENT]
    assert rig.counts.waiting == 0


@pytest.mark.parametrize("path", ["wan1", "wan2"])
def test_what_comes_while_it_is_off_is_not_heard(rig, path):
    rig.start()
    report = rig.centre.reports[-1]
    rig.node.power_off(rig.clock.now_ms)
    heard = rig.counts.receipts
    rig.node.hear(path, rig.receipt(report), rig.clock.now_ms)
    assert rig.counts.receipts == heard
