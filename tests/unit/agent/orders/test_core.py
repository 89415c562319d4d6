"""Which orders are done: every check has a test that only it passes."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from orders import GENERATION, HOUR_MS, NODE, NOW_MS, OrderPen

from roost_agent.orders.core import (
    CHECK_MS,
    CHECKS_MAX,
    WAITING_MAX,
    Act,
    Addressee,
    Came,
    Check,
    Checked,
    Ended,
    Keep,
    Kept,
    OrderDesk,
    Tell,
    Tick,
    Time,
)
from roost_agent.orders.memory import Memory
from roost_protocol.limits import ORDER_EARLY_MS
from roost_protocol.order import OrderState, body_digest, read_order, read_signed, signed_message

PEN = OrderPen()
BOOT = b"b" * 16
WHO = Addressee(NODE, GENERATION, BOOT, enrolled_ms=NOW_MS - HOUR_MS)


def desk(memory=None, *, timed=True, who=WHO):
    made = OrderDesk(who, Memory(NOW_MS - HOUR_MS) if memory is None else memory)
    if timed:
        made.handle(Time(NOW_MS), 0)
    return made


def done(made, message, now_ms=0):
    """Carry an order to its act as the shell does."""
    [check] = made.handle(Came(message), now_ms)
    assert check == Check(message)
    [keep] = made.handle(Checked(is_genuine=True), now_ms)
    [act] = made.handle(Kept(keep.begins), now_ms)
    return act


def refusal(actions):
    [tell] = actions
    assert isinstance(tell, Tell)
    assert tell.told.state is OrderState.REFUSED
    return tell.told.code


def test_a_good_order_is_checked_then_kept_with_a_word_then_done_then_told():
    made, message = desk(), PEN.message()
    assert made.handle(Came(message), 0) == [Check(message)]
    [keep] = made.handle(Checked(is_genuine=True), 1)
    order = read_order(read_signed(message).order)
    assert keep.memory.last_seq == NOW_MS
    assert keep.told.state is OrderState.TAKEN
    [act] = made.handle(Kept(order.id), 2)
    assert (act.order, act.verb.what) == (order, "alarms")
    [end] = made.handle(Ended(order.id, order.seq, OrderState.DONE, "", "told again"), 3)
    assert (end.told.state, end.told.text) == (OrderState.DONE, "told again")
    assert made.interrupted == []
    assert not any(each.is_running for each in end.memory.taken)


def test_nothing_is_done_before_the_disk_has_it():
    made = desk()
    made.handle(Came(PEN.message()), 0)
    made.handle(Checked(is_genuine=True), 0)
    assert made.handle(Tick(), 10_000) == []
    assert made.handle(Kept(b"x" * 16), 10_000) == []  # of another one


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"node": "lab.n2"}, "audience"),
        ({"node": "lab2.n1"}, "audience"),
        ({"generation": GENERATION - 1}, "audience"),
        ({"generation": GENERATION + 1}, "audience"),
        ({"verb": "wipe"}, "verb"),
        ({"given": {"what": "disks"}}, "given"),
        ({"seq": NOW_MS - HOUR_MS}, "replayed"),
        ({"not_before_ms": NOW_MS - 2 * HOUR_MS, "not_after_ms": NOW_MS}, "expired"),
        ({"not_before_ms": NOW_MS - 2 * HOUR_MS, "not_after_ms": NOW_MS - 1}, "expired"),
        ({"not_before_ms": NOW_MS + ORDER_EARLY_MS + 1}, "early"),
    ],
)
def test_what_is_not_for_here_and_now_costs_no_child_and_is_told(changes, code):
    made = desk()
    assert refusal(made.handle(Came(PEN.message(**changes)), 0)) == code
    assert made.refused == {code: 1}
    assert made.memory == Memory(NOW_MS - HOUR_MS)


@pytest.mark.parametrize("body", [b"", b"\x81"])
def test_a_body_that_is_not_the_one_of_the_order_costs_no_child_and_is_told(body):
    raw = PEN.write(verb="configure", given={"desired": "3", "digest": body_digest(b"\x80")})
    signed = read_signed(PEN.sign(raw))
    made = desk()
    message = signed_message(raw, signed.signature, PEN.key_id, body)
    assert refusal(made.handle(Came(message), 0)) == "body"
    good = signed_message(raw, signed.signature, PEN.key_id, b"\x80")
    assert done(made, good).message == good  # the refused one is not in its way


@pytest.mark.parametrize("junk", [b"", b"\x80", b"\xc1" * 40, PEN.sign(b"\x80")])
def test_junk_is_counted(junk):
    made = desk()
    assert made.handle(Came(junk), 0) == []
    assert made.refused.total() == 1


def test_a_wrong_signature_changes_nothing_that_is_remembered():
    made = desk()
    made.handle(Came(PEN.message()), 0)
    [tell] = made.handle(Checked(is_genuine=False, why="not of this key"), 0)
    assert (tell.told.code, tell.told.text) == ("signature", "not of this key")
    assert made.memory == Memory(NOW_MS - HOUR_MS)
    assert isinstance(done(made, PEN.message()), Act)  # the genuine one is done


def test_a_child_that_cannot_say_lets_the_order_come_again():
    made = desk()
    made.handle(Came(PEN.message()), 0)
    assert made.handle(Checked(None), 0) == []
    assert isinstance(done(made, PEN.message()), Act)


def test_an_order_is_done_once_also_after_a_restart():
    made, message = desk(), PEN.message()
    act = done(made, message)
    assert made.handle(Came(message), 1) == []
    again = desk(made.memory)
    assert [each.id for each in again.interrupted] == [act.order.id]
    again.handle(Ended(act.order.id, act.order.seq, OrderState.FAILED, "interrupted"), 2)
    assert again.handle(Came(message), 2) == []
    resigned = PEN.message(seq=NOW_MS + 5)  # the same order, with another number
    assert again.handle(Came(resigned), 3) == []
    assert again.repeated == 2


def test_an_older_number_is_refused_after_a_newer_one_was_taken():
    made = desk()
    act = done(made, PEN.message(id=b"2" * 16, seq=NOW_MS + 2))
    made.handle(Ended(act.order.id, act.order.seq, OrderState.DONE), 1)
    older = PEN.message(id=b"1" * 16, seq=NOW_MS + 1)
    assert refusal(made.handle(Came(older), 2)) == "replayed"


def test_two_that_wait_are_done_by_their_numbers_or_not_at_all():
    made = desk()
    made.handle(Came(PEN.message(id=b"2" * 16, seq=NOW_MS + 2)), 0)
    assert made.handle(Came(PEN.message(id=b"1" * 16, seq=NOW_MS + 1)), 0) == []
    [keep] = made.handle(Checked(is_genuine=True), 0)
    made.handle(Kept(keep.begins), 0)
    end = Ended(b"2" * 16, NOW_MS + 2, OrderState.DONE)
    [_kept, tell] = made.handle(end, 0)
    assert tell.told.code == "replayed"


def test_an_order_waits_until_the_centre_has_told_the_time():
    made, message = desk(timed=False), PEN.message()
    assert made.handle(Came(message), 0) == []
    assert made.handle(Tick(), 50) == []
    assert made.handle(Time(NOW_MS), 100) == [Check(message)]


def test_time_is_the_centres_and_goes_on_by_a_clock_that_never_steps():
    made = desk()
    late = HOUR_MS
    assert refusal(made.handle(Came(PEN.message()), late)) == "expired"


def test_a_message_that_was_held_back_does_not_turn_the_time_back():
    made = desk()
    made.handle(Time(NOW_MS), HOUR_MS)  # a receipt that somebody kept for an hour
    assert refusal(made.handle(Came(PEN.message()), HOUR_MS)) == "expired"


def test_an_order_that_ended_while_it_waited_is_refused():
    made = desk()
    made.handle(Came(PEN.message()), 0)
    [tell] = made.handle(Checked(is_genuine=True), HOUR_MS)
    assert tell.told.code == "expired"


def test_an_order_that_ended_while_the_disk_refused_is_not_done():
    made = desk()
    made.handle(Came(PEN.message()), 0)
    [keep] = made.handle(Checked(is_genuine=True), 0)
    [end] = made.handle(Kept(keep.begins), HOUR_MS)
    assert (end.told.state, end.told.code) == (OrderState.REFUSED, "expired")


def test_without_a_memory_nothing_is_older_than_the_identity():
    made = OrderDesk(WHO, None)
    [keep] = made.handle(Time(NOW_MS), 0)
    assert keep == Keep(Memory(WHO.enrolled_ms - 1))
    assert made.handle(Time(NOW_MS), 0) == []
    assert isinstance(done(made, PEN.message()), Act)


def test_who_lost_its_memory_takes_nothing_of_before():
    who = Addressee(NODE, GENERATION, BOOT, WHO.enrolled_ms, forgot=True)
    made = OrderDesk(who, None)
    made.handle(Time(NOW_MS + 1), 0)
    assert refusal(made.handle(Came(PEN.message()), 0)) == "replayed"


def test_children_are_few():
    made = desk()
    checks = 0
    for number in range(40):
        message = PEN.message(id=number.to_bytes(16, "big"), seq=NOW_MS + number)
        checks += any(isinstance(each, Check) for each in made.handle(Came(message), 0))
        made.handle(Checked(is_genuine=False), 0)
    assert checks == CHECKS_MAX
    due_ms = made.due_ms()
    assert due_ms == CHECK_MS
    assert made.handle(Tick(), due_ms - 1) == []
    assert len(made.handle(Tick(), due_ms)) == 1
    assert desk().due_ms() is None


def test_a_flood_finds_no_room():
    made = desk(timed=False)
    for number in range(WAITING_MAX + 3):
        made.handle(Came(PEN.message(id=number.to_bytes(16, "big"), seq=NOW_MS + number)), 0)
    assert made.refused == {"busy": 3}


def test_refusals_are_told_up_to_a_rate_and_counted_all():
    made = desk()
    told = 0
    for number in range(50):
        wrong = PEN.message(id=number.to_bytes(16, "big"), node="lab.n9")
        told += len(made.handle(Came(wrong), 0))
    assert told == 10
    assert made.refused == {"audience": 50}


def test_the_same_order_twice_in_the_queue_is_one():
    made, message = desk(timed=False), PEN.message()
    made.handle(Came(message), 0)
    made.handle(Came(message), 0)
    assert made.repeated == 1


def test_what_comes_for_nothing_changes_nothing():
    made = desk()
    assert made.handle(Checked(is_genuine=True), 0) == []
    bare = OrderDesk(WHO, None)
    assert bare.handle(Ended(bytes(16), 1, OrderState.DONE), 0) == []
    assert bare.interrupted == []


class Machine(RuleBasedStateMachine):
    """Messages of a hostile broker in any order, restarts, and a clock that goes on."""

    def __init__(self):
        super().__init__()
        self.now_ms = 0
        self.memory = None
        self.acts = []
        self.desk = OrderDesk(WHO, None)
        self.begins = None
        self.disk = None

    def feed(self, event):
        for action in self.desk.handle(event, self.now_ms):
            match action:
                case Keep(memory, _told, begins):
                    self.disk = memory
                    self.begins = begins or self.begins
                case Act(order):
                    assert order.id not in self.acts
                    assert not self.acts or order.seq > self.last
                    self.acts.append(order.id)
                    self.last = order.seq
                case _:
                    pass

    @rule(
        number=st.integers(0, 5), bump=st.integers(0, 3), life_ms=st.sampled_from([1_000, HOUR_MS])
    )
    def broker_sends(self, number, bump, life_ms):
        self.feed(
            Came(
                PEN.message(
                    id=number.to_bytes(16, "big"),
                    seq=NOW_MS + number + 10 * bump,
                    not_after_ms=NOW_MS + life_ms,
                )
            )
        )

    @rule()
    def centre_tells_the_time(self):
        self.feed(Time(NOW_MS + self.now_ms))

    @rule(genuine=st.sampled_from([True, True, False, None]))
    def child_answers(self, genuine):
        self.feed(Checked(genuine))

    @rule()
    def disk_answers(self):
        if self.begins is not None:
            begins, self.begins = self.begins, None
            self.feed(Kept(begins))

    @rule()
    def act_ends(self):
        if self.acts:
            self.feed(Ended(self.acts[-1], self.last, OrderState.DONE))

    @rule(ms=st.integers(0, 900_000))
    def time_passes(self, ms):
        self.now_ms += ms
        self.feed(Tick())

    @rule()
    def restarts(self):
        self.desk, self.begins = OrderDesk(WHO, self.disk), None
        for taken in self.desk.interrupted:
            self.feed(Ended(taken.id, taken.seq, OrderState.FAILED))

    @invariant()
    def holds(self):
        self.desk.check_invariants()


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMachine = Machine.TestCase


def test_a_node_itself_wants_two_people_and_a_short_life_behind_a_reinstall():
    given = {
        "component": "os", "digest": "0a" * 32, "expect": "", "force": False, "length": 300,
        "node": "n2", "version": "2.0",
    }  # fmt: skip
    good = {
        "verb": "host-reinstall", "reason": "broken", "given": given, "approved_by": "bob",
        "not_after_ms": NOW_MS + 900_000,
    }  # fmt: skip
    assert done(desk(), PEN.message(**good)).verb.component == "os"
    for changes, code in (
        ({"approved_by": ""}, "two"),
        ({"approved_by": "ada"}, "two"),
        ({"not_after_ms": NOW_MS + 900_001}, "life"),
    ):
        assert refusal(desk().handle(Came(PEN.message(**good | changes)), 0)) == code


def test_an_order_that_was_signed_anew_while_it_waited_is_done_once():
    made = desk()
    first, again = PEN.message(), PEN.message(seq=NOW_MS + 1)
    [check] = made.handle(Came(first), 0)
    assert made.handle(Came(again), 0) == []
    [keep] = made.handle(Checked(is_genuine=True), 0)
    [act] = made.handle(Kept(keep.begins), 0)
    [told] = made.handle(Ended(act.order.id, act.order.seq, OrderState.DONE, "", "done"), 0)
    assert (check.message, told.told.state, made.repeated) == (first, OrderState.DONE, 1)
