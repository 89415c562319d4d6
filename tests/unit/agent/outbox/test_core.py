"""Delivery: transcripts of single rules, and a machine with a central that keeps the mark rule."""

import copy

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from roost_agent.outbox.core import (
    BEHIND_MAX,
    GO_BACK_MS,
    RECEIPT_WAIT_MS,
    Appended,
    Ask,
    Delivery,
    Fetch,
    Fetched,
    Position,
    Publish,
    Received,
    Restart,
    Restarted,
    SetMark,
    Tick,
    Usable,
)
from roost_agent.outbox.gaps import gap, without_holes
from roost_protocol.envelope import Item, ItemKind, Lane
from roost_protocol.limits import REPORTS_IN_FLIGHT_MAX

A, B = Lane.ALARM, Lane.BULK
STREAMS = {A: b"a" * 16, B: b"b" * 16}
EPOCH = b"epoch--1"


def item(seq, name=""):
    return Item(seq, ItemKind.EVENT, 0, name.encode())


def delivery(*, last=0, mark=0, epoch=EPOCH):
    return Delivery({lane: Position(STREAMS[lane], last, mark, epoch) for lane in Lane})


def receipt(lane, seq, *, path="wan1", epoch=EPOCH):
    return Received(path, lane, STREAMS[lane], seq, epoch)


def ready(*, last=0, mark=0, paths=("wan1",)):
    """A delivery whose lanes have both learned central's mark."""
    core = delivery(last=last, mark=mark)
    core.handle(Usable(paths), 0)
    core.handle(receipt(B, mark), 0)
    return core, core.handle(receipt(A, mark), 0)


def empty(path, lane, prev=0):
    return Publish(path, lane, STREAMS[lane], prev, ())


def sent(actions):
    return [(a.lane, a.prev, [i.seq for i in a.items]) for a in actions if isinstance(a, Publish)]


def test_a_lane_asks_where_central_stands_before_it_sends():
    core = delivery(last=5, mark=3)
    assert core.handle(Usable(("wan1",)), 0) == [empty("wan1", A, 3), empty("wan1", B, 3)]
    assert core.handle(receipt(A, 3), 1) == [Fetch(A, 3)]


def test_bulk_waits_until_no_alarm_waits_to_be_sent():
    core, actions = ready(last=2)
    assert actions == [Fetch(A, 0)]
    actions = core.handle(Fetched(A, 0, (item(1), item(2))), 1)
    assert actions == [Publish("wan1", A, STREAMS[A], 0, (item(1), item(2))), Fetch(B, 0)]


def test_reports_in_flight_are_bounded():
    core, _ = ready()
    fetches = core.handle(Appended(A, 100), 0)
    for seq in range(1, 101):
        if not fetches:
            break
        fetches = [a for a in core.handle(Fetched(A, seq - 1, (item(seq),)), 0) if type(a) is Fetch]
    assert seq - 1 == REPORTS_IN_FLIGHT_MAX
    assert core.handle(receipt(A, 1), 1) == [SetMark(A, 1, EPOCH), Fetch(A, 8)]


def test_only_a_receipt_moves_the_mark():
    core, _ = ready(last=1)
    core.handle(Fetched(A, 0, (item(1),)), 0)
    core.handle(Tick(), 10)
    assert core.mark(A) == 0
    core.handle(receipt(A, 1), 11)
    assert core.mark(A) == 1


def test_it_is_idle_once_central_has_receipted_all_lanes():
    core, _ = ready(last=1)
    assert not core.idle()
    core.handle(receipt(A, 1), 1)
    assert not core.idle()
    core.handle(receipt(B, 1), 1)
    assert core.idle()


def test_silence_moves_the_lane_to_the_next_path_and_asks_there():
    core, _ = ready(last=1, paths=("wan1", "wan2"))
    core.handle(Fetched(A, 0, (item(1),)), 0)
    core.handle(Fetched(B, 0, (item(1),)), 0)
    assert core.handle(Tick(), RECEIPT_WAIT_MS - 1) == []
    assert core.due_ms() == RECEIPT_WAIT_MS
    assert core.handle(Tick(), RECEIPT_WAIT_MS) == [empty("wan2", A), empty("wan2", B)]


