"""What a rollout's answers count: each site as what it is."""

import pytest
from rollout_fleet import PLAN, running

from roost_central.api.rollout_answers import rollout_detail
from roost_central.api.rollout_site_answers import failure_page, job_answer
from roost_central.rollout.failures import ALREADY_BACK, NEVER_HAD
from roost_central.rollout.site_steps import SOAKS
from roost_central.rollout.table import JobState, RolloutState
from roost_protocol.remedy import remedy
from roost_protocol.update import FailureType

R, J = RolloutState, JobState


@pytest.fixture
def stopped():
    """A rollout that stopped, as one site of its canary went back by itself."""
    return running(s0001="rolls-back").until_state(R.PAUSED)


def canary(fleet):
    return rollout_detail(fleet.rollout, b"", [], fleet.now_ms).stages[0]


def failures(fleet):
    return failure_page(fleet.rollout, fleet.rollout.failed()).items


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


@pytest.fixture
def spared():
    """A rollout that goes back, with a site whose download failed."""
    fleet = running(s0001="rolls-back").until_state(R.PAUSED)
    job = fleet.rollout.jobs["s0004"]
    failed = job.to(J.OFFERED, "central", 1).to(J.ACCEPTED, "site", 2).to(J.STAGING, "site", 3)
    told = {"failure": "download", "detail": "s0004.n1: download: no route"}
    fleet.rollout.put(failed.to(J.FAILED, "site", 4, **told))
    return fleet


def test_a_site_that_never_had_the_release_is_no_failure_of_a_rollout_that_goes_back(spared):
    wave = rollout_detail(spared.rollout, b"", [], spared.now_ms).stages[1]
    assert (wave.failed, wave.never_had) == (1, 0)
    spared.rollout.roll_back("no", spared.now_ms)
    wave = rollout_detail(spared.rollout, b"", [], spared.now_ms).stages[1]
    assert (wave.failed, wave.never_had, wave.failures) == (0, 1, {})
    told = [(each.failure, each.never_had, each.remedy) for each in failures(spared)]
    assert ("download", True, NEVER_HAD) in told
    assert job_answer(spared.rollout, spared.rollout.jobs["s0004"], 0).never_had


@pytest.mark.parametrize(
    ("reboot", "step"), [("", "measure"), ("reboot = true\n", "verify_reboot")]
)
def test_a_release_that_needs_no_boot_has_no_step_of_one(reboot, step):
    fleet = running(plan=PLAN.lstrip().replace("approvers", f"{reboot}approvers"))
    job = fleet.rollout.jobs["s0000"].to(J.OFFERED, "central", 1).to(J.APPLYING, "site", 2)
    detail = "s0000.n1: verify_reboot: a unit has failed"
    failed = job.to(J.FAILED, "site", 3, failure="health", detail=detail)
    fleet.rollout.put(failed)
    [group] = failures(fleet)
    assert group.step == step
    assert group.remedy == remedy(FailureType.HEALTH, detail)
    assert f": {step}: a unit" in job_answer(fleet.rollout, failed, 0).detail


def test_a_site_that_is_measured_says_what_it_waits_for_and_how_long():
    fleet = running()
    fleet.run(lambda: fleet.rollout.tally(0).states[J.VERIFYING])
    job = next(job for job in fleet.rollout.jobs.values() if job.state is J.VERIFYING)
    told = job_answer(fleet.rollout, job, fleet.now_ms)
    assert told.detail == "waits for 3 clean beats of its nodes"
    assert 0 < told.left_s <= 15
    assert canary(fleet).left_s <= told.left_s
    fleet.run(lambda: fleet.rollout.jobs[job.site].state is J.SOAKING)
    told = job_answer(fleet.rollout, fleet.rollout.jobs[job.site], fleet.now_ms)
    assert (told.detail, 0 < told.left_s <= 60) == (SOAKS, True)
    fleet.run(lambda: fleet.rollout.jobs[job.site].state is J.SUCCEEDED)
    assert job_answer(fleet.rollout, fleet.rollout.jobs[job.site], fleet.now_ms).detail == ""
