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


def failed_for_good(fleet, site="s0003"):
    """Have a site that has the release fail by an alarm, and be given another attempt."""
    fleet.run(lambda: fleet.rollout.head.state is R.PAUSED)
    assert fleet.rollout.jobs[site].state is J.FAILED
    assert fleet.sites[site].runs != OLD
    return fleet


def test_failed_sites_go_back_with_an_aborted_rollout_too():
    fleet = failed_for_good(running(s0002="alarms"), "s0002")
    fleet.rollout.abort("no", fleet.now_ms)
    fleet.until_state(R.ABORTED)
    assert fleet.sites["s0002"].runs != OLD, "who has it keeps it, until somebody says otherwise"
    fleet.rollout.roll_back("it leaks", fleet.now_ms)
    fleet.until_state(R.ROLLED_BACK)
    assert all(site.runs == OLD for site in fleet.sites.values())


def test_what_was_canceled_at_another_attempt_goes_back_all_the_same():
    """Its first attempt went in, and nobody took that back."""
    fleet = failed_for_good(running(s0002="alarms"), "s0002")
    fleet.rollout.resume("retry", fleet.now_ms)
    fleet.rollout.abort("no", fleet.now_ms)
    fleet.until_state(R.ABORTED)
    assert fleet.rollout.jobs["s0002"].state is J.CANCELED
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.until_state(R.ROLLED_BACK)
    assert fleet.sites["s0002"].runs == OLD


def test_a_way_back_that_was_given_up_is_another_attempt_when_it_is_taken_up_again():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.wave == 1)
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.run(lambda: any(job.is_back for job in fleet.offered))
    fleet.rollout.abort("wait", fleet.now_ms)
    fleet.until_state(R.ABORTED)
    before = {job.site: job.attempt for job in fleet.offered if job.is_back}
    there = {name for name, site in fleet.sites.items() if site.runs == OLD}
    begin = len(fleet.offered)
    fleet.rollout.roll_back("go on", fleet.now_ms)
    fleet.until_state(R.ROLLED_BACK)
    assert all(site.runs == OLD for site in fleet.sites.values())
    again = {job.site: job.attempt for job in fleet.offered[begin:]}
    assert again, "some were on their way"
    assert all(attempt == before.get(site, 0) + 1 for site, attempt in again.items())
    assert not {site for site in again if site in there}
