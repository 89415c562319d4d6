import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost_agent.guard.core import (
    ARMED,
    BITE_MS,
    BITING,
    ENDED_MAX,
    HOLDS_MAX,
    KILLING,
    MISSED,
    STOPPING,
    Accept,
    Arm,
    Bite,
    Deadlines,
    Disarm,
    Kill,
    Refuse,
    Save,
    Stopped,
    Stopping,
    Terminate,
    Tick,
)

L = 6_000
YES = [Save(), Accept()]
FIRST = Arm("main", 5, 4_000, 5_000, 6_000, ("/g/main",), (("10.0.0.9/24", "eth0"),))
STICKY = Arm("main", 5, None, None, None, ("/g/main",))


def armed(hold=FIRST, **options):
    core = Deadlines(L, **options)
    assert core.handle(hold, 0) == YES
    return core


def error(core, event, now_ms):
    (action,) = core.handle(event, now_ms)
    assert isinstance(action, Refuse), action
    return action.error


def test_a_hold_is_saved_before_it_is_answered():
    core = armed()
    assert core.holds == [(FIRST, ARMED)]


def test_d1_d2_and_d3_come_in_their_order():
    core = armed()
    assert core.handle(Tick(), 3_999) == []
    assert core.due_ms() == 4_000
    assert core.handle(Tick(), 4_000) == [Terminate(FIRST)]
    assert core.handle(Tick(), 4_500) == []  # it was told
    assert core.due_ms() == 5_000
    assert core.handle(Tick(), 5_000) == [Kill(FIRST)]
    assert core.handle(Tick(), 5_100) == [Kill(FIRST)]  # again, until it is seen to have worked
    assert core.may_feed(5_999)
    assert not core.may_feed(6_000)
    assert core.handle(Stopped("main"), 6_100) == [Save()]
    assert core.may_feed(6_100)
    assert core.holds == []


def test_after_a_long_sleep_it_kills_at_once():
    assert armed().handle(Tick(), 9_000) == [Kill(FIRST)]


def test_what_the_agent_has_begun_to_stop_is_not_told_to_end_and_is_killed_all_the_same():
    core = armed()
    assert core.handle(Stopping("main", 5), 3_000) == YES
    assert core.handle(Stopping("main", 5), 3_000) == YES
    assert core.due_ms() == 5_000
    assert core.handle(Tick(), 4_500) == []
    assert core.handle(Tick(), 5_000) == [Kill(FIRST)]


def test_stopping_what_is_not_held_is_refused():
    assert error(Deadlines(L), Stopping("main", 5), 0) == "epoch"
    assert error(armed(), Stopping("main", 6), 0) == "epoch"


def test_a_hold_is_extended_before_d1():
    core = armed()
    later = FIRST._replace(d1_ms=7_000, d2_ms=8_000, d3_ms=9_000)
    assert core.handle(later, 3_999) == YES
    assert core.handle(Tick(), 6_000) == []


@pytest.mark.parametrize("now_ms", [4_000, 4_999, 5_000, 6_000])
def test_a_hold_is_not_extended_from_d1_on(now_ms):
    core = armed()
    later = FIRST._replace(d1_ms=now_ms + 1_000, d2_ms=now_ms + 2_000, d3_ms=now_ms + 3_000)
    assert error(core, later, now_ms) == "expired"
    assert core.holds[0][0] == FIRST


def test_a_hold_that_stops_is_not_extended():
    core = armed()
    core.handle(Stopping("main", 5), 1_000)
    assert error(core, FIRST, 1_100) == "expired"
    assert core.holds == [(FIRST, STOPPING)]


def test_an_extension_drops_nothing_that_must_be_killed():
    core = armed()
    assert error(core, FIRST._replace(cgroups=()), 100) == "dropped"
    assert error(core, FIRST._replace(vips=()), 100) == "dropped"
    assert core.handle(FIRST._replace(cgroups=("/g/main", "/g/more")), 100) == YES


def test_no_deadline_lies_further_ahead_than_a_lease():
    core = Deadlines(L)
    assert error(core, FIRST._replace(d3_ms=L + 1), 0) == "times"
    assert core.handle(FIRST._replace(d3_ms=L), 0) == YES