def test_progress_renews_the_patience():
    core, _ = ready(last=3)
    for seq in (1, 2):
        core.handle(Fetched(A, seq - 1, (item(seq),)), 0)
    core.handle(receipt(A, 1), RECEIPT_WAIT_MS - 1)
    assert core.handle(Tick(), RECEIPT_WAIT_MS) == []


def test_a_lost_path_is_left_at_once():
    core, _ = ready(last=1, paths=("wan1", "wan2"))
    core.handle(Fetched(A, 0, (item(1),)), 0)
    assert core.handle(Usable(("wan2",)), 5)[0] == empty("wan2", A)


def test_a_report_that_central_did_not_apply_is_sent_again_from_its_mark():
    core, _ = ready(last=2)
    core.handle(Fetched(A, 0, (item(1),)), 0)
    core.handle(Fetched(A, 1, (item(2),)), 0)
    assert core.handle(receipt(A, 0), 10) == [], "this early it may answer what went before"
    assert core.handle(receipt(A, 0), GO_BACK_MS) == [Fetch(A, 0)]


def test_a_mark_inside_a_report_goes_back_to_it():
    core, _ = ready(last=4)
    core.handle(Fetched(A, 0, tuple(map(item, range(1, 5)))), 0)
    assert core.handle(receipt(A, 2), 5)[-1] == Fetch(A, 2)


def test_a_late_receipt_below_the_mark_means_nothing():
    core, _ = ready(last=5, mark=5)
    assert core.handle(receipt(A, 2), 5) == []
    assert core.mark(A) == 5


def test_a_central_that_keeps_saying_less_is_believed():
    core, _ = ready(last=5, mark=5)
    actions = [core.handle(receipt(A, 2), 5) for _ in range(BEHIND_MAX)]
    assert actions == [[], [], [SetMark(A, 2, EPOCH), Fetch(A, 2)]]


def test_another_central_epoch_replays_the_ring_of_both_lanes():
    core, _ = ready(last=5, mark=5)
    actions = core.handle(receipt(A, 2, epoch=b"epoch--2"), 5)
    assert actions == [SetMark(A, 2, b"epoch--2"), empty("wan1", A, 2), empty("wan1", B, 5)]
    assert core.handle(receipt(A, 2, epoch=b"epoch--2"), 6) == [Fetch(A, 2)]
    actions = core.handle(receipt(B, 0, epoch=b"epoch--2"), 6)
    assert actions == [SetMark(B, 0, b"epoch--2"), empty("wan1", B, 0)]


def test_a_late_receipt_of_the_central_before_the_restore_costs_a_question_only():
    core, _ = ready(last=5, mark=5)
    core.handle(receipt(A, 2, epoch=b"epoch--2"), 5)
    assert core.handle(receipt(A, 5), 6)[:2] == [SetMark(A, 5, EPOCH), empty("wan1", A, 5)]
    assert SetMark(A, 2, b"epoch--2") in core.handle(receipt(A, 2, epoch=b"epoch--2"), 7)


def test_a_central_ahead_of_us_begins_a_new_stream_with_what_is_new():
    core = delivery(last=3, mark=1)
    core.handle(Usable(("wan1",)), 0)
    core.handle(Appended(A, 4), 1)
    assert core.handle(receipt(A, 9), 2) == [Restart(A, 3)]
    assert core.handle(receipt(A, 9), 2) == []
    actions = core.handle(Restarted(A, b"n" * 16, 1), 3)
    assert actions[0] == Publish("wan1", A, b"n" * 16, 0, ())


def test_items_that_were_read_for_a_path_that_is_gone_are_read_again():
    core, actions = ready(last=2)
    assert actions == [Fetch(A, 0)]
    core.handle(Usable(()), 1)
    assert core.handle(Fetched(A, 0, (item(1),)), 2) == []
    core.handle(Usable(("wan1",)), 3)
    assert core.handle(receipt(A, 0), 4) == [Fetch(A, 0)]


def test_items_that_were_read_before_the_lane_moved_are_read_again():
    core, actions = ready(last=3)
    assert actions == [Fetch(A, 0)]
    core.handle(receipt(A, 2), 1)
    assert core.handle(Fetched(A, 0, (item(1), item(2), item(3))), 2)[0] == Fetch(A, 2)


def test_a_receipt_of_another_stream_means_nothing():
    core, _ = ready(last=3)
    assert core.handle(Received("wan1", A, b"x" * 16, 2, EPOCH), 1) == []
    assert core.mark(A) == 0


