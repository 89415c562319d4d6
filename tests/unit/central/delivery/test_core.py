"""When a node is told what it should be: by what it says, and within bounds."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost_central.delivery import core
from roost_central.delivery.core import (
    AGAIN_MS,
    IN_FLIGHT_MAX,
    RETRY_MS,
    SEEN_MS,
    SLOT_MS,
    TRIES_MAX,
    Attempt,
    Outcome,
    Standing,
    Step,
    Target,
    Word,
)
from roost_central.orders.core import OrderRecord
from roost_central.orders.core import State as OrderState

NODE = "lab.n1"
OLD, NEW = b"o" * 32, b"n" * 32
TARGET = Target(2, NEW)
NEVER = Attempt(NODE)


def standing(said=OLD, attempt=NEVER, target=TARGET, *, is_heard=True):
    return Standing(target, None if said is None else said[:8], attempt, is_heard)


def attempt(outcome, digest=NEW, *, ended_ms=0, tries=1, **rest):
    return Attempt(NODE, "ff", 2, digest, outcome, 0, ended_ms, tries, **rest)


def order(state, code="", text=""):
    return OrderRecord(
        "ff", NODE, "lab", "configure", {}, "", "central", 1, 2, state, 1, code=code, text=text
    )


def test_a_node_that_says_another_digest_is_told():
    assert core.step(standing(), 0) is Step.PLACE
    assert core.word(standing(), 0) is Word.PENDING


def test_a_node_that_says_the_wanted_digest_is_in_sync_and_left_alone_whatever_orders_say():
    for outcome in Outcome:
        if outcome is not Outcome.UNDER_WAY:
            same = standing(NEW, attempt(outcome))
            assert (core.step(same, 10**12), core.word(same, 10**12)) == (None, Word.IN_SYNC)


def test_a_node_that_is_dark_or_takes_no_settings_or_has_none_is_told_nothing():
    assert core.step(standing(is_heard=False), 10**12) is None
    assert core.step(standing(None), 10**12) is None
    assert core.step(standing(target=None), 10**12) is None
    assert core.word(standing(is_heard=False), 0) is Word.PENDING
    assert core.word(standing(None), 0) is Word.UNABLE
    assert core.word(standing(target=None), 0) is Word.NONE


def test_one_order_is_under_way_and_one_that_is_not_wanted_any_more_is_taken_back():
    assert core.step(standing(attempt=attempt(Outcome.UNDER_WAY)), 10**12) is None
    assert core.word(standing(attempt=attempt(Outcome.UNDER_WAY)), 0) is Word.APPLYING
    other = standing(attempt=attempt(Outcome.UNDER_WAY, OLD))
    assert core.step(other, 0) is Step.TAKE_BACK
    assert core.word(other, 0) is Word.PENDING


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.DONE])
def test_what_came_to_nothing_rests_longer_each_time_and_ends(outcome):
    first_ms, most_ms = RETRY_MS
    for tries in range(1, TRIES_MAX):
        pause_ms = min(first_ms * 2 ** (tries - 1), most_ms)
        after = standing(attempt=attempt(outcome, ended_ms=1, tries=tries))
        assert core.step(after, pause_ms) is None
        assert core.step(after, pause_ms + 1) is Step.PLACE
    last = standing(attempt=attempt(outcome, tries=TRIES_MAX))
    assert core.step(last, 10**15) is None
    assert core.word(last, 10**15) is Word.FAILED


def test_another_document_or_a_person_ends_the_rest():
    failed = attempt(Outcome.FAILED, tries=TRIES_MAX)
    assert core.step(standing(attempt=replace(failed, digest=OLD)), 0) is Step.PLACE
    assert core.step(standing(attempt=replace(failed, is_forced=True)), 0) is Step.PLACE


def test_who_is_in_sync_is_told_again_where_somebody_says_so_once():
    forced = standing(NEW, attempt(Outcome.DONE, is_forced=True))
    assert core.step(forced, 0) is Step.PLACE
    assert core.word(forced, 10**12) is Word.FAILED or core.word(forced, 0) is Word.APPLYING
    begun = core.placed(forced.attempt, "ee", TARGET, 5)
    assert (begun.is_forced, begun.tries, begun.outcome) == (False, 0, Outcome.UNDER_WAY)
    assert core.word(standing(NEW, begun), 0) is Word.IN_SYNC


def test_an_order_that_missed_its_node_is_no_failure():
    missed = standing(attempt=attempt(Outcome.MISSED, ended_ms=1, tries=0))
    assert core.word(missed, 0) is Word.PENDING
    assert core.step(missed, AGAIN_MS) is None
    assert core.step(missed, AGAIN_MS + 1) is Step.PLACE


def test_what_is_done_is_applying_until_a_beat_can_have_shown_it():
    done = standing(attempt=attempt(Outcome.DONE, ended_ms=1))
    assert core.word(done, SEEN_MS) is Word.APPLYING
    assert core.word(done, SEEN_MS + 1) is Word.FAILED


def test_an_attempt_ends_with_its_order_and_counts_where_the_node_had_it():
    begun = core.placed(Attempt(NODE), "ff", TARGET, 5)
    for state in (OrderState.PENDING, OrderState.READY, OrderState.TAKEN):
        assert core.ended(begun, order(state), 9) is None
    said = {
        state: core.ended(begun, order(state, "x", "y"), 9)
        for state in OrderState
        if state not in {OrderState.PENDING, OrderState.READY, OrderState.TAKEN}
    }
    assert {state: (each.outcome, each.tries) for state, each in said.items()} == {
        OrderState.DONE: (Outcome.DONE, 1),
        OrderState.FAILED: (Outcome.FAILED, 1),
        OrderState.REFUSED: (Outcome.FAILED, 1),
        OrderState.EXPIRED: (Outcome.MISSED, 0),
        OrderState.CANCELLED: (Outcome.MISSED, 0),
    }
    assert (said[OrderState.FAILED].code, said[OrderState.FAILED].text) == ("x", "y")
    assert core.ended(begun, None, 9).outcome is Outcome.MISSED


def test_tries_are_counted_for_one_document():
    failed = core.ended(core.placed(Attempt(NODE), "ff", TARGET, 5), order(OrderState.FAILED), 9)
    assert core.placed(failed, "ee", TARGET, 10).tries == 1
    assert core.placed(failed, "ee", Target(3, OLD), 10).tries == 0


def test_nodes_are_told_in_an_order_that_follows_no_name():
    nodes = [f"s{number:03}.n1" for number in range(100)]
    turn = core.in_turn(nodes)
    assert sorted(turn) == nodes
    assert turn != nodes
    assert core.in_turn(reversed(nodes)) == turn


def test_a_node_that_took_its_order_and_is_silent_blocks_the_others_for_a_while_only():
    told = standing(attempt=replace(attempt(Outcome.UNDER_WAY), placed_ms=1))
    assert core.takes_slot(told, SLOT_MS)
    assert not core.takes_slot(told, SLOT_MS + 1)
    assert not core.takes_slot(replace(told, said=NEW[:8]), 1)
    assert not core.takes_slot(standing(attempt=attempt(Outcome.DONE)), 1)


def test_one_node_of_a_site_and_so_many_of_the_fleet_are_under_way():
    nodes = [f"s{number}.{name}" for number in range(IN_FLIGHT_MAX) for name in ("n1", "n2")]
    chosen = list(core.chosen(iter(nodes), {}, 0))
    assert len(chosen) == IN_FLIGHT_MAX
    assert len({node.partition(".")[0] for node in chosen}) == IN_FLIGHT_MAX
    assert list(core.chosen(iter(nodes), {"s0": 1}, IN_FLIGHT_MAX - 1)) == ["s1.n1"]
    assert list(core.chosen(iter(nodes), {}, IN_FLIGHT_MAX)) == []


class Convergence(RuleBasedStateMachine):
    """A node that loses, refuses, goes dark and is changed by hand; the centre decides by core."""

    def __init__(self):
        super().__init__()
        self.now_ms, self.wanted, self.said, self.is_heard = 0, Target(1, b"1" * 32), b"0" * 8, True
        self.attempt, self.state, self.places = Attempt(NODE), None, 0

    def standing(self):
        return Standing(self.wanted, self.said, self.attempt, self.is_heard)

    @rule(ms=st.integers(1, 40_000_000))
    def wait(self, ms):
        self.now_ms += ms

    @rule()
    def change(self):
        number = self.wanted.generation + 1
        self.wanted = Target(number, f"{number:032}".encode())

    @rule(is_heard=st.booleans())
    def hear(self, is_heard):
        self.is_heard = is_heard

    @rule()
    def tamper(self):
        self.said = b"tampered"

    @rule(
        state=st.sampled_from(
            [OrderState.DONE, OrderState.FAILED, OrderState.REFUSED, OrderState.EXPIRED]
        )
    )
    def end(self, state):
        if self.state is not None and self.is_heard:
            self.state = state
            if state is OrderState.DONE:
                self.said = self.attempt.digest[:8]

    @rule()
    def look(self):
        if self.state is not None:
            after = core.ended(self.attempt, order(self.state), self.now_ms)
            if after is not None:
                self.attempt, self.state = after, None
        match core.step(self.standing(), self.now_ms):
            case Step.PLACE:
                assert self.is_heard
                assert self.state is None
                assert self.attempt.tries < TRIES_MAX or not self.standing().is_told
                self.attempt = core.placed(self.attempt, "ff", self.wanted, self.now_ms)
                self.state = OrderState.READY
            case Step.TAKE_BACK:
                self.state = OrderState.CANCELLED

    @invariant()
    def in_sync_is_the_nodes_word(self):
        word = core.word(self.standing(), self.now_ms)
        assert (word is Word.IN_SYNC) is (self.said == self.wanted.digest[:8])

    def teardown(self):
        """Left alone with a node that does as it is told, it comes to what is wanted."""
        self.is_heard = True
        self.change()
        for _ in range(4):
            self.look()
            self.end(OrderState.DONE)
            self.wait(AGAIN_MS)
        assert core.word(self.standing(), self.now_ms) is Word.IN_SYNC


TestConvergence = Convergence.TestCase


def test_a_node_that_waits_for_its_window_is_left_alone_for_a_day_and_that_is_no_try():
    why = "time.servers: waits for the window that opens 2026-12-05 02:00 UTC"
    held = core.ended(attempt(Outcome.UNDER_WAY), order(OrderState.DONE, "window", why), 1_000)
    assert (held.outcome, held.tries, held.text) == (Outcome.DONE, 1, why)
    waits = standing(attempt=held)
    assert core.word(waits, 10**12) is Word.WAITING
    assert core.step(waits, 1_000 + core.WINDOW_MS - 1) is None
    assert core.step(waits, 1_000 + core.WINDOW_MS) is Step.PLACE
    assert core.word(standing(NEW, held), 10**12) is Word.IN_SYNC
    newer = standing(attempt=held, target=Target(3, b"m" * 32))
    assert (core.step(newer, 2_000), core.word(newer, 2_000)) == (Step.PLACE, Word.PENDING)


def test_what_the_agent_tries_after_its_restart_has_the_time_of_a_trial_to_show():
    tried = core.ended(attempt(Outcome.UNDER_WAY), order(OrderState.DONE, "trial", "x"), 1_000)
    shown = standing(attempt=tried)
    assert core.word(shown, 1_000 + SEEN_MS) is Word.APPLYING
    assert core.word(shown, 999 + core.TRIAL_MS) is Word.APPLYING
    assert core.word(shown, 1_000 + core.TRIAL_MS) is Word.FAILED
    assert core.word(standing(NEW, tried), 2_000) is Word.IN_SYNC
