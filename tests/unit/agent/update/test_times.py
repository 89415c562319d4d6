"""Whether a job may go in at this moment: its time, its windows, and a clock that may be wrong."""

from roost_agent.update.times import closed
from roost_protocol.update import Offer
from roost_protocol.window import Window

NOW_MS = 1_796_045_400_000  # 2026-11-30 13:30 UTC, a Monday
UNSET = "nobody has set it"


def offer(**more):
    base = {
        "v": 1, "rollout": "b" * 32, "job": "a" * 32, "attempt": 1, "component": "app/web",
        "version": "2.0", "digest": "0a" * 32, "size": 1, "nodes": ["lab.n1"],
        "not_before_ms": 0, "not_after_ms": NOW_MS * 2,
    }  # fmt: skip
    return Offer(**(base | more))


def test_a_window_is_of_the_node_and_shut_for_a_clock_that_is_not_believed():
    window = Window((0,), "13:00", 60)
    assert closed(offer(window=window), NOW_MS, "") == ""
    text = closed(offer(window=window), NOW_MS, UNSET)
    assert text == f"clock: {UNSET}, so no window counts as open"
    later = NOW_MS + 3_600_000
    assert closed(offer(window=window), later, "") == "the window opens at 2026-12-07 13:00 UTC"
    text = closed(offer(window=window), later, UNSET)
    assert text.startswith("the window opens at 2026-12-07 13:00 UTC")
    assert text.endswith(f"clock: {UNSET}")
    assert "cannot be judged" in closed(offer(window=Window((0,), "13:00", 60, "No/Where")), 0, "")


NOON = Window((0,), "13:00", 60)  # Monday: it is open at NOW_MS
NIGHT = Window((1,), "01:00", 60)


def test_the_window_of_a_nodes_profile_counts_where_the_plan_has_none():
    assert closed(offer(), NOW_MS, "", NOON) == ""
    text = "the window of its profile (update-window) opens at 2026-12-01 01:00 UTC"
    assert closed(offer(), NOW_MS, "", NIGHT) == text
    assert closed(offer(), NOW_MS, UNSET, NOON) == f"clock: {UNSET}, so no window counts as open"
    berlin = Window((0,), "14:00", 60, "Europe/Berlin")
    assert closed(offer(), NOW_MS, "", berlin) == "", "in the profile's own zone"


def test_the_plans_window_and_that_of_the_profile_have_to_be_open_both():
    wide = Window(tuple(range(7)), "00:00", 24 * 60)
    for plan, own in ((NOON, NIGHT), (NIGHT, NOON), (NIGHT, NIGHT), (wide, NIGHT), (NIGHT, wide)):
        assert closed(offer(window=plan), NOW_MS, "", own) != ""
    assert closed(offer(window=wide), NOW_MS, "", NOON) == ""
    assert "are open together at 2026-12-01 01:00" in closed(offer(window=wide), NOW_MS, "", NIGHT)


def test_a_window_that_never_opens_within_the_job_is_told_as_such():
    told = closed(offer(window=NOON), NOW_MS, "", NIGHT)
    assert "never open together" in told
    early = NOW_MS + 3_600_000
    told = closed(offer(not_after_ms=early), NOW_MS, "", NIGHT)
    assert "opens at 2026-12-01 01:00 UTC, after the job's time ends at 2026-11-30 14:" in told
    assert "deadline_h" in told


def test_a_plan_for_any_time_goes_by_no_clock():
    assert closed(offer(), NOW_MS, UNSET) == ""
    assert "its time begins at" in closed(offer(not_before_ms=NOW_MS + 1), NOW_MS, "")
