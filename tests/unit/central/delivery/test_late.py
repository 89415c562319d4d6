"""250.001 begins with time and ends with equality."""

from dataclasses import replace

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.delivery.core import Attempt, Outcome, Standing, Target
from roost_central.delivery.late import LATE_MS, OUT_OF_DATE, LateWatch
from roost_protocol.severity import Severity

NODE = "lab.n1"
TARGET = Target(2, b"n" * 32)
BEHIND = Standing(TARGET, b"o" * 8, Attempt(NODE), is_heard=True)
SAME = replace(BEHIND, said=b"n" * 8)


def test_a_node_that_is_heard_and_differs_for_five_minutes_is_out_of_date():
    watch = LateWatch()
    assert watch.note(NODE, BEHIND, 1, 1_000) is None
    assert watch.note(NODE, BEHIND, 1, 999 + LATE_MS) is None
    raised = watch.note(NODE, BEHIND, 1, 1_000 + LATE_MS)
    assert isinstance(raised, OwnRaised)
    assert (raised.type, raised.entity) == (OUT_OF_DATE, "site=lab,node=n1")
    assert raised.params == {"applied": 1, "desired": 2}
    assert watch.note(NODE, BEHIND, 1, 10**9) is None


def test_it_ends_by_equality_alone_and_not_by_an_order():
    watch = LateWatch({NODE: Severity.MAJOR})
    for outcome in Outcome:
        told = replace(BEHIND, attempt=Attempt(NODE, "ff", 2, TARGET.digest, outcome))
        assert watch.note(NODE, told, 1, 10**9) is None
        assert watch.note(NODE, replace(told, is_heard=False), 1, 10**9) is None
    assert watch.note(NODE, replace(BEHIND, said=None), 0, 10**9) is None
    assert isinstance(watch.note(NODE, SAME, 2, 10**9), OwnCleared)
    assert watch.note(NODE, SAME, 2, 10**9) is None


def test_a_dark_node_only_waits_and_its_five_minutes_begin_when_it_is_back():
    watch, dark = LateWatch(), replace(BEHIND, is_heard=False)
    assert watch.note(NODE, BEHIND, 1, 0) is None
    assert watch.note(NODE, dark, 1, LATE_MS * 10) is None
    assert watch.note(NODE, BEHIND, 1, LATE_MS * 20) is None
    assert watch.note(NODE, BEHIND, 1, LATE_MS * 21 - 1) is None
    assert watch.note(NODE, BEHIND, 1, LATE_MS * 21) is not None


def test_a_node_that_went_is_new_when_it_comes_again():
    watch = LateWatch({NODE: Severity.MAJOR})
    watch.forget(NODE)
    assert watch.note(NODE, BEHIND, 1, 0) is None
    assert watch.note(NODE, BEHIND, 1, LATE_MS) is not None


def test_a_node_that_no_profile_is_for_any_more_is_not_late():
    watch = LateWatch({NODE: Severity.MAJOR})
    gone = watch.note(NODE, replace(BEHIND, target=None), 1, 0)
    assert isinstance(gone, OwnCleared)
    assert gone.reason == "no profile is for it"


def test_a_node_that_waits_for_its_window_is_a_warning_that_says_so():
    watch = LateWatch()
    why = "kernel.cmdline.isolcpus: waits for the window that opens 2026-12-05 02:00 UTC"
    held = Attempt(NODE, "ff", 2, TARGET.digest, Outcome.DONE, code="window", text=why)
    waits = replace(BEHIND, attempt=held)
    watch.note(NODE, waits, 1, 0)
    raised = watch.note(NODE, waits, 1, LATE_MS)
    assert (raised.severity, raised.params["why"]) == (Severity.WARNING, why)
    assert watch.note(NODE, waits, 1, LATE_MS * 2) is None
    failed = replace(BEHIND, attempt=replace(held, outcome=Outcome.FAILED, code="failed"))
    assert watch.note(NODE, failed, 1, LATE_MS * 3).severity is Severity.MAJOR
    newer = replace(waits, target=Target(3, b"m" * 32))  # what waits is not wanted any more
    assert watch.note(NODE, newer, 1, LATE_MS * 4) is None
    assert isinstance(watch.note(NODE, SAME, 2, LATE_MS * 5), OwnCleared)
