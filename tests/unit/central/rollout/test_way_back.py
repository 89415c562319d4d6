"""What becomes of sites when a rollout is given up, or goes back."""

from rollout_fleet import OLD, running

from roost_central.rollout.table import JobState, RolloutState

R, J = RolloutState, JobState


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


def test_a_bad_release_is_given_up_where_the_plan_says_so_and_stays_where_it_is():
    fleet = running(plan='on_error = "abort"\n', s0002="alarms").until_state(R.ABORTED)
    assert J.CANCELED in fleet.states().values()
    assert fleet.sites["s0002"].runs != OLD  # who has it keeps it
    assert not any(job.is_back for job in fleet.offered)
