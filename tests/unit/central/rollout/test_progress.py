"""A wave is released, judged and soaked, and stops where its sites are not well."""

from rollout_fleet import NEW, OLD, SmallFleet, running

from roost_central.rollout.head import AlarmSeen
from roost_central.rollout.table import JobState, Pause, RolloutState, WaveState
from roost_protocol.severity import Severity

R, W, J = RolloutState, WaveState, JobState


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


def test_a_new_alarm_after_the_update_stops_it_by_the_health_gate():
    fleet = running(s0002="alarms").until_state(R.PAUSED)
    assert fleet.rollout.head.pause is Pause.HEALTH_GATE


def test_an_alarm_that_was_there_before_is_no_reason_to_stop():
    fleet = SmallFleet(plan='gates = {alarms = "permissive"}\n')
    site = fleet.sites["s0002"]
    site.alarms.append(AlarmSeen("100.1|x", "100.1", Severity.CRITICAL))
    fleet.rollout.start(fleet.now_ms)
    fleet.until_state(R.COMPLETED)


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


def test_a_skipped_wave_leaves_its_failures_behind():
    fleet = running(s0001="rolls-back").until_state(R.PAUSED)
    fleet.rollout.resume("skip", fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.states()["s0001"] is J.ROLLED_BACK


def test_who_was_never_offered_anything_in_a_skipped_wave_is_not_any_more():
    plan = "max_in_flight = {wave = 1}\n"
    fleet = SmallFleet(plan=plan, s0000="rolls-back")
    fleet.rollout.start(fleet.now_ms)
    fleet.until_state(R.PAUSED)
    fleet.rollout.resume("skip", fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert J.QUEUED not in fleet.states().values()
    assert fleet.states()["s0001"] is J.CANCELED


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


def test_sites_that_run_it_already_need_nothing():
    fleet = SmallFleet()
    for name in ("s0000", "s0001", "s0002"):
        fleet.sites[name].runs = NEW
    fleet.rollout.start(fleet.now_ms)
    fleet.until_state(R.COMPLETED)
    assert fleet.rollout.head.waves[0].state in {W.SKIPPED, W.PASSED}
    assert fleet.states()["s0000"] is J.NOT_NEEDED


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


def test_a_rollout_whose_sites_only_say_that_they_need_nothing_does_not_complete():
    says = {f"s{number:04}": "says-not-needed" for number in range(30)}
    fleet = running(**says).until_state(R.PAUSED)
    assert "timeout" in fleet.rollout.head.why
    assert {site.runs for site in fleet.sites.values()} == {OLD}
