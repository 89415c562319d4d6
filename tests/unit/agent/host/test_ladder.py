"""What a failed host does about itself: again, one reboot for a fault, and no more."""

import pytest

from roost_agent.host import transitions as tr
from roost_agent.host.action import Keep, Reboot
from roost_agent.host.core import SETTLED_MS, HostCore
from roost_agent.host.enable import SOAK_MS, Facts, Stage
from roost_agent.host.event import Begin, Look, Maintain, NotRebooted, Recover
from roost_agent.host.kept import Kept, Rebooted
from roost_agent.host.ladder import (
    DAY_MS,
    EXHAUSTED,
    REBOOTS,
    REBOOTS_MAX,
    RECOVERIES,
    SPARED_MS,
    Ladder,
    Next,
)
from roost_agent.host.moment import Moment
from roost_protocol.host import Admin

BOOT, OTHER, THIRD = "aa" * 16, "bb" * 16, "cc" * 16
WALL = 1_800_000_000_000
ILL = Look(Facts(health="disk: bad"), {}, is_spared=True)
WELL = Look(Facts(), {}, is_spared=True)
GONE = Look(Facts(), {}, quorum="sm is failed", is_spared=True)


class Life:
    """A host over its boots: what it kept, and what it asked for."""

    def __init__(self):
        self.ms, self.kept, self.asked = 0, None, []
        self.begin(BOOT)

    def begin(self, boot):
        self.core = HostCore(boot)
        self.take(Begin(self.kept))

    def take(self, event, *, after_ms=0):
        self.ms += after_ms
        for each in self.core.handle(event, Moment(self.ms, WALL + self.ms)):
            if isinstance(each, Keep):
                self.kept = each.kept
            if isinstance(each, Reboot):
                self.asked.append((each, len(self.kept.reboots)))

    def fail(self, look=ILL, times=RECOVERIES[Stage.HEALTH].attempts + 1):
        for _ in range(times):
            self.take(look, after_ms=700_000)
            self.take(look, after_ms=1_000)


def test_who_failed_too_often_reboots_once_what_is_counted_is_on_the_disk():
    life = Life()
    life.fail(times=2)
    assert life.asked == []
    life.fail(times=2)
    [(asked, kept)] = life.asked
    assert (asked.why, asked.is_by_watchdog, kept) == ("health: disk: bad", False, 1)
    assert (life.core.state, life.core.is_exhausted) == (tr.FAILED, False)
    [counted] = life.kept.reboots
    assert (counted.cause, counted.boot_id, counted.is_over) == ("health", BOOT, False)


def test_the_boot_after_it_is_one_try_more_and_no_second_reboot():
    life = Life()
    life.fail(times=4)
    life.begin(OTHER)
    assert life.core.state == tr.INTEST
    life.fail(times=4)
    assert (life.core.task, len(life.asked)) == (EXHAUSTED, 1)
    for boot in (OTHER, THIRD):
        life.begin(boot)
        life.fail(times=2)
        assert (life.core.task, len(life.asked)) == (EXHAUSTED, 1)


def test_a_fault_that_is_over_may_have_another_reboot_and_a_day_has_two():
    life = Life()
    for _ in range(REBOOTS_MAX + 1):
        life.fail(times=4)
        life.take(Recover("ann"))
    assert len(life.asked) == REBOOTS_MAX
    life.ms += DAY_MS
    life.fail(times=4)
    assert len(life.asked) == REBOOTS_MAX + 1


def test_an_hour_of_service_ends_a_fault():
    life = Life()
    life.fail(times=4)
    life.begin(OTHER)
    life.take(WELL, after_ms=1)
    life.take(WELL, after_ms=SOAK_MS)
    assert life.core.state == tr.AVAILABLE
    life.take(WELL, after_ms=SETTLED_MS)
    assert [each.is_over for each in life.kept.reboots] == [True]
    assert life.kept.attempts == {}


@pytest.mark.parametrize("is_last", [False, True])
def test_nobody_reboots_who_cannot_be_spared(is_last):
    look = Look(ILL.facts, {}, is_last=is_last)
    life = Life()
    life.fail(look, times=6)
    assert life.asked == []
    if not look.is_last:
        assert life.core.task == EXHAUSTED
        assert life.core.cause.endswith("not rebooted: its site could not spare it")


def test_a_site_that_can_spare_it_by_then_is_waited_for():
    life = Life()
    life.fail(times=2)
    life.take(Look(ILL.facts, {}), after_ms=700_000)
    life.take(Look(ILL.facts, {}), after_ms=1_000)
    assert life.core.task.startswith("reboots itself")
    life.take(ILL, after_ms=SPARED_MS - 2_000)
    assert len(life.asked) == 1


