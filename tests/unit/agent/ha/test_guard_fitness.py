"""A guard that was started with other times than the site's file has keeps nothing unsaid."""

import os

import pytest
import site_file
from guard_process import Guard
from msgspec.structs import replace

from roost_agent.ha.config_file import check
from roost_agent.ha.core_events import GuardSaid
from roost_agent.ha.guard_fitness import (
    LOST,
    REFUSED_MS,
    GuardFitness,
    compared,
    watchdog_fault,
)
from roost_agent.ha.guard_report import reported

WELL = {
    "ok": True,
    "pid": 7,
    "lease_ms": 6_000,
    "tick_ms": 100,
    "kill_ms": 3,
    "watchdog_ms": 5_000,
    "watchdog": "tested",
    "root": "/sys/fs/cgroup/roost-ha/exclusive",
}
SOFT = {
    "group": [{"name": "main", "model": "2N", "hosts": ["c0", "c1"]}],
    "service": [{"name": "db", "group": "main", "run": {"start": ["/usr/bin/db"]}}],
}


def heard(config, answer):
    return compared(config, reported(answer))


@pytest.fixture
def hard():
    config, _ = check(site_file.table())  # `main` is hard, `agents` needs no guard
    return config


@pytest.fixture
def soft():
    config, _ = check(site_file.table() | SOFT)
    return config


def test_a_guard_with_the_files_times_keeps_all(hard):
    assert heard(hard, WELL) == GuardSaid({}, "", 7)
    longer = {"lease_ms": 600_000, "tick_ms": 10, "watchdog_ms": 1_000, "kill_ms": None}
    assert heard(hard, WELL | longer) == GuardSaid({}, "", 7)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"watchdog_ms": 30_000}, ("30000 ms", "5000 ms", "timing.watchdog_ms")),
        ({"watchdog_ms": 0, "watchdog": "no watchdog is configured"}, ("no tested", "configured")),
        ({"lease_ms": 5_999}, ("5999 ms", "6000 ms")),
        ({"tick_ms": 501}, ("501 ms", "margin_ms is 1000", "1002 ms")),
    ],
)
def test_other_times_bar_a_hard_group_with_both_numbers(hard, more, words):
    bars = heard(hard, WELL | more).bars
    assert set(bars) == {"main"}
    assert all(word in bars["main"] for word in words), bars


def test_a_guard_that_was_started_otherwise_says_so_itself(hard, tmp_path):
    os.mkfifo(tmp_path / "watchdog")
    root = tmp_path / "ha" / "exclusive"
    root.mkdir(parents=True)
    guard = Guard(tmp_path, root, "--watchdog-s", "30", fifo=tmp_path / "watchdog")
    try:
        assert "30000 ms" in heard(hard, guard.start()).bars["main"]
    finally:
        guard.kill()


def test_a_soft_group_needs_no_watchdog_and_the_same_deadlines(soft):
    for none in ({"watchdog_ms": 0}, {"watchdog_ms": 30_000}):
        assert heard(soft, WELL | none).bars == {}
    assert "main" in heard(soft, WELL | {"lease_ms": 500}).bars


def test_a_pair_without_deadlines_needs_none_of_its_guard():
    table = site_file.table() | SOFT | {"voters": ["c0", "c1"]}
    del table["witness"]
    config, found = check(table)
    assert found == []
    assert heard(config, WELL | {"lease_ms": 500, "tick_ms": 1_000}) == GuardSaid({}, "", 7)


def test_an_answer_that_lacks_everything_keeps_nothing(hard):
    assert "up to 0 ms" in heard(hard, {}).bars["main"]


@pytest.mark.parametrize("slow", [{"kill_ms": 801}, {"lag_ms": 798}])
def test_a_kill_or_a_lag_too_long_for_the_margin_is_told_and_bars_nothing(hard, slow):
    said = heard(hard, WELL | slow)
    assert said.bars == {}
    assert "margin_ms is 1000" in said.doubt
    assert "1001 ms" in said.doubt
    fitness = GuardFitness()
    assert fitness.told(said) == []
    assert (fitness.bar("main"), fitness.fault) == ("", said.doubt)


def test_a_lease_that_needs_no_watchdog_takes_any():
    assert watchdog_fault(30_000, 0) == watchdog_fault(0, 0) == watchdog_fault(5_000, 5_000) == ""


def test_what_changes_is_told_once():
    fitness = GuardFitness()
    said = GuardSaid({"main": "no watchdog"}, pid=7)
    (told,) = fitness.told(said)
    assert told.sentence == "main cannot be active here: no watchdog"
    assert told.evidence == {"group": "main"}
    assert fitness.told(said) == []
    assert (fitness.bar("main"), fitness.bar("web")) == ("no watchdog", "")
    assert fitness.fault == "no watchdog"
    (told,) = fitness.told(GuardSaid(pid=7))
    assert told.sentence == "main could be active here again: the guard can keep it"
    assert (fitness.bar("main"), fitness.fault) == ("", "")


def test_a_guard_that_does_not_answer_bars_until_it_speaks():
    fitness = GuardFitness()
    fitness.lost()
    assert fitness.bar("main") == LOST
    fitness.told(GuardSaid())
    assert fitness.bar("main") == ""
    fitness.lost()
    fitness.armed("main")
    assert fitness.bar("main") == ""


def test_a_refusal_bars_for_a_while_or_until_it_is_taken_or_another_guard_is_there():
    fitness = GuardFitness()
    fitness.refused("main", "cgroup: x", 1_000)
    assert fitness.bar("main") == "the guard refused it: cgroup: x"
    assert fitness.fault == "it refused main: cgroup: x"
    fitness.look(1_000 + REFUSED_MS - 1)
    assert fitness.bar("main")
    fitness.look(1_000 + REFUSED_MS)
    assert fitness.bar("main") == ""
    fitness.refused("main", "cgroup: x", 1_000)
    fitness.armed("main")
    assert fitness.bar("main") == ""
    fitness.refused("main", "cgroup: x", 1_000)
    fitness.told(replace(GuardSaid(), pid=8))
    assert fitness.bar("main") == ""
