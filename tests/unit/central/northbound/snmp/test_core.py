"""The queue of one SNMP receiver: paced, ordered, bounded, and its cursor never ahead."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost_central.northbound.core import Bucket
from roost_central.northbound.snmp.core import (
    CANCEL_MS,
    QUEUE_MAX,
    SPACING_MS,
    URGENT_MAX,
    Note,
    TrapQueue,
)


def queue(rate=1_000_000, burst=1_000_000):
    return TrapQueue(Bucket(rate, burst))


def note(seq, key=None, kind="raise", *, urgent=False, behind=""):
    return Note(seq, f"k{seq}" if key is None else key, kind, urgent=urgent, behind=behind)


def drain(traps, now_ms):
    """Send everything that is due; returns it."""
    sent = []
    while (taken := traps.take(now_ms)) is not None:
        traps.done(taken, now_ms)
        sent.append(taken)
    traps.check_invariants()
    return sent


def test_notes_go_in_order_at_the_pace_of_the_bucket():
    traps = queue(rate=50, burst=10)
    for seq in range(1, 31):
        traps.offer(note(seq), 0)
    assert [each.seq for each in drain(traps, 0)] == list(range(1, 11))
    assert traps.wait_ms(0) == 20
    assert [each.seq for each in drain(traps, 100)] == list(range(11, 16))


def test_a_reserved_place_holds_the_cursor_and_nothing_else():
    traps = queue()
    traps.reserve(1)
    traps.offer(note(2), 0)
    traps.reserve(3)
    assert [each.seq for each in drain(traps, 0)] == [2]
    assert traps.cursor == 0
    traps.offer(note(1), 0)
    assert [each.seq for each in drain(traps, 0)] == [1]
    assert traps.cursor == 2
    traps.skip(3)
    assert traps.cursor == 3


def test_the_cursor_waits_for_the_oldest_that_is_not_acknowledged():
    traps = queue()
    for seq in (1, 2, 3):
        traps.offer(note(seq), 0)
    first, second = traps.take(0), traps.take(0)
    traps.done(second, 0)
    assert traps.cursor == 0
    traps.done(first, 0)
    assert traps.cursor == 2
    traps.skip(4)
    assert traps.cursor == 2
    traps.done(traps.take(0), 0)
    assert traps.cursor == 4


def test_two_notes_of_one_key_keep_their_order_and_their_distance():
    traps = queue()
    traps.offer(note(1, "k"), 0)
    traps.offer(note(2, "k", "change"), 0)
    traps.offer(note(3, "other"), 0)
    assert [each.seq for each in drain(traps, 0)] == [1, 3]
    assert traps.wait_ms(0) == SPACING_MS
    assert [each.seq for each in drain(traps, SPACING_MS)] == [2]
    traps.offer(note(4, "k", "change"), SPACING_MS + 1)
    assert drain(traps, SPACING_MS + 1) == []
    assert [each.seq for each in drain(traps, 2 * SPACING_MS)] == [4]
    assert traps.wait_ms(9_999) is None


def test_a_raise_and_its_clear_that_wait_together_say_nothing():
    traps = queue()
    traps.offer(note(1, "k"), 0)
    traps.offer(note(2, "k", "clear"), CANCEL_MS)
    assert drain(traps, CANCEL_MS) == []
    assert (traps.cursor, traps.cancelled) == (2, 2)
    traps.offer(note(3, "k"), 10_000)
    traps.offer(note(4, "k", "clear"), 10_001 + CANCEL_MS)
    traps.offer(note(5, "j", "change"), 10_000)
    traps.offer(note(6, "j", "clear"), 10_000)
    sent = drain(traps, 90_000) + drain(traps, 99_000)
    assert sorted(each.seq for each in sent) == [3, 4, 5, 6]


def test_a_raise_on_its_way_is_not_cancelled():
    traps = queue()
    traps.offer(note(1, "k"), 0)
    flying = traps.take(0)
    traps.offer(note(2, "k", "clear"), 1)
    traps.done(flying, 2)
    assert [each.seq for each in drain(traps, 2 + SPACING_MS)] == [2]


def test_what_failed_is_sent_again_before_what_follows_it():
    traps = queue()
    traps.offer(note(1, "k"), 0)
    traps.offer(note(2, "k", "change"), 0)
    traps.failed(traps.take(0), 700)
    traps.check_invariants()
    assert traps.take(699) is None
    assert traps.cursor == 0
    assert [each.seq for each in drain(traps, 700)] == [1]


def test_a_full_queue_takes_only_what_is_urgent_and_tells_what_it_held_back():
    traps = queue()
    for seq in range(1, QUEUE_MAX + 5_001):
        traps.offer(note(seq), 0)
    assert traps.is_overflowing
    assert traps.held == {"raise": 5_000}
    assert len(traps) == QUEUE_MAX + 1
    traps.offer(note(QUEUE_MAX + 5_001, "fire", urgent=True), 0)
    sent = drain(traps, 0)
    assert sent[QUEUE_MAX].kind == "overflow"
    assert "fire" in {each.key for each in sent}
    assert not traps.is_overflowing
    again = drain(traps, SPACING_MS)
    assert [each.held for each in again] == [{"raise": 5_000}]
    assert traps.held == {}
    assert traps.cursor == QUEUE_MAX + 5_001


def test_the_queue_is_bounded_whatever_comes():
    traps = queue()
    for seq in range(1, 3 * QUEUE_MAX + 1):
        traps.offer(note(seq, urgent=True), 0)
        assert len(traps) <= QUEUE_MAX + URGENT_MAX + 1
    assert traps.held["raise"] == 3 * QUEUE_MAX - QUEUE_MAX - URGENT_MAX + 1


def test_a_note_of_our_own_waits_once():
    traps = queue()
    traps.say(note(0, "", "heartbeat"), 0)
    traps.say(note(0, "", "heartbeat"), 0)
    assert [each.kind for each in drain(traps, 0)] == ["heartbeat"]
    assert traps.cursor == 0


def test_what_waits_of_a_removed_alarm_is_withdrawn():
    traps = queue()
    traps.offer(note(1, "k"), 0)
    traps.offer(note(2, "k", "change"), 0)
    assert traps.withdraw("k")
    assert traps.withdraw("never heard of")
    traps.offer(note(3, "gone", "removal"), 0)
    assert [each.seq for each in drain(traps, 0)] == [3]
    assert (traps.cursor, traps.cancelled, len(traps)) == (3, 2, 0)


def test_the_end_of_what_is_on_its_way_follows_it_and_the_removal():
    traps = queue()
    traps.offer(note(1, "k"), 0)
    flying = traps.take(0)
    assert not traps.withdraw("k")
    traps.offer(note(2, "gone", "removal"), 0)
    traps.offer(note(3, "k", "clear", behind="gone"), 0)
    assert [each.seq for each in drain(traps, 0)] == [2]
    traps.failed(flying, 30_000)
    assert drain(traps, SPACING_MS) == []
    assert [each.seq for each in drain(traps, 30_000)] == [1]
    assert [each.seq for each in drain(traps, 30_000 + SPACING_MS)] == [3]
    assert traps.cursor == 3


def test_what_came_back_does_not_overtake_the_removal():
    traps = queue()
    traps.offer(note(1, "gone", "removal"), 0)
    removal = traps.take(0)
    assert traps.waits("gone")
    traps.offer(note(2, "k", behind="gone"), 0)
    traps.offer(note(3, "j", "clear", behind="gone"), 0)
    traps.failed(removal, 9_000)
    assert drain(traps, 8_999) == []
    sent = [each.seq for now in (9_000, 11_000, 13_000) for each in drain(traps, now)]
    assert sent == [1, 2, 3]
    assert not traps.waits("gone")
    traps.offer(note(4, "k", "change"), 13_001)
    assert [each.seq for each in drain(traps, 13_001)] == [4]


def test_a_clear_behind_a_removal_cancels_no_other_alarms_raise():
    traps = queue()
    traps.offer(note(1, "gone", "removal"), 0)
    traps.offer(note(2, "k", behind="gone"), 0)
    traps.done(traps.take(0), 0)
    traps.offer(note(3, "j", "clear", behind="gone"), 1)
    traps.offer(note(4, "k", "clear", behind="gone"), 1)
    assert traps.cancelled == 0
    sent = [each.seq for now in (2_000, 4_000, 6_000) for each in drain(traps, now)]
    assert sent == [2, 3, 4]


class Receiver(RuleBasedStateMachine):
    """Any mix of offers, acknowledgements and failures: nothing is lost, nothing changes places."""

    def __init__(self):
        super().__init__()
        self.traps = queue()
        self.now_ms = 0
        self.seq = 0
        self.flying = []
        self.offered = []
        self.told = []

    @rule(key=st.sampled_from("abc"), kind=st.sampled_from(["raise", "change", "clear"]))
    def offer(self, key, kind):
        self.seq += 1
        self.offered.append(note(self.seq, key, kind))
        self.traps.offer(self.offered[-1], self.now_ms)

    @rule()
    def take(self):
        taken = self.traps.take(self.now_ms)
        if taken is not None:
            assert taken.key not in {each.key for each in self.flying}
            self.flying.append(taken)

    @rule(ok=st.booleans(), place=st.integers(0, 9))
    def answer(self, ok, place):
        if not self.flying:
            return
        answered = self.flying.pop(place % len(self.flying))
        if ok:
            self.told.append(answered)
            self.traps.done(answered, self.now_ms)
        else:
            self.traps.failed(answered, self.now_ms + 500)

    @rule(step=st.integers(1, 3_000))
    def wait(self, step):
        self.now_ms += step

    @invariant()
    def holds(self):
        self.traps.check_invariants()
        for key in "abc":
            seqs = [each.seq for each in self.told if each.key == key]
            assert seqs == sorted(set(seqs))
        told = {each.seq for each in self.told}
        missing = [each for each in self.offered if each.seq <= self.traps.cursor]
        lost = [each for each in missing if each.seq not in told]
        assert len(lost) <= self.traps.cancelled
        assert all(each.kind in {"raise", "clear"} for each in lost)


TestReceiver = Receiver.TestCase
TestReceiver.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