def test_an_operator_at_work_on_it_sees_no_reboot():
    life = Life()
    life.fail(times=2)
    life.take(Maintain(WALL + 10**9))
    life.take(ILL, after_ms=700_000)
    life.take(ILL, after_ms=1_000)
    life.take(ILL, after_ms=SPARED_MS)
    assert (life.asked, life.core.task) == ([], EXHAUSTED)


def test_a_reboot_that_does_not_come_ends_the_ladder_and_is_asked_for_again_by_no_look():
    life = Life()
    life.fail(times=4)
    life.take(NotRebooted("no helper"))
    assert life.core.cause == "health: disk: bad; not rebooted: no helper"
    life.fail(times=2)
    assert (life.core.task, len(life.asked)) == (EXHAUSTED, 1)


def test_an_agent_that_starts_before_the_reboot_came_asks_for_the_same_one():
    life = Life()
    life.fail(times=4)
    life.begin(BOOT)
    assert (life.core.state, life.core.task) == (tr.FAILED, "reboots itself: health")
    life.take(ILL)
    assert len(life.asked) == 2, "roost-helper knows it by its boot, and does it once"
    assert len(life.kept.reboots) == 1


def test_a_process_of_the_quorum_has_the_watchdog_reset_the_machine_at_once():
    life = Life()
    life.take(WELL)
    life.take(WELL, after_ms=SOAK_MS)
    life.take(GONE, after_ms=1_000)
    assert life.core.state == tr.FAILED
    life.take(GONE, after_ms=1_000)
    [(asked, kept)] = life.asked
    assert (asked.is_by_watchdog, asked.why, kept) == (True, "processes: sm is failed", 1)
    life.begin(OTHER)
    for _ in range(5):
        look = Look(Facts(processes="sm"), {}, quorum="sm is failed", is_spared=True)
        life.take(look, after_ms=700_000)
        life.take(look, after_ms=1_000)
        life.take(look, after_ms=31_000)
    assert (len(life.asked), life.core.task) == (1, EXHAUSTED)


def test_the_last_host_is_not_reset_for_a_process_of_the_quorum():
    life = Life()
    life.take(WELL)
    life.take(WELL, after_ms=SOAK_MS)
    life.take(Look(Facts(), {"process": 1}, quorum="sm is failed", is_last=True), after_ms=1_000)
    assert (life.core.state, life.asked) == (tr.DEGRADED, [])


def test_settings_that_are_refused_are_so_after_a_boot_as_well():
    life = Life()
    look = Look(Facts(config="refused"), {}, is_spared=True)
    for _ in range(4):
        life.take(look, after_ms=130_000)
        life.take(look, after_ms=130_000)
    assert (life.asked, life.core.task) == ([], EXHAUSTED)


def test_a_clock_that_was_set_back_makes_no_room_for_a_reboot():
    ladder = Ladder(BOOT)
    past = [Rebooted("health", OTHER, WALL + 4_000 * DAY_MS, is_over=True)] * REBOOTS_MAX
    ladder.restore(Kept(Admin.UNLOCKED, attempts={"health": 2}, reboots=past))
    assert ladder.failed(Stage.HEALTH, Moment(0, WALL), of_quorum=False) == EXHAUSTED
    assert ladder.next(1, is_last=False, is_spared=True) is Next.WAIT
    assert {each.at_ms for each in ladder.reboots} == {WALL}  # and not for eleven years
    ladder.forget()
    ladder.attempts = {"health": 2}
    told = ladder.failed(Stage.HEALTH, Moment(0, WALL + DAY_MS), of_quorum=False)
    assert told == f"{REBOOTS} once its site can spare it"


def test_a_no_that_comes_when_an_operator_has_let_it_begin_anew_says_nothing():
    life = Life()
    life.fail(times=4)
    life.take(Recover("ann"))
    life.take(NotRebooted("no helper"))
    assert (life.core.state, life.core.stage) == (tr.INTEST, Stage.CONFIG)
    assert "not rebooted" not in life.core.cause


def test_the_stage_that_is_under_way_or_failed_is_told_and_no_other():
    life = Life()
    assert (life.core.stage, life.core.is_settling) == (Stage.CONFIG, True)
    life.take(ILL)
    assert life.core.stage == Stage.HEALTH
    life.begin(OTHER)
    life.take(WELL, after_ms=1)
    life.take(WELL, after_ms=SOAK_MS)
    assert (life.core.state, life.core.stage) == (tr.AVAILABLE, "")
