"""Who is silent or joins late has a wave to come."""

import msgspec
from rollout_fleet import OLD, running

from roost_central.rollout.table import JobState, RolloutState, WaveState

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
