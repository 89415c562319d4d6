"""The last rung for a host that is silent: one reset, by who coordinates, and never in a storm."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from roost_agent.host.moment import Moment
from roost_agent.host.resets import (
    AFTER_MS,
    BOOT_MS,
    SKEW_MS,
    TRIES,
    TRY_MS,
    Answered,
    Lost,
    Reset,
    Resets,
    Tick,
)

WALL = 1_800_000_000_000
TICK_MS = 1_000


class Rig:
    """One coordinator and the hosts that are silent."""

    def __init__(self, *lost):
        self.core, self.ms, self.is_spent = Resets(), 10_000_000, False
        self.epoch, self.held_back, self.boards = 7, "", {"n2", "n3", "n4", "n5", "n6"}
        self.lost = dict.fromkeys(lost, self.ms)
        self.tick()

    def tick(self, after_ms=0):
        self.ms += after_ms
        lost = tuple(Lost(*each) for each in self.lost.items())
        tick = Tick(self.epoch, lost, self.held_back, self.boards, self.is_spent)
        return self.core.handle(tick, self.now)

    def answer(self, node="n2", why="", **more):
        self.core.handle(Answered(node, why, **more), self.now)

    @property
    def now(self):
        return Moment(self.ms, WALL + self.ms)


def test_a_host_that_speaks_for_a_second_and_is_lost_still_is_not_reset_once_more():
    rig = Rig("n2")
    since_ms = rig.lost["n2"]
    assert rig.tick(AFTER_MS)
    rig.answer()
    del rig.lost["n2"]
    assert (rig.tick(TICK_MS), rig.core.task("n2")) == ([], "")
    rig.lost["n2"] = since_ms
    assert (rig.tick(TICK_MS), rig.tick(TRY_MS)) == ([], [])
    assert rig.core.task("n2") == "reset by its board controller, boots"
    rig.lost["n2"] = rig.ms
    assert rig.tick(AFTER_MS), "another loss"


def test_a_host_that_stays_silent_is_reset_once_and_not_before_its_time():
    rig = Rig("n2")
    assert rig.tick(AFTER_MS - 1) == []
    assert rig.tick(1) == [Reset("n2", 7)]
    assert rig.tick(TRY_MS) == [], "it is asked for already"
    rig.answer()
    assert rig.core.task("n2") == "reset by its board controller, boots"
    assert rig.tick(BOOT_MS - 1) == []
    assert (rig.core.gave_up("n2"), rig.tick(1)) == ("", [])
    assert "1200 s after its reset" in rig.core.gave_up("n2")
    assert rig.tick(10 * AFTER_MS) == []


def test_an_order_that_a_controller_does_not_take_is_tried_ten_times():
    rig = Rig("n2")
    rig.ms += AFTER_MS
    for n in range(TRIES):
        assert len(rig.tick()) == 1
        assert rig.core.task("n2") == f"is reset: try {n + 1} of {TRIES}"
        rig.answer(why="refused: no")
        assert rig.tick(TRY_MS - 1) == []
        rig.ms += 1
    assert rig.tick() == []
    assert rig.core.gave_up("n2") == "refused: no"


def test_what_may_have_been_ordered_is_not_ordered_again():
    rig = Rig("n2")
    rig.tick(AFTER_MS)
    rig.answer(why="timeout: not done within 150 s", may_have_been=True)
    assert rig.tick(10 * TRY_MS) == []


def test_a_host_that_is_lost_anew_is_another_case():
    rig = Rig("n2")
    rig.tick(AFTER_MS)
    rig.answer()
    del rig.lost["n2"]
    rig.tick(60_000)
    rig.answer(why="late")
    rig.lost["n2"] = rig.ms
    rig.tick()
    assert rig.core.task("n2") == ""
    assert len(rig.tick(AFTER_MS)) == 1


def test_nobody_is_reset_in_a_storm_nor_without_the_lease():
    rig = Rig("n2")
    rig.held_back = "several hosts are silent together"
    assert rig.tick(2 * AFTER_MS) == []
    rig.held_back, rig.epoch = "", None
    assert rig.tick(AFTER_MS) == []
    assert rig.core.gave_up("n2") == ""


def test_without_a_board_controller_it_is_given_up_in_its_time():
    rig = Rig("n2")
    rig.boards = set()
    rig.tick(AFTER_MS - 1)
    assert rig.core.gave_up("n2") == ""
    rig.tick(1)
    assert "no board controller" in rig.core.gave_up("n2")


def test_a_turn_that_began_while_another_one_could_reset_it_gives_up():
    rig = Rig("n2")
    rig.epoch = None
    rig.tick(AFTER_MS - SKEW_MS)
    rig.epoch = 8
    assert rig.tick() == []
    assert rig.tick(SKEW_MS) == []
    assert "may have reset it" in rig.core.gave_up("n2")


def test_a_turn_that_began_soon_after_the_loss_goes_on_with_it():
    rig = Rig("n2")
    rig.epoch = None
    rig.tick(AFTER_MS - SKEW_MS - 1)
    rig.epoch = 8
    rig.tick()
    assert [each.epoch for each in rig.tick(SKEW_MS + 1)] == [8]


def test_a_reset_waits_while_the_site_has_had_its_acts_and_uses_up_no_try():
    rig = Rig("n2")
    rig.is_spent = True
    assert rig.tick(2 * AFTER_MS) == []
    rig.is_spent = False
    for _ in range(2 * TRIES):
        assert len(rig.tick(TRY_MS)) == 1
        rig.answer(why="budget: full", is_early=True)
    assert rig.core.gave_up("n2") == ""


class Machine(RuleBasedStateMachine):
    """Two nodes that watch a third: they see its loss a little apart, and take turns."""

    def __init__(self):
        super().__init__()
        self.ms, self.cores, self.epoch, self.holder = 10_000_000, [Resets(), Resets()], 1, 0
        self.lost_ms, self.apart_ms, self.resets, self.asked = None, 0, 0, None
        self.is_storm = False

    @rule(apart_ms=st.integers(0, SKEW_MS - 2_000))
    def falls_silent(self, apart_ms):
        if self.lost_ms is None:
            self.lost_ms, self.apart_ms, self.resets = self.ms, apart_ms, 0

    @rule()
    def is_back(self):
        if self.lost_ms is not None and self.ms - self.lost_ms > 2 * SKEW_MS:
            self.lost_ms, self.asked = None, None
            self.passes(1)

    @rule(holder=st.sampled_from([0, 1, None]))
    def the_lease_moves(self, holder):
        if holder != self.holder:
            self.holder, self.epoch = holder, self.epoch + 1

    @rule()
    def an_agent_starts_again(self):
        """It has not seen the loss, so nothing of it is lost to it."""
        if self.holder is not None and self.lost_ms is None:
            self.cores[self.holder] = Resets()

    @rule(is_storm=st.booleans())
    def a_storm(self, is_storm):
        self.is_storm = is_storm

    @rule(answer=st.sampled_from(["done", "refused", "unsure"]))
    def is_answered(self, answer):
        if self.asked is None:
            return
        core, self.asked = self.asked, None
        self.resets += answer != "refused"
        assert self.resets <= 1, "a second reset for one loss"
        why = "" if answer == "done" else answer
        core.handle(Answered("n3", why, may_have_been=answer == "unsure"), self.now)

    @rule(seconds=st.integers(1, 60))
    def passes(self, seconds):
        for _ in range(seconds):
            self.ms += 5 * TICK_MS
            for n, core in enumerate(self.cores):
                self.ticks(n, core)

    def ticks(self, n, core):
        since_ms = None if self.lost_ms is None else self.lost_ms + n * self.apart_ms
        lost = () if since_ms is None or since_ms > self.ms else (Lost("n3", since_ms),)
        epoch = self.epoch if n == self.holder else None
        tick = Tick(epoch, lost, "storm" if self.is_storm else "", {"n3"})
        for asked in core.handle(tick, self.now):
            assert n == self.holder, "without the lease"
            assert asked.epoch == self.epoch, "by an epoch that is over"
            assert not self.is_storm, "in a storm"
            assert self.ms - since_ms >= AFTER_MS, "too early"
            assert self.resets == 0, "a second reset for one loss"
            self.asked = core

    @property
    def now(self):
        return Moment(self.ms, WALL + self.ms)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
