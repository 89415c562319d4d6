"""The judge of the scenarios is judged: it sees two actives, and tells late from busy."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "prove"))

from ha_oracle import Oracle, now_ns
from ha_stage import CORE_MS, DISK_MS, Outcome, Scenario, late, misplaced
from stall_meter import Stall, StallMeter
from waiting import wait_until

CALM, BUSY_CORE, BUSY_DISK = Stall(CORE_MS, DISK_MS), Stall(CORE_MS + 1, 0), Stall(0, DISK_MS + 1)
MOVES = Scenario("moves", lambda _site, _active: None, 1, 2.0)
STAYS = Scenario("stays", lambda _site, _active: None)


def oracle(folder, *lines):
    file = folder / "oracle"
    file.write_text("".join(f"{ns} {node} {epoch} 1\n" for ns, node, epoch in lines))
    return Oracle(file)


def outcome(wrong="", overlap_ns=0, stall=CALM):
    return Outcome("any", wrong, overlap_ns, stall, 0.0, 1, 0.0, 0.0)


def test_two_turns_that_wrote_at_once_overlap(tmp_path):
    found = oracle(tmp_path, (10, "c0", 32), (20, "c1", 33), (25, "c0", 32), (40, "c1", 33))
    assert found.overlap_ns() == 5
    assert found.overlap_ns(since_ns=26) == 0


def test_a_turn_within_a_longer_one_overlaps_though_another_lies_between(tmp_path):
    found = oracle(
        tmp_path, (0, "c0", 32), (10, "c1", 33), (20, "c1", 33), (30, "c1", 65), (40, "c1", 65),
        (90, "c0", 32),
    )  # fmt: skip
    assert found.overlap_ns() == 10 + 10


def test_turns_one_after_the_other_do_not_overlap_whatever_their_clocks_say(tmp_path):
    found = oracle(tmp_path, (1_010, "c0", 32), (1_020, "c0", 32), (30, "c1", 33), (40, "c1", 33))
    found.ahead_ns = {"c0": 1_000}
    assert found.overlap_ns() == 0
    assert found.turns() == [(10, 20, "c0", 32), (30, 40, "c1", 33)]


def test_half_a_line_is_read_once_it_is_whole(tmp_path):
    found = oracle(tmp_path, (10, "c0", 32))
    with found.file.open("a") as stream:
        stream.write(f"{now_ns()} c1 ")
    assert found.active() is None
    with found.file.open("a") as stream:
        stream.write("33 7\n")
    assert [node for _, node, _ in found.lines()] == ["c0", "c1"]
    assert found.pid == 7


@pytest.mark.parametrize("stall", [CALM, BUSY_CORE, BUSY_DISK])
def test_no_machine_is_busy_enough_for_two_actives_or_falling_epochs(stall):
    assert outcome(overlap_ns=1, stall=stall).verdict == "failed"
    assert outcome("epochs do not grow: [33, 32]", stall=stall).verdict == "failed"
    assert outcome(stall=stall).verdict == "held"


@pytest.mark.parametrize(
    ("stall", "verdict"), [(CALM, "failed"), (BUSY_CORE, "stalled"), (BUSY_DISK, "stalled")]
)
def test_what_came_out_wrong_fails_unless_the_machine_stalled(stall, verdict):
    assert outcome("nobody ran for 9.00 s", stall=stall).verdict == verdict


def test_what_came_out_wrong_of_another_fault_than_was_meant_is_not_judged():
    excused = replace(outcome("1 new turns, not 0"), excuse="it was back after 1.90 s only")
    assert excused.verdict == "stalled"
    assert replace(excused, wrong="").verdict == "held"
    assert replace(excused, overlap_ns=1).verdict == "failed"


def test_a_takeover_must_be_one_and_in_time_and_elsewhere():
    assert misplaced(MOVES, [("c1", 33)], "c0") == ""
    assert "came back" in misplaced(MOVES, [("c0", 64)], "c0")
    assert "0 new turns" in misplaced(MOVES, [], "c0")
    assert "1 new turns, not 0" in misplaced(STAYS, [("c1", 33)], "c0")
    assert late(MOVES, 2.0) == ""
    assert "bound 2.00 s" in late(MOVES, 2.1)


def test_a_core_that_is_taken_away_is_a_stall(tmp_path):
    began_ns = now_ns()
    with StallMeter(tmp_path) as meter:
        process = meter._processes[-1]  # with two cores, not the one that waits for the disk too
        wait_until(meter._files[-1].with_suffix(".disk").exists, "it measures")
        subprocess.run(("kill", "-STOP", str(process.pid)), check=True)
        held_ns = now_ns()
        wait_until(lambda: now_ns() - held_ns > 300_000_000, "it waited")
        subprocess.run(("kill", "-CONT", str(process.pid)), check=True)
        wait_until(lambda: meter.longest(began_ns).core_ms >= 250, "the stall is noted")
    assert meter.longest(now_ns()) == Stall(0, 0)
