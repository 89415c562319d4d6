"""A rollout goes on where its sites are well, and stops, goes back and waits where they are not."""

import msgspec
import pytest
from rollout_fleet import NEW, OLD, SmallFleet

from roost_central.rollout.head import AlarmSeen, Around
from roost_central.rollout.table import JobState, MoveError, Pause, RolloutState, WaveState
from roost_protocol.severity import Severity

R, W, J = RolloutState, WaveState, JobState


def running(**how):
    fleet = SmallFleet(**how)
    fleet.rollout.start(fleet.now_ms)
    return fleet


def test_a_good_release_reaches_every_site_wave_by_wave():
    fleet = running().until_state(R.COMPLETED)
    assert {*fleet.states().values()} == {J.SUCCEEDED}
    assert all(site.runs == NEW for site in fleet.sites.values())
    waves = [fleet.rollout.jobs[job.site].wave for job in fleet.offered]
    assert waves == sorted(waves)


def test_no_site_of_a_wave_is_offered_before_the_one_before_has_soaked():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    assert {job.wave for job in fleet.offered} == {0}
    began_ms = fleet.now_ms
    fleet.run(lambda: len(fleet.offered) > 3)
    assert fleet.now_ms - began_ms >= 120_000


def test_a_release_that_is_rolled_back_by_its_site_stops_in_the_canary():
    fleet = running(s0001="rolls-back").until_state(R.PAUSED)
    assert fleet.rollout.head.pause is Pause.ERROR_THRESHOLD
    assert "install" in fleet.rollout.head.why
    assert "s0001" in fleet.rollout.head.why
    for _ in range(100):
        fleet.turn()
    assert len(fleet.offered) == 3


def test_a_site_that_says_done_and_runs_the_old_release_is_no_success():
    fleet = running(s0000="lies").until_state(R.PAUSED)
    assert fleet.rollout.jobs["s0000"].state is J.TIMED_OUT
    assert fleet.rollout.tally(0).succeeded <= 2


def test_a_new_alarm_after_the_update_stops_it_by_the_health_gate():
    fleet = running(s0002="alarms").until_state(R.PAUSED)
    assert fleet.rollout.head.pause is Pause.HEALTH_GATE


def test_an_alarm_that_was_there_before_is_no_reason_to_stop():
    fleet = SmallFleet(plan='gates = {alarms = "permissive"}\n')
    site = fleet.sites["s0002"]
    site.alarms.append(AlarmSeen("100.1|x", "100.1", Severity.CRITICAL))
    fleet.rollout.start(fleet.now_ms)
    fleet.until_state(R.COMPLETED)


def test_a_site_with_an_alarm_is_held_back_until_it_is_gone():
    fleet = SmallFleet()
    site = fleet.sites["s0002"]
    site.alarms.append(AlarmSeen("100.1|x", "100.1", Severity.MAJOR))
    fleet.rollout.start(fleet.now_ms)
    for _ in range(50):
        fleet.turn()
    assert fleet.rollout.jobs["s0002"].state is J.QUEUED
    assert "held back: alarm 100.1" in fleet.rollout.jobs["s0002"].detail
    site.alarms.clear()
    fleet.until_state(R.COMPLETED)


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


def test_sites_that_fall_silent_with_their_update_stop_it():
    fleet = running(s0001="bricks").until_state(R.PAUSED)
    assert "silent" in fleet.rollout.head.why


def test_the_soak_counts_no_moment_in_which_an_updated_site_is_silent():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.sites["s0001"].is_dark = True
    before = fleet.rollout.head.waves[0].soaked_ms
    for _ in range(60):
        fleet.turn(2)
    assert fleet.rollout.head.waves[0].soaked_ms <= before + 4_000
    fleet.sites["s0001"].is_dark = False
    fleet.until_state(R.COMPLETED)


def test_a_centre_that_was_down_counts_no_soak_for_it():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.turn(3_600)
    assert fleet.rollout.head.waves[0].state is W.SOAKING


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
    fleet.sites["s0001"].how = "well"
    fleet.rollout.resume("retry", fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.rollout.jobs["s0001"].attempt == 2


def test_a_skipped_wave_leaves_its_failures_behind():
    fleet = running(s0001="rolls-back").until_state(R.PAUSED)
    fleet.rollout.resume("skip", fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.states()["s0001"] is J.ROLLED_BACK


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


def test_an_abort_takes_back_what_is_not_done_and_leaves_what_is():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.wave == 1 and len(fleet.offered) > 5)
    fleet.rollout.abort("no", fleet.now_ms)
    offered = len(fleet.offered)
    fleet.until_state(R.ABORTED)
    assert len(fleet.offered) == offered
    states = {*fleet.states().values()}
    assert states <= {J.SUCCEEDED, J.CANCELED}
    assert J.CANCELED in states


def test_rolling_back_brings_every_touched_site_to_its_former_release():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.wave == 2 and fleet.rollout.tally(2).succeeded > 4)
    fleet.rollout.roll_back("no", fleet.now_ms)
    begin = len(fleet.offered)
    fleet.until_state(R.ROLLED_BACK)
    assert all(site.runs == OLD for site in fleet.sites.values())
    waves = [job.wave for job in fleet.offered[begin:]]
    assert waves == sorted(waves, reverse=True)


