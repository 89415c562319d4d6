"""What a rollout's answers count: each site as what it is."""

import pytest
from rollout_fleet import running

from roost_central.api.rollout_answers import rollout_detail
from roost_central.api.rollout_site_answers import failure_page
from roost_central.rollout.failures import ALREADY_BACK
from roost_central.rollout.table import JobState, RolloutState

R, J = RolloutState, JobState


@pytest.fixture
def stopped():
    """A rollout that stopped, as one site of its canary went back by itself."""
    return running(s0001="rolls-back").until_state(R.PAUSED)


def canary(fleet):
    return rollout_detail(fleet.rollout, b"", []).stages[0]


def failures(fleet):
    return failure_page(fleet.rollout.head, fleet.rollout.failed()).items


def test_a_site_that_went_back_by_itself_is_a_failure_while_its_rollout_stands(stopped):
    assert (canary(stopped).failed, canary(stopped).went_back) == (1, 0)
    assert canary(stopped).failures == {"install": 1}
    assert [(each.failure, each.went_back) for each in failures(stopped)] == [("install", False)]


def test_a_site_that_went_back_by_itself_is_no_failure_of_a_rollout_that_goes_back(stopped):
    stopped.rollout.roll_back("no", stopped.now_ms)
    assert (canary(stopped).failed, canary(stopped).went_back) == (0, 1)
    stopped.until_state(R.ROLLED_BACK)
    assert (canary(stopped).failed, canary(stopped).went_back) == (0, 1)
    assert canary(stopped).failures == {}
    [group] = failures(stopped)
    assert (group.failure, group.sites, group.remedy) == ("install", ["s0001"], ALREADY_BACK)
    assert group.went_back


def test_how_it_failed_stays_in_its_history(stopped):
    stopped.rollout.roll_back("no", stopped.now_ms)
    stopped.until_state(R.ROLLED_BACK)
    job = stopped.rollout.jobs["s0001"]
    assert (job.state, job.failure) == (J.ROLLED_BACK, "install")
    assert "the unit does not start" in job.detail


def test_a_way_back_that_was_undone_is_a_failure_of_the_rollout_that_goes_back(stopped):
    fleet = stopped
    fleet.rollout.roll_back("no", fleet.now_ms)
    [*others] = [job for job in fleet.rollout.jobs.values() if job.is_back]
    assert others
    fleet.rollout.put(others[0].to(J.OFFERED, "central", 1).to(
        J.ROLLED_BACK, "site", 2, failure="install"
    ))  # fmt: skip
    assert (canary(fleet).failed, canary(fleet).went_back) == (1, 1)


def test_a_wave_that_was_given_up_says_so():
    fleet = running()
    fleet.turn()
    fleet.rollout.abort("no", fleet.now_ms)
    assert canary(fleet).why == "its rollout was aborted: who has the release keeps it"
