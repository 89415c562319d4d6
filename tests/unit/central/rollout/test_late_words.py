"""Sites whose word comes late, or never: an abort ends, and a way back reaches them."""

import pytest
from rollout_fleet import NEW, OLD, running

from roost_central.rollout.table import JobState, Pause, RolloutState
from roost_protocol.update import SiteState

R, J = RolloutState, JobState
MONTH = {"turns": 24 * 30, "seconds": 3_600}


@pytest.mark.parametrize("state", [J.STAGED, J.SOAKING])
def test_an_abort_ends_though_a_site_of_it_stays_silent(state):
    fleet = running()
    fleet.run(lambda: fleet.rollout.jobs["s0001"].state is state)
    fleet.sites["s0001"].is_dark = True
    fleet.turn()
    fleet.rollout.abort("no", fleet.now_ms)
    fleet.until_state(R.ABORTED, **MONTH)
    assert "silent until the abort closed" in fleet.rollout.jobs["s0001"].detail


def test_a_site_that_went_on_while_it_was_silent_is_sent_back_as_well():
    fleet = running()
    fleet.run(lambda: fleet.rollout.jobs["s0001"].state is J.STAGED)
    site = fleet.sites["s0001"]
    site.is_dark = True
    fleet.turn()
    fleet.turn()
    site.runs, site.boot, site.steps = NEW, "ab", []
    fleet.rollout.roll_back("no", fleet.now_ms)
    for _ in range(30):
        fleet.turn()
    site.is_dark = False
    fleet.until_state(R.ROLLED_BACK)
    assert {each.runs for each in fleet.sites.values()} == {OLD}


def test_a_site_that_commits_before_its_word_is_heard_is_sent_back_as_well():
    fleet = running()
    fleet.run(lambda: fleet.rollout.jobs["s0001"].state is J.WAITING)
    fleet.sites["s0001"].steps = [SiteState.CANCEL_REJECTED, SiteState.COMMITTED]
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.until_state(R.ROLLED_BACK)
    assert {each.runs for each in fleet.sites.values()} == {OLD}


def test_a_way_back_that_the_signer_refuses_ends_with_its_deadline_and_says_why():
    fleet = running()
    fleet.run(lambda: fleet.rollout.jobs["s0001"].state is J.SUCCEEDED)
    fleet.rollout.roll_back("no", fleet.now_ms)
    take = fleet._take

    def refusing(job):
        if job.site == "s0001":
            fleet.rollout.unsent("s0001", "app/pump/1.0.0 is not named", fleet.now_ms)
        else:
            take(job)

    fleet._take = refusing
    fleet.until_state(R.ROLLED_BACK, **MONTH)
    assert "is not named" in fleet.rollout.jobs["s0001"].detail


def test_a_signer_that_did_not_answer_is_asked_again_after_a_minute():
    fleet = running()
    fleet.turn()
    fleet.rollout.rest(Pause.STALE_METADATA, "no answer within 10 s", fleet.now_ms)
    fleet.turn(30)
    assert fleet.rollout.head.state is R.PAUSED
    fleet.turn(31)
    assert fleet.rollout.head.state is R.RUNNING
