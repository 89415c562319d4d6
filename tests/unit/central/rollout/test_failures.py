"""Failed sites are grouped by type and by a reason that names no site."""

import msgspec
from rollout_fleet import running

from roost_central.rollout.failures import NO_WAY_BACK, REMEDIES, by_type, reason_of, remedy
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, RolloutState
from roost_protocol.update import FailureType

J = JobState


def failed(site, state=J.FAILED, failure=FailureType.INSTALL, detail=""):
    nodes = (f"{site}.n1",)
    return Job(site=site, wave=0, nodes=nodes, state=state, failure=failure, detail=detail)


def test_one_reason_of_many_sites_is_one_group_and_the_largest_comes_first():
    jobs = [
        failed("s1", failure=FailureType.BOOT, detail="no boot"),
        failed("s2", detail="s2.n1 does not start"),
        failed("s3", detail="s3.n1 does not start"),
    ]
    assert [*by_type(jobs).items()] == [
        ((str(FailureType.INSTALL), "SITE.n1 does not start"), ["s2", "s3"]),
        ((str(FailureType.BOOT), "no boot"), ["s1"]),
    ]


def test_one_that_has_it_and_is_worse_is_a_failure_of_health():
    worse = failed("s0001", J.SUCCEEDED, failure=None, detail="new alarm 100.1 (fan=1)")
    assert [*by_type([worse])] == [(str(FailureType.HEALTH), "new alarm 100.1")]


def test_one_without_a_type_was_silent_too_long():
    silent = failed("s0001", J.TIMED_OUT, failure=None)
    assert [*by_type([silent])] == [(str(FailureType.TIMEOUT), str(J.TIMED_OUT))]


def test_a_short_name_of_a_site_is_not_taken_out_of_other_words():
    assert reason_of(failed("a", detail="a new alarm of a.n1, not a-1")) == (
        "SITE new alarm of SITE.n1, not a-1"
    )


def test_a_reason_is_cut():
    assert len(reason_of(failed("s1", detail="x" * 300))) == 200


def test_each_type_has_a_remedy():
    assert {*REMEDIES} == {*FailureType}


def test_a_site_that_had_no_release_is_told_that_it_stays_and_not_to_be_tried_again():
    fleet = running()
    fleet.run(lambda: fleet.rollout.jobs["s0001"].touched)
    job = msgspec.structs.replace(fleet.rollout.jobs["s0001"], former=("", ""))
    fleet.rollout.put(job)
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.until_state(RolloutState.ROLLED_BACK)
    failed_ = by_type(fleet.rollout.failed())
    [(failure, reason)] = [key for key, sites in failed_.items() if "s0001" in sites]
    assert remedy(failure, reason) == NO_WAY_BACK
    assert remedy("operator", "a person") != NO_WAY_BACK