def test_a_question_is_an_empty_report_on_the_path_it_is_about():
    core, _ = ready(last=2, mark=2, paths=("wan1", "wan2"))
    assert core.handle(Ask("wan2"), 0) == [empty("wan2", A, 2)]


class Central:
    """The mark rule over both lanes; every commit can be gone back to, as from a backup."""

    def __init__(self):
        self.epoch = 1
        self.marks = {}
        self.log = {lane: [] for lane in Lane}

    def take(self, report):
        mark = self.marks.get(report.stream, 0)
        if report.prev == mark and report.items:
            for each in report.items:
                assert each.kind is ItemKind.GAP or each.seq == mark + 1, "a silent hole"
                mark = each.seq
            self.log[report.lane] += [i.body for i in report.items if i.kind is not ItemKind.GAP]
            self.marks[report.stream] = mark
        return Received(report.path, report.lane, report.stream, mark, b"epoch%03d" % self.epoch)


class Disk:
    """What the store promises, in memory: rows by lane, holes told by without_holes."""

    def __init__(self):
        self.rows = {lane: {} for lane in Lane}
        self.at = {lane: Position(STREAMS[lane], 0, 0, None) for lane in Lane}

    def append(self, lane, body):
        at = self.at[lane]
        self.at[lane] = Position(at.stream, at.last + 1, at.mark, at.epoch)
        self.rows[lane][at.last + 1] = Item(at.last + 1, ItemKind.EVENT, 0, body)
        return at.last + 1

    def fetch(self, lane, prev, count):
        rows = [row for seq, row in sorted(self.rows[lane].items()) if seq > prev][:count]
        return tuple(without_holes(prev, self.at[lane].last, rows))

    def set_mark(self, lane, seq, epoch):
        at = self.at[lane]
        self.at[lane] = Position(at.stream, at.last, seq, epoch)

    def restart(self, lane, after, stream):
        fresh = [row for seq, row in sorted(self.rows[lane].items()) if seq > after]
        self.rows[lane] = {
            n: gap(n, n, "moved", 0) if row.kind is ItemKind.GAP else item(n, row.body.decode())
            for n, row in enumerate(fresh, 1)
        }
        self.at[lane] = Position(stream, len(fresh), 0, self.at[lane].epoch)
        return len(fresh)


