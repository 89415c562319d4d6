"""The latest state of one kind: on change, never two that wait, and again after half an hour."""

import msgspec

from roost_agent.errors import StorageError
from roost_agent.outbox.latest import AGAIN_MS, SETTLE_MS, Latest
from roost_agent.outbox.store import LaneCounts
from roost_protocol.envelope import ItemKind, Lane


class State(msgspec.Struct, frozen=True):
    value: int
    age: int = 0


class Outbox:
    def __init__(self, *, is_open=True):
        self.lanes = {Lane.BULK: LaneCounts(b"s" * 16, 0, 0, None)} if is_open else {}
        self.entries = []
        self.refuses = False

    def append(self, batch):
        if self.refuses:
            raise StorageError("full")
        self.entries += batch.entries
        self.count(last=len(self.entries))
        batch.then(self.lanes)

    def count(self, **changed):
        was = self.lanes[Lane.BULK]
        last, mark = changed.get("last", was.last), changed.get("mark", was.mark)
        self.lanes = {Lane.BULK: LaneCounts(was.stream, last, mark, None)}

    def receipt(self):
        self.count(mark=len(self.entries))


def made(**given):
    outbox = Outbox(**given)
    return outbox, Latest(outbox, ItemKind.HOST, lambda state: state.value)


def test_a_state_is_told_once_until_it_is_another():
    outbox, latest = made()
    assert latest.tell(State(1), now_ms=0, wall_ms=7)
    outbox.receipt()
    assert latest.tell(State(1, age=9), now_ms=10_000, wall_ms=8)
    assert [(each.kind, each.at_ms) for each in outbox.entries] == [(ItemKind.HOST, 7)]
    assert latest.tell(State(2), now_ms=10_000, wall_ms=9)
    assert len(outbox.entries) == 2


def test_while_one_waits_for_the_centre_there_is_no_second():
    outbox, latest = made()
    latest.tell(State(1), now_ms=0, wall_ms=0)
    for value in range(2, 50):
        assert not latest.tell(State(value), now_ms=10_000 * value, wall_ms=0)
    assert len(outbox.entries) == 1
    outbox.receipt()
    assert latest.tell(State(50), now_ms=600_000, wall_ms=0)


def test_two_are_two_seconds_apart():
    outbox, latest = made()
    latest.tell(State(1), now_ms=0, wall_ms=0)
    outbox.receipt()
    assert not latest.tell(State(2), now_ms=SETTLE_MS - 1, wall_ms=0)
    assert latest.tell(State(2), now_ms=SETTLE_MS, wall_ms=0)


def test_what_did_not_change_is_told_again_in_time():
    outbox, latest = made()
    for now_ms in (0, AGAIN_MS - 1, AGAIN_MS):
        latest.tell(State(1), now_ms=now_ms, wall_ms=now_ms)
        outbox.receipt()
    assert [each.at_ms for each in outbox.entries] == [0, AGAIN_MS]


def test_a_stream_that_began_anew_holds_nothing_up():
    outbox, latest = made()
    for value in range(3):
        latest.tell(State(value), now_ms=value * SETTLE_MS, wall_ms=0)
        outbox.receipt()
    latest.tell(State(8), now_ms=60_000, wall_ms=0)
    outbox.count(last=0, mark=0)
    assert latest.tell(State(9), now_ms=90_000, wall_ms=0)


def test_a_disk_that_refuses_or_is_not_there_yet_is_offered_it_again():
    outbox, latest = made()
    outbox.refuses = True
    assert not latest.tell(State(1), now_ms=0, wall_ms=0)
    outbox.refuses = False
    assert latest.tell(State(1), now_ms=1, wall_ms=0)
    closed, latest = made(is_open=False)
    assert not latest.tell(State(1), now_ms=0, wall_ms=0)
    assert closed.entries == []