@pytest.mark.parametrize(
    "times",
    [
        (0, 5_000, 6_000),  # D1 is now
        (5_001, 5_000, 6_000),
        (4_000, 6_001, 6_000),
        (None, 5_000, 6_000),
        (4_000, None, 6_000),
        (4_000, 5_000, None),
    ],
)
def test_deadlines_out_of_order_are_refused(times):
    d1_ms, d2_ms, d3_ms = times
    assert error(Deadlines(L), Arm("main", 5, d1_ms, d2_ms, d3_ms), 0) == "times"


def test_another_epoch_waits_until_the_armed_one_is_disarmed():
    core = armed()
    assert error(core, FIRST._replace(epoch=4), 0) == "epoch"
    assert error(core, FIRST._replace(epoch=6), 0) == "epoch"


def test_an_epoch_that_has_ended_is_never_armed_again():
    core = armed()
    assert core.handle(Disarm("main", 5, is_empty=True), 100) == YES
    assert core.ended == {"main": 5}
    assert error(core, FIRST, 200) == "epoch"
    assert error(core, FIRST._replace(epoch=4), 200) == "epoch"
    assert core.handle(FIRST._replace(epoch=6), 200) == YES


def test_a_kill_ends_the_epoch_too():
    core = armed()
    core.handle(Tick(), 5_000)
    core.handle(Stopped("main"), 5_010)
    later = FIRST._replace(d1_ms=9_000, d2_ms=9_500, d3_ms=10_000)
    assert error(core, later, 5_100) == "epoch"


def test_what_still_runs_is_not_disarmed():
    core = armed()
    assert error(core, Disarm("main", 5, is_empty=False), 100) == "runs"
    assert core.holds == [(FIRST, ARMED)]


def test_disarming_what_the_guard_ended_is_fine_and_of_what_never_was_is_not():
    core = armed()
    core.handle(Tick(), 5_000)
    core.handle(Stopped("main"), 5_010)
    assert core.handle(Disarm("main", 5, is_empty=True), 5_100) == [Accept()]
    assert error(core, Disarm("main", 6, is_empty=True), 5_100) == "epoch"
    assert error(armed(), Disarm("main", 6, is_empty=True), 0) == "epoch"


def test_stopped_counts_only_after_a_kill():
    core = armed()
    assert core.handle(Stopped("main"), 100) == []
    assert core.handle(Stopped("other"), 100) == []
    assert core.holds == [(FIRST, ARMED)]


def test_a_sticky_hold_has_no_deadline_and_feeds_for_ever():
    core = armed(STICKY)
    assert core.due_ms() is None
    assert core.handle(Tick(), 10**9) == []
    assert core.may_feed(10**9)
    assert core.handle(STICKY, 10**9) == YES


def test_a_sticky_hold_may_get_a_deadline_and_lose_it():
    core = armed(STICKY)
    assert core.handle(FIRST, 100) == YES
    assert core.due_ms() == 4_000
    assert core.handle(STICKY._replace(vips=FIRST.vips), 200) == YES
    assert core.due_ms() is None


def test_hard_needs_a_watchdog():
    hard = FIRST._replace(is_hard=True)
    assert error(Deadlines(L), hard, 0) == "no-watchdog"
    assert Deadlines(L, has_watchdog=True).handle(hard, 0) == YES


def starved(timeout_ms=2_000, at_ms=100):
    core = Deadlines(L, has_watchdog=True)
    assert core.handle(Bite(timeout_ms), at_ms) == [Accept()]
    return core


def test_a_watchdog_is_starved_on_request_and_nothing_is_armed_meanwhile():
    core = starved()
    assert core.bite == BITING
    assert not core.may_feed(101)
    assert error(core, FIRST, 101) == "biting"
    assert core.due_ms() == 100 + 2_000 + BITE_MS


def test_a_device_that_let_its_time_pass_is_fed_again_and_stands_for_nothing():
    core = starved()
    core.handle(Tick(), 100 + 2_000 + BITE_MS - 1)
    assert core.bite == BITING
    core.handle(Bite(2_000), 1_000)  # asked twice: the first one counts
    core.handle(Tick(), 100 + 2_000 + BITE_MS)
    assert core.bite == MISSED
    assert core.may_feed(5_000)
    assert core.due_ms() is None
    assert error(core, FIRST._replace(is_hard=True), 0) == "no-watchdog"
    assert core.handle(FIRST, 0) == YES, "what needs no watchdog goes on"
    assert error(Deadlines(L), Bite(2_000), 0) == "no-watchdog"