class DeliveryMachine(RuleBasedStateMachine):
    """An agent and a central with a network between them that loses, repeats and reorders."""

    def __init__(self):
        super().__init__()
        self.central, self.disk, self.now_ms = Central(), Disk(), 0
        self.backup = copy.deepcopy(self.central)
        self.old_disk = copy.deepcopy(self.disk)
        self.names, self.given_up, self.streams = 0, set(), 0
        self.net, self.fetch_size = [], 3
        self.is_copy = False  # killed again before it met central, it could not know (core.py)
        self.boot()

    def boot(self):
        self.core = Delivery(self.disk.at)
        self.see(Usable(("wan1", "wan2")))

    def see(self, event):
        for action in self.core.handle(event, self.now_ms):
            match action:
                case Fetch(lane, prev):
                    items = self.disk.fetch(lane, prev, self.fetch_size)
                    self.see(Fetched(lane, prev, items))
                case SetMark(lane, seq, epoch):
                    self.disk.set_mark(lane, seq, epoch)
                case Restart(lane, after):
                    self.streams += 1
                    self.give_up(row for n, row in self.disk.rows[lane].items() if n <= after)
                    stream = b"%016d" % self.streams
                    self.see(Restarted(lane, stream, self.disk.restart(lane, after, stream)))
                case Publish():
                    self.net.append(action)

    def give_up(self, rows):
        self.given_up |= {row.body for row in rows}

    def deliver(self, index, *, keep=False):
        message = self.net[index] if keep else self.net.pop(index)
        if isinstance(message, Publish):
            self.net.append(self.central.take(message))
        else:
            self.see(message)

    @rule(lane=st.sampled_from(list(Lane)), count=st.integers(1, 6))
    def node_says(self, lane, count):
        for _ in range(count):
            self.names += 1
            last = self.disk.append(lane, b"%06d" % self.names)
        self.see(Appended(lane, last))

    @rule(wait_ms=st.sampled_from([10, GO_BACK_MS, RECEIPT_WAIT_MS]))
    def time_passes(self, wait_ms):
        self.now_ms += wait_ms
        self.see(Tick())

    @precondition(lambda self: self.net)
    @rule(data=st.data(), keep=st.booleans())
    def a_message_arrives_in_any_order_perhaps_again(self, data, keep):
        self.deliver(data.draw(st.integers(0, len(self.net) - 1)), keep=keep)

    @precondition(lambda self: self.net)
    @rule(data=st.data())
    def a_message_is_lost(self, data):
        self.net.pop(data.draw(st.integers(0, len(self.net) - 1)))

    @rule(steps=st.sampled_from([1, 5, 500]))
    def the_network_works_for_a_while(self, steps):
        while self.net and steps:
            self.deliver(0)
            steps -= 1

    @rule(paths=st.sampled_from([(), ("wan1",), ("wan2", "wan1")]))
    def paths_change(self, paths):
        self.see(Usable(paths))

    @precondition(lambda self: not self.is_copy or self.has_met_central())
    @rule()
    def agent_is_killed(self):
        self.is_copy = False
        self.boot()

    @precondition(lambda self: not self.is_copy or self.has_met_central())
    @rule()
    def the_disk_is_copied(self):
        self.old_disk = copy.deepcopy(self.disk)

    @precondition(lambda self: not self.is_copy or self.has_met_central())
    @rule()
    def the_agent_starts_from_the_copy(self):
        for lane, rows in self.disk.rows.items():  # what came after the copy may be gone
            kept = {row.body for row in self.old_disk.rows[lane].values()}
            self.give_up(row for row in rows.values() if row.body not in kept)
        self.disk = copy.deepcopy(self.old_disk)
        self.is_copy = True
        self.net.clear()  # restoring a disk takes longer than any message
        self.boot()

    @rule()
    def central_is_backed_up(self):
        self.backup = copy.deepcopy(self.central)

    @rule()
    def central_is_restored(self):
        epoch = self.central.epoch + 1
        self.central = copy.deepcopy(self.backup)
        self.central.epoch = epoch

    @rule(lane=st.sampled_from(list(Lane)), count=st.integers(1, 4))
    def the_ring_forgets(self, lane, count):
        at, rows = self.disk.at[lane], self.disk.rows[lane]
        for seq in [seq for seq in sorted(rows) if seq <= at.mark][:count]:
            self.given_up.add(rows.pop(seq).body)

    @rule(lane=st.sampled_from(list(Lane)))
    def the_outbox_drops_its_oldest(self, lane):
        at, rows = self.disk.at[lane], self.disk.rows[lane]
        waiting = [seq for seq in sorted(rows) if seq > at.mark]
        if waiting and rows[waiting[0]].kind is not ItemKind.GAP:
            self.given_up.add(rows[waiting[0]].body)
            rows[waiting[0]] = gap(waiting[0], waiting[0], "full", 0)

    @invariant()
    def effects_happen_once_and_in_order(self):
        for log in self.central.log.values():
            assert log == sorted(set(log))

    @invariant()
    def flights_cover_from_mark_to_cursor(self):
        for state in self.core._lanes.values():
            at = state.mark
            assert len(state.flights) <= REPORTS_IN_FLIGHT_MAX
            for flight in state.flights:
                assert flight.prev == at
                at = flight.last
            assert state.cursor == at <= state.last

    def teardown(self):
        """Heal everything: all that was said and not given up must arrive."""
        self.see(Usable(("wan1",)))
        for _ in range(2_000):
            if self.net:
                self.deliver(0)
            elif self.settled():
                break
            else:
                self.now_ms += RECEIPT_WAIT_MS
                self.see(Tick())
                self.see(Ask("wan1"))  # as the path does when it is quiet
        assert self.settled(), "it does not converge"
        arrived = {body for log in self.central.log.values() for body in log}
        said = {b"%06d" % n for n in range(1, self.names + 1)}
        assert said - arrived <= self.given_up

    def has_met_central(self):
        return all(state.synced for state in self.core._lanes.values())

    def settled(self):
        """Both lanes are receipted, by this central and not by the one before its restore."""
        epoch = b"epoch%03d" % self.central.epoch
        return self.core.idle() and all(at.epoch == epoch for at in self.disk.at.values())


DeliveryMachine.TestCase.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None
)
test_nothing_is_lost_and_effects_happen_once = pytest.mark.untraced(DeliveryMachine.TestCase)
