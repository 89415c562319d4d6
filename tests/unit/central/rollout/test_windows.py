"""The window of a plan opens within its deadlines, whenever a wave begins."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roost_central.rollout import windows
from roost_central.rollout.dry import dry_run
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_central.rollout.waves import Candidate, cut
from roost_protocol.window import Window

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'
WEEKEND = 'window = {days = ["sat", "sun"], start = "01:00", minutes = 240}\n'
HOUR_MS = 3_600_000
MONDAY_MS = round(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1_000)


def plan(*lines):
    return read_plan((HEAD + "[wave_defaults]\n" + "".join(lines)).encode())


def test_a_window_that_may_not_open_within_the_deadline_is_refused_with_both_figures():
    [*_, why] = windows.refusals(plan(WEEKEND, "deadline_h = 72\n"))
    assert why.startswith("wave 4 (rest) has 72 h (deadline_h), and its window is shut")
    assert "for up to 140 h" in why
    assert "deadline_h = 141" in why
    assert windows.refusals(plan(WEEKEND, "deadline_h = 140.9\n"))
    assert windows.refusals(plan(WEEKEND, "deadline_h = 141\n")) == []
    assert windows.refusals(plan("deadline_h = 1\n")) == []


def test_a_window_that_is_never_shut_asks_for_no_deadline():
    always = 'window = {days = ["mon"], start = "01:00", minutes = 10080}\n'
    assert windows.refusals(plan(always, "deadline_h = 0.5\n")) == []
    assert settled(plan(always), 0).deadline_ms == 72 * HOUR_MS


def test_a_wave_has_the_longest_wait_for_its_window_on_top_of_the_usual_deadline():
    assert settled(plan(WEEKEND), 0).deadline_ms == (72 + 141) * HOUR_MS
    assert settled(plan(WEEKEND, "deadline_h = 200\n"), 0).deadline_ms == 200 * HOUR_MS


def test_the_plan_of_the_documentation_is_taken():
    docs = Path(__file__).parents[4] / "docs" / "rollouts.md"
    text = re.search(r"```toml\n(name = .pump.*?)```", docs.read_text(), re.DOTALL)
    assert text is not None
    read = read_plan(text[1].encode())
    assert read.wave_defaults.window is not None
    assert windows.refusals(read) == []


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 109), ("Asia/Tokyo", 100), ("no zone", 0)])
def test_a_dry_run_waits_for_the_window_in_its_sites_zone(zone, hours):
    kinds = frozenset({("a", "plain", "lte", "1.0")})
    found = [Candidate(f"s{number}", kinds, "a", "lte", ("n",)) for number in range(4)]
    text = "site_soak_s = 0\nsoak_s = 0\n[[wave]]\nrest = true\nsoak_s = 0\n"
    with_window = plan(WEEKEND, text)
    waits = windows.waits_of(lambda _: zone, MONDAY_MS)
    dry = dry_run(with_window, cut(with_window, found, {}), found, lambda _: 1, waits)
    without = dry_run(plan(text), cut(plan(text), found, {}), found, lambda _: 1)
    [some], [none] = dry.waves, without.waves
    assert [a - b for a, b in zip(some.ends_ms, none.ends_ms, strict=True)] == [hours * HOUR_MS] * 2


def test_an_open_window_is_not_waited_for_and_the_last_of_all_zones_counts():
    window = plan(WEEKEND).wave_defaults.window
    saturday_ms = MONDAY_MS + 110 * HOUR_MS  # 02:00 UTC
    zones = {"a": "UTC", "b": "Asia/Tokyo"}
    waits = windows.waits_of(zones.__getitem__, saturday_ms)
    assert waits(window, ["a"], 0) == 0
    assert waits(window, ["a", "b"], 0) == 14 * HOUR_MS  # Sunday there
    assert waits(window, [], 0) == 0


NIGHTS = Window(tuple(range(7)), "01:00", 60)
SUNDAY = Window((6,), "01:00", 60)


def own(*said, **windows_):
    read = plan(*said, '[[wave]]\nname = "some"\ncount = 1\n[[wave]]\nrest = true\n')
    waves = (("a",), ("b", "c"))
    return windows.own_refusals(read, waves, windows_, lambda _: "UTC", MONDAY_MS)


def test_a_wave_that_ends_before_windows_of_its_nodes_open_is_refused():
    assert own() == []
    assert own(a={NIGHTS}, b={NIGHTS}) == []
    (why,) = own(b={NIGHTS, SUNDAY}, c={SUNDAY})
    assert why.startswith("wave 2 (no name) has 72 h (deadline_h), and nodes of 2 of its sites, ")
    assert "such as b, " in why
    assert why.endswith("say deadline_h = 168 or more")
    assert own("deadline_h = 168\n", b={SUNDAY}) == []
    assert own("deadline_h = 167.9\n", b={SUNDAY}) != []


def test_a_plans_window_that_a_nodes_own_never_meets_is_refused():
    (why,) = own(WEEKEND, "deadline_h = 300\n", a={Window((2,), "01:00", 60)}, b={SUNDAY})
    assert why.startswith("wave 1 (some): at 1 of its sites, such as a, the plan's window and")


def test_windows_that_meet_later_than_a_wave_ends_though_each_opens_in_time_are_refused():
    both = {Window((2, 6), "01:00", 60)}  # Wednesdays and Sundays: with WEEKEND on Sundays alone
    assert own("deadline_h = 145\n", a=both) == []
    (why,) = own(WEEKEND, "deadline_h = 145\n", a=both)
    assert why.startswith("wave 1 (some) has 145 h (deadline_h), and nodes of 1 of its sites, such")
    assert why.endswith(
        "that does not meet the plan's for up to 167 h: say deadline_h = 168 or more"
    )
    assert own(WEEKEND, "deadline_h = 168\n", a=both) == []
    assert own(WEEKEND, "deadline_h = 168\n", a={SUNDAY} | both) == []
