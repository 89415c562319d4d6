"""Rollout and waves move by the table alone, and each move is news."""

import pytest
from rollout_fleet import BEGAN_MS, NEW, OLD, SmallFleet

from roost_central.rollout.course import Course
from roost_central.rollout.table import MoveError, Pause, RolloutState, WaveState, Who

R, W = RolloutState, WaveState


def course():
    fleet = SmallFleet()
    made = fleet.rollout
    return Course(made.head, made.plan, made.jobs.values(), BEGAN_MS)


def test_a_move_is_told_with_its_why_and_counted():
    one = course()
    rev = one.head.rev
    one.to(R.RUNNING, Who.OPERATOR, BEGAN_MS + 1)
    one.rest(Pause.UNREACHABLE, "silence", BEGAN_MS + 2)
    assert one.news == ["running", "paused: silence"]
    assert (one.head.rev, one.head.changed_ms) == (rev + 2, BEGAN_MS + 2)


def test_what_the_table_does_not_have_leaves_all_as_it_was():
    one = course()
    before = one.head
    with pytest.raises(MoveError):
        one.to(R.COMPLETED, Who.CENTRAL, BEGAN_MS)
    with pytest.raises(MoveError):
        one.move_wave(0, W.PASSED, Who.CENTRAL, BEGAN_MS)
    assert (one.head, one.news) == (before, [])


def test_what_does_not_run_is_not_paused_by_the_centre():
    one = course()
    one.rest(Pause.UNREACHABLE, "silence", BEGAN_MS)
    assert one.head.state is R.SCHEDULED


def test_a_wave_that_moves_says_its_number_and_its_name():
    one = course()
    one.move_wave(0, W.SKIPPED, Who.CENTRAL, BEGAN_MS + 5, why="nobody needs it")
    assert one.head.waves[0].since_ms == BEGAN_MS + 5
    assert one.news == [f"wave 1 ({one.head.waves[0].name}) skipped: nobody needs it"]


def test_a_soak_that_is_wound_on_is_no_change_of_the_head():
    one = course()
    rev = one.head.rev
    one.set_wave(0, one.head.waves[0], BEGAN_MS + 5, is_news=False)
    assert one.head.rev == rev
    one.set_wave(0, one.head.waves[0], BEGAN_MS + 5)
    assert one.head.rev == rev + 1


def test_a_deadline_counts_from_the_release_of_the_wave_or_from_the_turn_back():
    one = course()
    limit_ms = one.rules(0).deadline_ms
    one.to(R.RUNNING, Who.OPERATOR, BEGAN_MS)
    one.move_wave(0, W.RELEASING, Who.CENTRAL, BEGAN_MS + 7, released_ms=BEGAN_MS + 7)
    assert one.deadline_ms(0) == BEGAN_MS + 7 + limit_ms
    one.to(R.ROLLING_BACK, Who.OPERATOR, BEGAN_MS + 9, back_ms=BEGAN_MS + 9)
    assert one.deadline_ms(0) == BEGAN_MS + 9 + limit_ms


def test_a_job_leads_to_the_release_and_on_its_way_back_to_the_former_one():
    one = course()
    job = one.jobs["s0000"]
    assert one.target(job) == NEW
    back = type(job)(site="s0000", wave=0, nodes=job.nodes, former=OLD, is_back=True)
    assert one.target(back) == OLD
