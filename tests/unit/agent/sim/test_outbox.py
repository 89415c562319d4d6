import msgspec
import pytest

from roost_agent.sim.outbox import WAITING_MAX, MemoryLane
from roost_protocol.envelope import Gap, ItemKind
from roost_protocol.limits import REPORT_BYTES_AIM

EPOCH = b"epoch-01"


def lane(count, size=10):
    made = MemoryLane(b"s" * 16)
    for _ in range(count):
        made.append(ItemKind.EVENT, 1, b"x" * size, compressed=False)
    return made


def numbers(items):
    return [item.seq for item in items]


def gap_of(item):
    assert item.kind is ItemKind.GAP
    return msgspec.msgpack.decode(item.body, type=Gap)


def test_what_follows_a_number_is_fetched_in_order():
    assert numbers(lane(5).fetch(2)) == [3, 4, 5]


def test_a_report_is_closed_past_its_aim():
    kept = lane(5, size=REPORT_BYTES_AIM // 2)
    assert numbers(kept.fetch(0)) == [1, 2]
    assert numbers(lane(2, size=REPORT_BYTES_AIM * 2).fetch(0)) == [1]


def test_a_mark_lets_go_what_central_has():
    kept = lane(5)
    assert kept.set_mark(3, EPOCH) == 3
    assert numbers(kept.items) == [4, 5]
    assert kept.position.mark == 3


def test_a_restored_central_gets_a_gap_for_what_is_gone():
    kept = lane(5)
    kept.set_mark(5, EPOCH)
    kept.set_mark(2, b"epoch-02")
    (only,) = kept.fetch(2)
    assert (gap_of(only).first, gap_of(only).last) == (3, 5)


@pytest.mark.parametrize("more", [1, 2, 40])
def test_a_full_lane_drops_the_oldest_and_says_so(more):
    kept = lane(WAITING_MAX + more)
    assert len(kept.items) == WAITING_MAX
    assert kept.dropped == more + 1
    first, second, *_ = kept.fetch(0)
    assert (gap_of(first).first, gap_of(first).last) == (1, more + 1)
    assert second.seq == more + 2
    assert kept.report.dropped == more + 1


def test_a_restarted_stream_counts_from_one():
    kept = lane(5)
    kept.restart(b"t" * 16, after=3)
    assert numbers(kept.fetch(0)) == [1, 2]
    assert kept.position.last == 2
    assert kept.position.epoch is None
