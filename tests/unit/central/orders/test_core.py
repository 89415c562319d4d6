"""An order at the centre: one outcome, two different people, sent until taken and not after."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.orders import core
from roost_central.orders.core import (
    CANCELLABLE,
    OPEN,
    RESEND_MS,
    End,
    OrderMoveError,
    OrderRecord,
    Send,
    Sign,
    State,
)
from roost_protocol.order import OrderState, OrderTold

NOW_MS = 1_800_000_000_000
LIFE_MS = 3_600_000


def order(state=State.READY, **more):
    base = OrderRecord(
        id="0" * 32, node="lab.n1", site="lab", verb="reboot", given={}, reason="kernel", by="ada",
        placed_ms=NOW_MS, not_after_ms=NOW_MS + LIFE_MS, state=state, changed_ms=NOW_MS,
    )  # fmt: skip
    return replace(base, **more)


def under_way(**more):
    return order(**{"generation": 2, "seq": 7, "message": b"signed", "sent_ms": NOW_MS, **more})


def test_a_second_person_makes_it_ready():
    approved = core.approve(order(State.PENDING), "bob", NOW_MS + 5)
    assert (approved.state, approved.approved_by) == (State.READY, "bob")


def test_the_first_person_is_not_the_second():
    with pytest.raises(OrderMoveError, match="another account"):
        core.approve(order(State.PENDING), "ada", NOW_MS)


@pytest.mark.parametrize("state", [each for each in State if each is not State.PENDING])
def test_nothing_else_is_approved(state):
    with pytest.raises(OrderMoveError, match=str(state)):
        core.approve(order(state), "bob", NOW_MS)


def test_what_has_expired_is_not_approved():
    with pytest.raises(OrderMoveError, match="expired"):
        core.approve(order(State.PENDING), "bob", NOW_MS + LIFE_MS)


@pytest.mark.parametrize("state", list(State))
def test_what_was_not_taken_can_be_cancelled(state):
    if state in CANCELLABLE:
        assert core.cancel(order(state), "no", NOW_MS).state is State.CANCELLED
    else:
        with pytest.raises(OrderMoveError):
            core.cancel(order(state), "no", NOW_MS)


def test_it_is_signed_when_its_node_is_heard_then_sent_until_it_is_taken():
    assert core.step(order(), None, NOW_MS) is None
    assert core.step(order(), 2, NOW_MS) == Sign(2)
    numbered = core.numbered(order(), 2, 7)
    signed = core.signed(numbered, b"signed")
    assert core.step(signed, 2, NOW_MS) == Send()
    sent = core.sent(signed, NOW_MS)
    assert core.step(sent, 2, NOW_MS + RESEND_MS[0] - 1) is None
    assert core.step(sent, 2, NOW_MS + RESEND_MS[0]) == Send()
    assert core.sent(sent, NOW_MS).sends == 2


@pytest.mark.parametrize(
    ("sends", "pause_ms"), [(1, 2_000), (2, 4_000), (5, 30_000), (9_999, 30_000)]
)
def test_it_is_sent_again_soon_then_later_and_later(sends, pause_ms):
    sent = under_way(sends=sends)
    assert core.step(sent, 2, NOW_MS + pause_ms - 1) is None
    assert core.step(sent, 2, NOW_MS + pause_ms) == Send()


def test_another_generation_of_the_node_needs_another_signature():
    assert core.step(under_way(), 3, NOW_MS) == Sign(3)


def test_a_clock_that_was_set_back_does_not_stop_the_sending():
    assert core.step(under_way(sent_ms=NOW_MS + 10**9), 2, NOW_MS) == Send()


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (order(State.PENDING), "not-approved"),
        (order(), "not-reached"),
        (under_way(sends=3), "not-reached"),
    ],
)
def test_what_was_not_taken_in_time_has_expired(record, code):
    assert core.step(record, None, NOW_MS + LIFE_MS - 1) is None
    step = core.step(record, 2, NOW_MS + LIFE_MS)
    assert isinstance(step, End)
    assert (step.record.state, step.record.code) == (State.EXPIRED, code)
    assert step.record.message == b""


@pytest.mark.parametrize(("verb", "s_max"), [("reboot", 86_400), ("host-lock", 420)])
def test_what_was_taken_and_is_silent_for_longer_than_its_verb_may_take_has_failed(verb, s_max):
    taken = under_way(state=State.TAKEN, taken_ms=NOW_MS, verb=verb)
    assert core.step(taken, 2, NOW_MS + s_max * 1_000 - 1) is None
    step = core.step(taken, 2, NOW_MS + s_max * 1_000)
    assert (step.record.state, step.record.code) == (State.FAILED, "silent")


@pytest.mark.parametrize("state", [each for each in State if each not in OPEN])
def test_nothing_is_done_for_what_has_ended(state):
    assert core.step(order(state), 2, NOW_MS + 10**9) is None


def told(record, said, seq=7, code="", text="as told"):
    word = OrderTold(v=1, id=bytes(16), seq=seq, state=said, code=code, text=text)
    return core.told(record, word, NOW_MS + 9)


def test_a_node_takes_it_then_says_how_it_ended():
    taken = told(under_way(), OrderState.TAKEN)
    assert (taken.state, taken.taken_ms, taken.message) == (State.TAKEN, NOW_MS + 9, b"")
    assert told(taken, OrderState.TAKEN) is None
    done = told(taken, OrderState.DONE)
    assert (done.state, done.text, done.ended_ms) == (State.DONE, "as told", NOW_MS + 9)


def test_the_end_may_come_without_its_beginning():
    assert told(under_way(), OrderState.FAILED, code="ha").state is State.FAILED


def test_a_refusal_of_the_present_signature_is_the_end():
    assert told(under_way(), OrderState.REFUSED, code="verb").state is State.REFUSED


def test_a_refusal_of_an_older_signature_is_not():
    assert told(under_way(), OrderState.REFUSED, seq=6, code="audience") is None


def test_a_number_that_was_too_small_asks_for_another_signature():
    again = told(under_way(), OrderState.REFUSED, code="replayed")
    assert again.state is State.READY
    assert core.step(again, 2, NOW_MS) == Sign(2)


def test_what_was_cancelled_and_taken_all_the_same_is_told_as_it_is():
    cancelled = core.cancel(under_way(), "no", NOW_MS)
    taken = told(cancelled, OrderState.TAKEN)
    assert (taken.state, taken.code) == (State.TAKEN, "")
    assert told(cancelled, OrderState.REFUSED) is None
    assert told(cancelled, OrderState.DONE).state is State.DONE
    assert told(core.cancel(order(), "no", NOW_MS), OrderState.TAKEN) is None  # never sent


@given(
    st.lists(
        st.tuples(
            st.sampled_from(OrderState),
            st.sampled_from([6, 7]),
            st.sampled_from(["", "verb", "replayed"]),
        ),
        max_size=12,
    )
)
def test_whatever_a_node_says_there_is_one_outcome(words):
    record, ends = under_way(), 0
    for said, seq, code in words:
        moved = told(record, said, seq, code)
        if moved is not None:
            assert record.state in OPEN
            ends += moved.state not in OPEN
            record = moved
    assert ends <= 1


def test_what_ends_with_another_box_is_not_done_by_its_nodes_word():
    record = under_way(verb="host-reinstall", given={"node": "n2"})
    begun = told(record, OrderState.DONE, text="n2 was started")
    assert (begun.state, begun.code, begun.taken_ms) == (State.TAKEN, core.AWAITS_BOX, NOW_MS + 9)
    assert core.awaits_box(begun)
    assert told(begun, OrderState.DONE) is None, "told twice"
    ended = core.box_came(begun, NOW_MS + 10)
    assert (ended.state, ended.text) == (State.DONE, "n2 is enrolled again; n2 was started")
    late_ms = begun.taken_ms + 14_400_000
    assert core.step(begun, 2, late_ms - 1) is None
    step = core.step(begun, 2, late_ms)
    assert (step.record.state, step.record.code) == (State.FAILED, "not-enrolled")
    failed = told(replace(record, state=State.TAKEN, taken_ms=NOW_MS), OrderState.FAILED, code="x")
    assert (failed.state, failed.code) == (State.FAILED, "x")