def test_nothing_is_starved_while_anything_is_held():
    core = Deadlines(L, has_watchdog=True)
    assert core.handle(STICKY, 0) == YES
    assert error(core, Bite(2_000), 0) == "held"
    assert core.may_feed(1)


def test_holds_and_remembered_leases_are_bounded():
    core = Deadlines(L)
    for number in range(HOLDS_MAX):
        assert core.handle(FIRST._replace(lease=f"g{number}"), 0) == YES
    assert error(core, FIRST, 0) == "full"
    core = Deadlines(L, ended={f"g{number}": 1 for number in range(ENDED_MAX)})
    assert error(core, FIRST, 0) == "full"
    assert core.handle(FIRST._replace(lease="g0"), 0) == YES


def test_a_restarted_guard_goes_on_where_the_other_was():
    core = Deadlines(L, [(FIRST, STOPPING)], {"old": 3})
    assert core.handle(Tick(), 4_500) == []
    assert core.handle(Tick(), 5_000) == [Kill(FIRST)]
    assert core.holds == [(FIRST, KILLING)]
    assert error(core, FIRST._replace(lease="old", epoch=3), 0) == "epoch"


class Guarded(RuleBasedStateMachine):
    """Two leases, any order of words, time going on: what is armed ends in time."""

    def __init__(self):
        super().__init__()
        self.core = Deadlines(L, has_watchdog=True)
        self.now_ms = 0
        self.epochs = {}
        self.killed = set()  # holds that were killed at their D2

    def handle(self, event):
        before = {hold.lease: hold for hold, _ in self.core.holds}
        actions = self.core.handle(event, self.now_ms)
        for hold, _ in self.core.holds:
            old = before.get(hold.lease)
            if old is not None and hold.d1_ms != old.d1_ms and old.d1_ms is not None:
                assert self.now_ms < old.d1_ms, "a deadline moved after D1"
            assert hold.d3_ms is None or hold.d3_ms <= self.now_ms + L or old == hold
            assert hold.epoch >= self.epochs.get(hold.lease, 0), "an epoch fell"
            self.epochs[hold.lease] = hold.epoch
        return actions

    @rule(
        lease=st.sampled_from(["a", "b"]),
        epoch=st.integers(1, 6),
        d1=st.integers(-100, L),
        step=st.integers(0, 1_500),
        sticky=st.booleans(),
    )
    def arm(self, lease, epoch, d1, step, sticky):
        times = (self.now_ms + d1, self.now_ms + d1 + step, self.now_ms + d1 + 2 * step)
        self.handle(Arm(lease, epoch, *((None,) * 3 if sticky else times)))

    @rule(lease=st.sampled_from(["a", "b"]), epoch=st.integers(1, 6), empty=st.booleans())
    def disarm(self, lease, epoch, empty):
        self.handle(Disarm(lease, epoch, empty))

    @rule(lease=st.sampled_from(["a", "b"]), epoch=st.integers(1, 6))
    def stopping(self, lease, epoch):
        self.handle(Stopping(lease, epoch))

    @rule(lease=st.sampled_from(["a", "b"]))
    def stopped(self, lease):
        self.handle(Stopped(lease))

    @rule(passed_ms=st.integers(1, 3_000))
    def tick(self, passed_ms):
        self.now_ms += passed_ms
        killed = {each.hold.lease for each in self.handle(Tick()) if isinstance(each, Kill)}
        for hold, _ in self.core.holds:
            if hold.d2_ms is not None and self.now_ms >= hold.d2_ms:
                assert hold.lease in killed, "past D2 and not killed"

    @invariant()
    def nothing_past_d3_is_fed(self):
        late = [h for h, _ in self.core.holds if h.d3_ms is not None and h.d3_ms <= self.now_ms]
        assert self.core.may_feed(self.now_ms) == (not late)


TestGuarded = Guarded.TestCase
TestGuarded.settings = settings(max_examples=150, stateful_step_count=30)
