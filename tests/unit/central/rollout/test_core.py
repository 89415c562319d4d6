"""A rollout starts, rests, goes on and ends; it counts what its sites run, not what they say."""

import pytest
from rollout_fleet import NEW, running

from roost_central.rollout.head import Around
from roost_central.rollout.table import JobState, MoveError, Pause, RolloutState

R, J = RolloutState, JobState


def test_a_good_release_reaches_every_site_wave_by_wave():
    fleet = running().until_state(R.COMPLETED)
    assert {*fleet.states().values()} == {J.SUCCEEDED}
    assert all(site.runs == NEW for site in fleet.sites.values())
    waves = [fleet.rollout.jobs[job.site].wave for job in fleet.offered]
    assert waves == sorted(waves)


def test_a_site_that_says_done_and_runs_the_old_release_is_no_success():
    fleet = running(s0000="lies").until_state(R.PAUSED)
    assert fleet.rollout.jobs["s0000"].state is J.TIMED_OUT
    assert fleet.rollout.tally(0).succeeded <= 2


def test_with_much_of_the_fleet_silent_it_rests_and_goes_on_by_itself():
    fleet = running()
    fleet.turn()
    fleet.around = Around(dark_pct=30.0)
    fleet.turn()
    assert fleet.rollout.head.pause is Pause.UNREACHABLE
    fleet.around = Around()
    fleet.until_state(R.COMPLETED)


def test_a_failed_wave_goes_on_only_with_retry_or_skip():
    fleet = running(s0001="rolls-back").until_state(R.PAUSED)
    with pytest.raises(MoveError, match="retry"):
        fleet.rollout.resume("", fleet.now_ms)
    with pytest.raises(
        MoveError, match="the rollout is paused: resume it, abort it or roll it back"
    ):
        fleet.rollout.start(fleet.now_ms)
    assert fleet.rollout.head.state is R.PAUSED
    fleet.sites["s0001"].how = "well"
    fleet.rollout.resume("retry", fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.rollout.jobs["s0001"].attempt == 2


def test_what_rests_is_not_resumed_with_retry_where_nothing_failed():
    fleet = running()
    fleet.turn()
    fleet.rollout.pause("lunch", fleet.now_ms)
    with pytest.raises(MoveError, match="has not failed"):
        fleet.rollout.resume("retry", fleet.now_ms)
    offered = len(fleet.offered)
    fleet.turn(60)
    assert len(fleet.offered) == offered
    fleet.rollout.resume("", fleet.now_ms)
    fleet.until_state(R.COMPLETED)


def test_a_pause_of_a_person_ends_by_a_person_alone():
    fleet = running()
    fleet.turn()
    fleet.rollout.pause("lunch", fleet.now_ms)
    for _ in range(50):
        fleet.turn(60)
    assert fleet.rollout.head.state is R.PAUSED
