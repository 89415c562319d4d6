"""Failed sites are grouped by type and by a reason that names no site."""

import msgspec
from rollout_fleet import running

from roost_central.rollout.failures import NO_WAY_BACK, grouped, reason_of
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, RolloutState
from roost_protocol.remedy import REMEDIES, Refusal
from roost_protocol.update import FailureType

J = JobState


def failed(site, state=J.FAILED, failure=FailureType.INSTALL, detail=""):
    nodes = (f"{site}.n1",)
    return Job(site=site, wave=0, nodes=nodes, state=state, failure=failure, detail=detail)


def keys(jobs):
    return [(each.failure, each.step, each.code, each.reason, each.sites) for each in grouped(jobs)]


def test_one_reason_of_many_sites_is_one_group_and_the_largest_comes_first():
    jobs = [
        failed("s1", failure=FailureType.BOOT, detail="no boot"),
        failed("s2", detail="s2.n1: install: s2.n1 does not start"),
        failed("s3", detail="s3.n1: install: s3.n1 does not start"),
    ]
    assert keys(jobs) == [
        ("install", "install", "", "NODE does not start", ["s2", "s3"]),
        ("boot", "", "", "no boot", ["s1"]),
    ]
    assert grouped(jobs)[0].nodes == ["s2.n1", "s3.n1"]


def test_a_code_groups_names_its_nodes_and_says_what_helps():
    text = "verify: hardware: app/pump 2.0 is for R740, and {0} is R750"
    jobs = [
        failed(s, failure=FailureType.VERIFY, detail=f"{s}.n1: {text.format(s + '.n1')}")
        for s in ("s2", "s1")
    ]
    [group] = grouped(jobs)
    assert (group.step, group.code, group.sites) == ("verify", "hardware", ["s1", "s2"])
    assert group.reason == "app/pump 2.0 is for R740, and NODE is R750"
    assert group.remedy == REMEDIES[Refusal.HARDWARE]


def test_one_that_has_it_and_is_worse_is_a_failure_of_health():
    worse = failed("s0001", J.SUCCEEDED, failure=None, detail="new alarm 100.1 (fan=1)")
    assert keys([worse]) == [("health", "", "", "new alarm 100.1", ["s0001"])]


def test_one_without_a_type_was_silent_too_long():
    silent = failed("s0001", J.TIMED_OUT, failure=None)
    assert keys([silent]) == [("timeout", "", "", str(J.TIMED_OUT), ["s0001"])]


def test_a_short_name_of_a_site_is_not_taken_out_of_other_words():
    assert reason_of(failed("a", detail="a new alarm of a.n1, not a-1")) == (
        "SITE new alarm of NODE, not a-1"
    )


def test_a_reason_is_cut():
    assert len(reason_of(failed("s1", detail="x" * 300))) == 200


def test_a_site_that_had_no_release_is_told_that_it_stays_and_not_to_be_tried_again():
    fleet = running()
    fleet.run(lambda: fleet.rollout.jobs["s0001"].touched)
    job = msgspec.structs.replace(fleet.rollout.jobs["s0001"], former=("", ""))
    fleet.rollout.put(job)
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.until_state(RolloutState.ROLLED_BACK)
    groups = grouped(fleet.rollout.failed())
    assert [each.remedy for each in groups if "s0001" in each.sites] == [NO_WAY_BACK]
    [other] = grouped([failed("s2", failure=FailureType.OPERATOR, detail="a person")])
    assert other.remedy != NO_WAY_BACK
