"""A watchdog counts as tested on the machine where it bit, and a missed bite bars hard groups."""

import pytest
import site_file
from msgspec.structs import replace

from roost_agent.ha.bite import TESTS_MAX, Bite, Result, bars, begun, settled, untested
from roost_agent.ha.config_file import check
from roost_agent.ha.guard_fitness import compared
from roost_agent.ha.guard_report import GuardReport

HERE, OTHER = "iTCO_wdt, ACME, 4711", "iTCO_wdt, ACME, 4712"
REPORT = GuardReport(
    7, lease_ms=6_000, tick_ms=100, watchdog_ms=5_000, watchdog="tested", hardware=HERE
)
BEGUN = Bite("0a", 1_800_000_000_000, 5_000)
SOFT = {
    "group": [{"name": "main", "model": "2N", "hosts": ["c0", "c1"]}],
    "service": [{"name": "db", "group": "main", "run": {"start": ["/usr/bin/db"]}}],
}


def configured(**more):
    config, found = check(site_file.table() | more)
    assert found == []
    return config


def test_another_boot_after_the_test_is_a_bite():
    bites = begun({}, HERE, BEGUN)
    assert settled(bites, REPORT, "0a") == bites
    after = settled(bites, REPORT, "0b")
    assert after[HERE].result is Result.PASSED
    assert settled(after, REPORT, "0c") is after
    assert untested(configured(), REPORT, after) == ""


def test_a_device_that_let_its_time_pass_missed():
    bites = settled(begun({}, HERE, BEGUN), replace(REPORT, bite="missed"), "0a")
    assert bites[HERE].result is Result.MISSED
    assert "did not bite when it was tested (5000 ms)" in untested(configured(), REPORT, bites)
    said = compared(configured(), REPORT, bites)
    assert set(said.bars) == {"main"}
    assert "did not bite" in said.bars["main"]


def test_a_test_on_another_machine_says_nothing_of_this_one():
    bites = settled(begun({}, OTHER, BEGUN), REPORT, "0b")
    assert bites[OTHER].result is Result.BEGUN
    assert "never seen to bite" in untested(configured(), REPORT, bites)


def test_a_test_that_somebody_broke_off_is_none():
    bites = settled(begun({}, HERE, BEGUN), REPORT, "0a")
    assert "roost-agent ha test-watchdog" in untested(configured(), REPORT, bites)
    assert compared(configured(), REPORT, bites).bars == {}, "the agent says so and goes on"


def test_where_the_file_requires_it_a_hard_group_waits_for_the_test():
    config = configured(watchdog_test="required")
    assert "never seen to bite" in compared(config, REPORT).bars["main"]
    passed = settled(begun({}, HERE, BEGUN), REPORT, "0b")
    assert compared(config, REPORT, passed).bars == {}
    assert not bars(config, REPORT, passed)


@pytest.mark.parametrize("more", [SOFT, SOFT | {"watchdog_test": "required"}])
def test_what_needs_no_watchdog_needs_no_test(more):
    config = configured(**more)
    assert untested(config, REPORT, {}) == ""
    missed = {HERE: replace(BEGUN, result=Result.MISSED)}
    assert compared(config, REPORT, missed).bars == {}


def test_a_guard_without_a_watchdog_is_told_by_itself():
    assert untested(configured(), replace(REPORT, watchdog_ms=0), {}) == ""
    assert untested(configured(), None, {}) == ""


def test_machines_of_a_disk_are_bounded_and_the_last_test_of_one_counts():
    bites = {}
    for number in range(TESTS_MAX + 1):
        bites = begun(bites, f"box {number}", BEGUN)
    assert len(bites) == TESTS_MAX
    assert "box 0" not in bites
    bites = begun(bites | {"box 1": replace(BEGUN, result=Result.PASSED)}, "box 1", BEGUN)
    assert list(bites)[-1] == "box 1"
    assert bites["box 1"].result is Result.BEGUN
