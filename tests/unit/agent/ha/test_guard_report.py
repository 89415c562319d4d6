"""A guard's answer is read by what it says; what it leaves out counts against it."""

from roost_agent.guard import core
from roost_agent.ha.guard_report import BITING, GuardReport, reported


def test_an_answer_is_read_and_what_is_not_of_it_left_alone():
    said = {
        "ok": True,
        "pid": 7,
        "lag_ms": 4,
        "hardware": "dog, ACME",
        "bite": "missed",
        "holds": [],
    }
    assert reported(said) == GuardReport(7, lag_ms=4, hardware="dog, ACME", bite="missed")


def test_an_older_guard_says_nothing_of_lag_machine_or_test():
    report = reported({"pid": 7, "watchdog_ms": 5_000})
    assert (report.lag_ms, report.hardware, report.bite) == (None, "", "")
    assert reported({}).watchdog_ms == 0


def test_the_guards_word_for_a_test_that_is_on_is_known():
    assert core.BITING == BITING