def test_a_bad_release_rolls_itself_back_where_the_plan_says_so():
    fleet = running(plan='on_error = "rollback"\n', s0002="alarms").until_state(R.ROLLED_BACK)
    assert all(site.runs == OLD for site in fleet.sites.values())


def test_a_manual_gate_waits_for_somebody_and_a_soak_can_be_cut_short():
    plan = "gates = {manual = true}\n"
    fleet = running(plan=plan)
    for _ in range(20):
        fleet.turn()
    assert not fleet.offered
    for wave in range(3):
        fleet.rollout.promote(fleet.now_ms)
        fleet.run(lambda wave=wave: fleet.rollout.head.waves[wave].state is W.SOAKING)
        fleet.rollout.promote(fleet.now_ms)
        fleet.turn()
    assert fleet.rollout.head.state is R.COMPLETED
    assert fleet.now_ms - fleet.rollout.head.made_ms < 600_000


def test_sites_at_work_never_pass_the_caps():
    plan = "max_in_flight = {fleet = 7, wave = 4, hw_model = 3}\n"
    fleet = SmallFleet(plan=plan)
    fleet.rollout.start(fleet.now_ms)
    most = 0
    while fleet.rollout.head.state is not R.COMPLETED:
        fleet.turn()
        most = max(most, fleet.rollout.in_flight())
    assert most == 3


def test_other_rollouts_take_room_and_hold_their_sites():
    fleet = running()
    fleet.around = Around(in_flight=500)
    fleet.turn()
    assert not fleet.offered
    fleet.around = Around(busy=frozenset({"s0000"}))
    fleet.turn()
    assert [job.site for job in fleet.offered] == ["s0001", "s0002"]


def test_the_rate_grows_with_successes():
    plan = (
        'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\napprovers = 0\n'
        "[[wave]]\nrest = true\nsite_soak_s = 0\nsoak_s = 0\n"
        "rate = {base = 6, factor = 2.0, max = 60, grow_after = 5}\n"
    )
    fleet = running(sites=60, plan=plan, waves=((0, 60),))
    for _ in range(30):
        fleet.turn()
    assert 5 <= len(fleet.offered) <= 8  # six a minute
    fleet.until_state(R.COMPLETED)
    assert fleet.now_ms - fleet.rollout.head.made_ms < 300_000  # not ten minutes


def test_150_failures_out_of_the_first_150_trip_a_threshold_of_20_percent():
    plan = (
        'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\napprovers = 0\n'
        "[[wave]]\nrest = true\nerror_pct = 20\nerror_abs = 1000\nsite_soak_s = 0\n"
        "rate = {base = 60000, max = 60000}\nmax_in_flight = {wave = 150, hw_model = 5000}\n"
    )
    bad = {f"s{number:04}": "rolls-back" for number in range(1000)}
    fleet = running(sites=1_000, plan=plan, waves=((0, 1_000),), **bad)
    fleet.until_state(R.PAUSED)
    assert len(fleet.offered) <= 300


def test_a_site_that_answers_no_offer_is_unreachable_after_the_third():
    fleet = running(s0001="mute")
    fleet.run(lambda: fleet.states()["s0001"] is J.UNREACHABLE, seconds=10)
    assert [job.site for job in fleet.offered].count("s0001") == 3


def test_a_site_that_postpones_is_asked_again():
    fleet = running(s0001="rejects")
    fleet.run(lambda: fleet.states()["s0001"] is J.REJECTED)
    fleet.sites["s0001"].how = "well"
    fleet.until_state(R.COMPLETED)


def test_sites_that_run_it_already_need_nothing():
    fleet = SmallFleet()
    for name in ("s0000", "s0001", "s0002"):
        fleet.sites[name].runs = NEW
    fleet.rollout.start(fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.rollout.head.waves[0].state in {W.SKIPPED, W.PASSED}
    assert fleet.states()["s0000"] is J.NOT_NEEDED


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


def test_a_site_that_comes_back_when_its_wave_soaks_catches_up():
    fleet = running()
    fleet.sites["s0001"].is_dark = True
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.sites["s0001"].is_dark = False
    fleet.until_state(R.COMPLETED)
    assert fleet.states()["s0001"] is J.SUCCEEDED
    assert fleet.rollout.jobs["s0001"].wave == 3


def test_who_was_never_offered_anything_in_a_skipped_wave_is_not_any_more():
    plan = "max_in_flight = {wave = 1}\n"
    fleet = SmallFleet(plan=plan, s0000="rolls-back")
    fleet.rollout.start(fleet.now_ms)
    fleet.until_state(R.PAUSED)
    fleet.rollout.resume("skip", fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert J.QUEUED not in fleet.states().values()
    assert fleet.states()["s0001"] is J.CANCELED
