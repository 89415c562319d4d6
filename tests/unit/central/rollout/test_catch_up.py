"""Who is silent or joins late has a wave to come."""

import msgspec
import pytest
from rollout_fleet import OLD, SmallFleet, running

from roost_central.rollout.table import JobState, MoveError, Pause, RolloutState, WaveState

R, W, J = RolloutState, WaveState, JobState


def test_a_site_that_is_silent_is_no_failure_and_catches_up():
    fleet = running()
    fleet.sites["s0001"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.wave == 3)
    assert fleet.rollout.head.waves[3].name == "catch-up"
    fleet.sites["s0001"].is_dark = False
    fleet.until_state(R.COMPLETED)
    assert {*fleet.states().values()} == {J.SUCCEEDED}


def test_a_site_that_stays_silent_ends_the_rollout_with_the_catch_up_deadline():
    fleet = running()
    fleet.sites["s0001"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.wave == 3)
    fleet.until_state(R.COMPLETED, seconds=3_600)
    assert fleet.rollout.jobs["s0001"].state is J.TIMED_OUT


def test_a_site_that_comes_back_when_its_wave_soaks_catches_up():
    fleet = running()
    fleet.sites["s0001"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.sites["s0001"].is_dark = False
    fleet.until_state(R.COMPLETED)
    assert fleet.states()["s0001"] is J.SUCCEEDED
    assert fleet.rollout.jobs["s0001"].wave == 3


def test_who_joins_late_is_in_the_first_wave_to_come():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.wave == 1)
    late = msgspec.structs.replace(fleet.rollout.jobs["s0000"], site="s0029x")
    fleet.sites["s0029x"] = type(fleet.sites["s0000"])("s0029x")
    fresh = type(late)(site="s0029x", wave=0, nodes=("s0029x.n1",), former=OLD)
    fleet.rollout.join([fresh], fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.rollout.jobs["s0029x"].wave == 2
    assert fleet.states()["s0029x"] is J.SUCCEEDED


def all_silent():
    """Return a fleet whose second wave is one silent site, at rest since the wave's deadline."""
    fleet = SmallFleet(waves=((0, 3), (3, 4), (4, 30)))
    fleet.rollout.start(fleet.now_ms)
    fleet.sites["s0003"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.state is R.PAUSED, seconds=600)
    assert fleet.rollout.head.pause is Pause.UNREACHABLE
    assert fleet.rollout.head.wave == 1
    return fleet


def ended(fleet):
    fleet.until_state(R.COMPLETED, turns=24 * 30, seconds=3_600)
    return fleet.states()


def test_a_wave_of_silent_sites_is_left_by_skip_and_they_catch_up():
    fleet = all_silent()
    fleet.rollout.resume("skip", fleet.now_ms)
    assert fleet.rollout.jobs["s0003"].wave == 3
    fleet.run(lambda: fleet.rollout.head.wave == 3, seconds=600)
    assert fleet.rollout.head.waves[1].state is W.SKIPPED
    fleet.sites["s0003"].is_dark = False
    assert {*ended(fleet).values()} == {J.SUCCEEDED}


def test_a_wave_of_silent_sites_has_its_time_again_by_resume_and_can_be_promoted():
    fleet = all_silent()
    with pytest.raises(MoveError, match="nothing to retry"):
        fleet.rollout.resume("retry", fleet.now_ms)
    fleet.rollout.resume("", fleet.now_ms)
    for _ in range(3):
        fleet.turn(600)
    assert fleet.rollout.head.state is R.RUNNING
    fleet.rollout.promote(fleet.now_ms)
    assert ended(fleet)["s0003"] is J.TIMED_OUT


def test_a_wave_of_silent_sites_goes_on_by_itself_when_one_is_back():
    fleet = all_silent()
    for _ in range(3):
        fleet.turn(600)
    assert fleet.rollout.head.state is R.PAUSED
    fleet.sites["s0003"].is_dark = False
    fleet.until_state(R.RUNNING)
    assert {*ended(fleet).values()} == {J.SUCCEEDED}


def test_a_wave_whose_plan_drops_silent_sites_waits_for_none_of_them_once_skipped():
    fleet = SmallFleet(plan='on_unreachable = "drop"\n', waves=((0, 1), (1, 30)))
    fleet.rollout.start(fleet.now_ms)
    fleet.sites["s0000"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.state is R.PAUSED, seconds=600)
    fleet.rollout.resume("skip", fleet.now_ms)
    assert ended(fleet)["s0000"] is J.TIMED_OUT
    assert len(fleet.rollout.head.waves) == 2


def back_late(plan=""):
    """Return a fleet whose silent site is back an hour before the catch-up wave's deadline."""
    fleet = running(plan=plan)
    fleet.sites["s0001"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.wave == 3)
    fleet.run(lambda: fleet.rollout.deadline_ms(3) - fleet.now_ms < 3_600_000, seconds=600)
    fleet.sites["s0001"].is_dark = False
    fleet.sites["s0001"].how = "slow"
    fleet.run(lambda: fleet.rollout.jobs["s0001"].state is J.APPLYING, turns=20)
    return fleet


def test_who_catches_up_has_the_waves_time_from_its_own_start():
    fleet = back_late()
    job, began_ms = fleet.rollout.jobs["s0001"], fleet.offered[-1].offered_ms
    assert fleet.rollout.job_deadline_ms(job) == began_ms + 72 * 3_600_000
    for _ in range(24):
        fleet.turn(3_600)
    assert fleet.rollout.jobs["s0001"].state is J.APPLYING
    assert fleet.rollout.head.state is R.RUNNING
    fleet.sites["s0001"].how = "well"
    fleet.until_state(R.COMPLETED)
    assert fleet.states()["s0001"] is J.SUCCEEDED


def test_who_catches_up_and_never_ends_times_out_at_its_own_deadline():
    fleet = back_late()
    began_ms = fleet.offered[-1].offered_ms
    fleet.run(lambda: fleet.rollout.jobs["s0001"].is_ended, seconds=600)
    assert fleet.rollout.jobs["s0001"].state is J.TIMED_OUT
    assert 0 <= fleet.now_ms - began_ms - 72 * 3_600_000 < 1_200_000
    fleet.until_state(R.PAUSED, R.COMPLETED)


def test_nobody_joins_a_catch_up_wave_whose_time_is_over():
    fleet = back_late()
    fleet.run(lambda: fleet.now_ms > fleet.rollout.deadline_ms(3), seconds=600)
    late = type(fleet.rollout.jobs["s0001"])(site="x1", wave=0, nodes=("x1.n1",), former=OLD)
    fleet.rollout.join([late], fleet.now_ms)
    assert "x1" not in fleet.rollout.jobs
